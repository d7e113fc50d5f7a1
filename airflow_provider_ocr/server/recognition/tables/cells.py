# SPDX-License-Identifier: Apache-2.0
"""What stands in the cells of a grid: each character belongs to the cell that its middle is in."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import replace

from airflow_provider_ocr.server.document import (
    Block,
    BlockType,
    Box,
    Cell,
    Character,
    Line,
    Paragraph,
    Table,
    enclosing,
)
from airflow_provider_ocr.server.recognition.line_pieces import (
    Piece,
    height_of_baseline,
    joined,
    line_of,
    pieces_of,
)
from airflow_provider_ocr.server.recognition.tables.alignment import cell_alignment
from airflow_provider_ocr.server.recognition.tables.grids import Grid, Place
from airflow_provider_ocr.server.rows import rows


def with_tables(blocks: Sequence[Block], grids: Sequence[Grid]) -> list[Block]:
    """The blocks, and in place of the text on grids a table block for each grid.

    :param blocks: in reading order; a table stands where the first of its text stood.
    """
    for grid in grids:
        blocks = _with_table(blocks, grid)
    return list(blocks)


class _Cells:
    """The cells of a grid while they are filled."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.lines: dict[Place, list[Line]] = {place: [] for place in grid.places}
        self._owners = {
            (place.row + down, place.column + across): place
            for place in grid.places
            for down in range(place.row_span)
            for across in range(place.column_span)
        }

    def at(self, box: Box) -> Place | None:
        """The cell that the middle of ``box`` is in."""
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        row, column = bisect.bisect(self.grid.rows, y) - 1, bisect.bisect(self.grid.columns, x) - 1
        return self._owners.get((row, column))


def _with_table(blocks: Sequence[Block], grid: Grid) -> list[Block]:
    cells = _Cells(grid)
    kept: list[Block] = []
    at = None
    for block in blocks:
        rest = _taken_out(block, cells)
        if rest is not block and at is None:
            at = len(kept)
        if rest is not None:
            kept.append(rest)
    if at is None:
        below = (number for number, block in enumerate(kept) if block.box.top >= grid.box.bottom)
        at = next(below, len(kept))
    kept.insert(at, Block(BlockType.TABLE, grid.box, table=_table(cells)))
    return kept


def _table(cells: _Cells) -> Table:
    grid = cells.grid
    return Table(
        columns=grid.columns,
        rows=grid.rows,
        cells=tuple(
            Cell(
                row=place.row,
                column=place.column,
                row_span=place.row_span,
                column_span=place.column_span,
                box=grid.box_of(place),
                paragraphs=_paragraphs(lines, grid.box_of(place)),
            )
            for place, lines in cells.lines.items()
        ),
        ruled=True,
    )


def _paragraphs(lines: Sequence[Line], cell: Box) -> tuple[Paragraph, ...]:
    if not lines:
        return ()
    whole = tuple(joined(row) for row in rows(lines))
    return (Paragraph(whole, alignment=cell_alignment(whole, cell)),)


def _taken_out(block: Block, cells: _Cells) -> Block | None:
    """The block without what stands on the grid, which ``cells`` are given; None where nothing is left."""
    if block.type is not BlockType.TEXT or not _overlap(block.box, cells.grid.box):
        return block
    paragraphs = []
    for paragraph in block.paragraphs:
        lines = [rest for line in paragraph.lines for rest in _divided(line, cells)]
        if lines:
            paragraphs.append(replace(paragraph, lines=tuple(lines)))
    if paragraphs == list(block.paragraphs):
        return block
    boxes = [line.box for paragraph in paragraphs for line in paragraph.lines]
    return replace(block, box=enclosing(boxes), paragraphs=tuple(paragraphs)) if boxes else None


def _divided(line: Line, cells: _Cells) -> Iterable[Line]:
    """What of the line stands beside the grid."""
    if not _overlap(line.box, cells.grid.box):
        return [line]
    parts: dict[Place | None, list[Piece]] = {}
    for word, characters in pieces_of(line):
        by_place: dict[Place | None, list[Character]] = {}
        for character in characters:
            by_place.setdefault(cells.at(character.box), []).append(character)
        for place, own in by_place.items():
            parts.setdefault(place, []).append((word, own))
    if list(parts) == [None]:
        return [line]
    rest, baseline = parts.pop(None, []), round(height_of_baseline(line))
    for place, pieces in parts.items():
        if place is not None:
            cells.lines[place].append(replace(line_of(pieces, baseline=baseline), size=line.size))
    return [replace(line_of(rest, baseline=baseline), size=line.size)] if rest else []


def _overlap(box: Box, other: Box) -> bool:
    return min(box.right, other.right) > max(box.left, other.left) and min(box.bottom, other.bottom) > max(
        box.top, other.top
    )
