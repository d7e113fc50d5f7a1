# SPDX-License-Identifier: Apache-2.0
"""One size of type for a table: of the few letters of a cell the engine only guesses it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

from airflow_provider_ocr.server.document import Block, Line, Table

_ANOTHER_SIZE = (
    1.3  # times the usual one, or less than as large by that: a head is set in it, no guess gives it
)


def evenly_set(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, the lines of each table in the size of most of them unless theirs is clearly another."""
    return [replace(block, table=_evenly_set(block.table)) if block.table else block for block in blocks]


def _evenly_set(table: Table) -> Table:
    lines = [line for cell in table.cells for paragraph in cell.paragraphs for line in paragraph.lines]
    sizes = [line.size for line in lines if line.size > 0]
    if not sizes:
        return table
    usual = statistics.median(sizes)

    def sized(line: Line) -> Line:
        smaller, larger = sorted((line.size, usual))
        return replace(line, size=usual) if larger < _ANOTHER_SIZE * smaller else line

    cells = []
    for cell in table.cells:
        paragraphs = tuple(
            replace(paragraph, lines=tuple(map(sized, paragraph.lines))) for paragraph in cell.paragraphs
        )
        cells.append(replace(cell, paragraphs=paragraphs))
    return replace(table, cells=tuple(cells))
