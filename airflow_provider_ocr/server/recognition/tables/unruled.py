# SPDX-License-Identifier: Apache-2.0
"""Tables without ruled lines, made of the words where gutters run down through the rows.

A wrong grid is worse than none: columns of running text, lists, letterheads and tables of contents with
leaders stay text, and so does every table of which it is not sure where its cells are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from airflow_provider_ocr.server.document import (
    Alignment,
    Block,
    BlockType,
    Box,
    Cell,
    Paragraph,
    Table,
    enclosing,
)
from airflow_provider_ocr.server.recognition.line_pieces import joined
from airflow_provider_ocr.server.recognition.tables.alignment import column_alignment
from airflow_provider_ocr.server.recognition.tables.evidence import is_table
from airflow_provider_ocr.server.recognition.tables.gutters import Column, find_gutters
from airflow_provider_ocr.server.recognition.tables.set_rows import SetRow, runs, set_rows
from airflow_provider_ocr.server.recognition.tables.table_rows import Part, TableRow, table_rows


def with_unruled_tables(blocks: Sequence[Block], *, dpi: float) -> list[Block]:
    """The blocks, and in place of text that is set as a table, a table block.

    :param blocks: in reading order.
    :param dpi: pixels per inch of their page.
    """
    lines = [line for block in blocks if block.type is BlockType.TEXT for line in block.lines]
    found = list(blocks)
    for run in runs(set_rows(lines, dpi=dpi)):
        for rows, columns in _tables(run):
            found = _with_table(found, rows, columns)
    return found


def _tables(run: Sequence[SetRow]) -> list[tuple[list[TableRow], tuple[Column, ...]]]:
    """The rows and columns of every table in the run, from top to bottom."""
    gutters = find_gutters(run)
    if gutters is None:
        return []
    chosen, rows = table_rows(run, gutters)
    found = [(rows, gutters.columns)] if is_table(rows, gutters.columns) else []
    return [*_tables(run[: chosen.start]), *found, *_tables(run[chosen.stop :])]


def _with_table(blocks: Sequence[Block], rows: Sequence[TableRow], columns: Sequence[Column]) -> list[Block]:
    """The blocks, with the table where the first of its text stood."""
    taken = {id(line) for row in rows for line in row.lines}
    box = enclosing([part.line.box for row in rows for part in row.parts])
    above: list[Block] = []
    below: list[Block] = []
    touched = False
    for block in blocks:
        if not any(id(line) in taken for line in block.lines):
            (below if touched else above).append(block)
            continue
        rest = [line for line in block.lines if id(line) not in taken]
        before = _without(block, taken | {id(line) for line in rest if line.box.top >= box.top})
        behind = _without(block, taken | {id(line) for line in rest if line.box.top < box.top})
        (below if touched else above).extend(before)
        touched = True
        below.extend(behind)
    table = Block(BlockType.TABLE, box, table=_table(rows, columns, box))
    return [*above, table, *below]


def _without(block: Block, taken: set[int]) -> list[Block]:
    """The block without these lines, nothing where there are no others."""
    left = [[line for line in paragraph.lines if id(line) not in taken] for paragraph in block.paragraphs]
    paragraphs = [
        replace(paragraph, lines=tuple(lines))
        for paragraph, lines in zip(block.paragraphs, left, strict=True)
        if lines
    ]
    if not paragraphs:
        return []
    box = enclosing([line.box for paragraph in paragraphs for line in paragraph.lines])
    return [replace(block, box=box, paragraphs=tuple(paragraphs))]


def _table(rows: Sequence[TableRow], columns: Sequence[Column], box: Box) -> Table:
    edges = [box.left, *_middles([column.right for column in columns], [column.left for column in columns])]
    edges.append(box.right)
    boxes = [enclosing([part.line.box for part in row.parts]) for row in rows]
    levels = [box.top, *_middles([one.bottom for one in boxes], [one.top for one in boxes]), box.bottom]
    alignments = [_alignment(rows, column) for column in range(len(columns))]
    cells = tuple(
        Cell(
            row=number,
            column=place.start,
            column_span=len(place),
            box=Box(edges[place.start], levels[number], edges[place.stop], levels[number + 1]),
            paragraphs=_paragraphs(parts, alignments[place.start] if len(place) == 1 else Alignment.CENTER),
        )
        for number, row in enumerate(rows)
        for place, parts in _places(row, len(columns))
    )
    return Table(columns=tuple(edges), rows=tuple(levels), cells=cells, ruled=False)


def _alignment(rows: Sequence[TableRow], column: int) -> Alignment:
    only = range(column, column + 1)
    return column_alignment([part.line for row in rows for part in row.parts if part.columns == only])[0]


def _middles(ends: Sequence[int], begins: Sequence[int]) -> list[int]:
    """Halfway between the end of each and where the next begins."""
    return [(end + begin) // 2 for end, begin in zip(ends, begins[1:], strict=False)]


def _places(row: TableRow, columns: int) -> list[tuple[range, list[Part]]]:
    """The columns that each cell covers, from left to right, and what stands in it."""
    found: list[tuple[range, list[Part]]] = []
    column = 0
    while column < columns:
        ends = (part.columns.stop for part in row.parts if part.columns.start == column)
        end = max(ends, default=column + 1)
        inside = [part for part in row.parts if column <= part.columns.start < end]
        found.append((range(column, end), inside))
        column = end
    return found


def _paragraphs(parts: Sequence[Part], alignment: Alignment) -> tuple[Paragraph, ...]:
    """What stands in a cell: parts at one height are one line of it."""
    if not parts:
        return ()
    heights = sorted({part.height for part in parts})
    lines = [joined([part.line for part in parts if part.height == height]) for height in heights]
    return (Paragraph(tuple(lines), alignment=alignment),)
