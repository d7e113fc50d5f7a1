# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_ocr.server.document import Alignment, Box, Line
from airflow_provider_ocr.server.recognition.tables.alignment import cell_alignment, column_alignment

MakeLine = Callable[..., Line]


@pytest.mark.parametrize(
    ("left", "alignment"),
    [(110, Alignment.LEFT), (140, Alignment.LEFT), (250, Alignment.CENTER), (390, Alignment.RIGHT)],
)
def test_text_in_a_cell_stands_at_its_nearer_side_or_in_its_middle(
    make_line: MakeLine, left: int, alignment: Alignment
) -> None:
    line = make_line(("Honey", left))  # 100 pixels wide
    assert cell_alignment([line], Box(100, 90, 500, 140)) is alignment


def test_text_that_fills_its_cell_is_on_the_left(make_line: MakeLine) -> None:
    assert cell_alignment([make_line(("Honey", 120))], Box(100, 90, 225, 140)) is Alignment.LEFT


@pytest.mark.parametrize(
    ("column", "alignment"),
    [
        ([("Tea", 100), ("Honey", 100), ("Bread", 101)], Alignment.LEFT),
        ([("3.20", 120), ("114.80", 80), ("7", 180)], Alignment.RIGHT),
        ([("Tea", 120), ("Honey", 100), ("Marmalade", 60)], Alignment.CENTER),
    ],
)
def test_a_column_is_aligned_as_all_of_its_cells_are(
    make_line: MakeLine, column: list[tuple[str, int]], alignment: Alignment
) -> None:
    assert column_alignment([make_line(cell) for cell in column]) == (alignment, 1.0)


def test_of_a_column_that_is_not_aligned_it_is_told_how_much_is(make_line: MakeLine) -> None:
    lines = [
        make_line((word, left)) for word, left in (("Tea", 0), ("Honey", 100), ("Bread", 400), ("Jam", 900))
    ]
    assert column_alignment(lines)[1] <= 0.5
