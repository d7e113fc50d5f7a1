# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from airflow_provider_ocr.server.document import Block, BlockType, Box, Cell, Line, Paragraph, Table
from airflow_provider_ocr.server.recognition.tables.type_sizes import evenly_set

MakeLine = Callable[..., Line]


def table_of(line: Line, sizes: Sequence[float]) -> Block:
    """A column of cells with the line in these sizes."""
    cells = tuple(
        Cell(
            row=row,
            column=0,
            box=Box(0, 50 * row, 200, 50 * row + 50),
            paragraphs=(Paragraph((replace(line, size=size),)),),
        )
        for row, size in enumerate(sizes)
    )
    rows = tuple(50 * row for row in range(len(sizes) + 1))
    return Block(
        BlockType.TABLE,
        Box(0, 0, 200, rows[-1]),
        table=Table(columns=(0, 200), rows=rows, cells=cells, ruled=True),
    )


def sizes_of(blocks: list[Block]) -> list[float]:
    (block,) = blocks
    assert block.table is not None
    return [line.size for cell in block.table.cells for part in cell.paragraphs for line in part.lines]


def test_small_differences_between_cells_are_levelled(make_line: MakeLine) -> None:
    assert sizes_of(evenly_set([table_of(make_line(("7", 10)), [9.0, 10.0, 10.0, 11.5])])) == [10.0] * 4


def test_a_head_in_larger_type_keeps_it(make_line: MakeLine) -> None:
    assert sizes_of(evenly_set([table_of(make_line(("7", 10)), [14.0, 10.0, 10.0])])) == [14.0, 10.0, 10.0]


def test_where_no_size_is_known_nothing_is_changed(make_line: MakeLine) -> None:
    block = table_of(make_line(("7", 10)), [0.0, 0.0])
    assert evenly_set([block]) == [block]
