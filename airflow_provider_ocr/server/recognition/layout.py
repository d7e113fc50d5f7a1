# SPDX-License-Identifier: Apache-2.0
"""The rows of a table, put together again: layout analysis takes its columns for blocks of text."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from airflow_provider_ocr.server.document import Block, BlockType, Line, Paragraph, enclosing
from airflow_provider_ocr.server.recognition.line_pieces import joined
from airflow_provider_ocr.server.rows import level, rows

_ALIGNED = 0.6  # share of the shorter column's lines that stand level with one of the other's
_WORDS_IN_A_CELL = 3  # columns of running text have more words to a line


def with_rows(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, those that are columns of one table merged into one block of rows.

    :param blocks: in reading order. A merged block takes the place of the first of its columns.
    """
    tables: list[list[Block]] = []
    for block in blocks:
        same = [table for table in tables if any(_same_table(block, other) for other in table)]
        if not same:
            tables.append([block])
            continue
        same[0] += [*(other for table in same[1:] for other in table), block]
        tables = [table for table in tables if not any(table is other for other in same[1:])]
    return [table[0] if len(table) == 1 else _merged(table) for table in tables]


def _same_table(block: Block, other: Block) -> bool:
    """Whether two blocks stand side by side, row by row, at least one with no more than cells' text."""
    apart = block.box.right <= other.box.left or other.box.right <= block.box.left
    if not apart or {block.type, other.type} != {BlockType.TEXT}:
        return False
    fewer, more = sorted((list(block.lines), list(other.lines)), key=len)
    narrower, wider = sorted((_words_per_line(fewer), _words_per_line(more)))
    # One short line beside running text is more often the end of the paragraph above it.
    if narrower > _WORDS_IN_A_CELL or (wider > _WORDS_IN_A_CELL and len(fewer) == 1):
        return False
    aligned = sum(any(level(line, beside) for beside in more) for line in fewer)
    return aligned >= _ALIGNED * len(fewer)


def _words_per_line(lines: list[Line]) -> float:
    return statistics.median(len(line.words) for line in lines)


def _merged(columns: list[Block]) -> Block:
    """One block of the columns' rows; lines that share a row with none stay in their paragraphs."""
    owners = {
        id(line): paragraph for block in columns for paragraph in block.paragraphs for line in paragraph.lines
    }
    paragraphs: list[list[Line]] = []
    owner = None
    for row in rows(line for block in columns for line in block.lines):
        continues = len(row) == 1 and owners[id(row[0])] is owner
        if continues:
            paragraphs[-1].append(row[0])
        else:
            paragraphs.append([joined(row)])
        owner = owners[id(row[0])] if len(row) == 1 else None
    box = enclosing([block.box for block in columns])
    return Block(BlockType.TEXT, box, tuple(Paragraph(tuple(lines)) for lines in paragraphs))
