# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from benchmarks.table_score import Cells, Score, placed, score, tables_of_sheet, total

DRAWN: Cells = {(0, 0, 1, 2): "Price", (1, 0, 1, 1): "Tea", (1, 1, 1, 1): "3.20"}


@pytest.mark.parametrize(
    ("tables", "exact", "found", "wrong_digits"),
    [
        pytest.param([DRAWN], 3, 3, 0, id="the same"),
        pytest.param([], 0, 0, 3, id="none"),
        pytest.param([{**DRAWN, (1, 1, 1, 1): "3.80"}], 2, 3, 1, id="a wrong digit"),
        pytest.param([{**DRAWN, (1, 1, 1, 1): "3.2"}], 2, 3, 1, id="a digit too few"),
        pytest.param([{**DRAWN, (1, 1, 1, 1): "3,20"}], 2, 3, 0, id="another sign"),
        pytest.param([DRAWN, {(0, 0, 1, 1): "Tea"}], 3, 4, 0, id="a table too many"),
        pytest.param(
            [{(0, 0, 1, 1): "Price", (1, 0, 1, 1): "Tea", (1, 1, 1, 1): "3.20"}], 2, 3, 0, id="no span"
        ),
    ],
)
def test_a_cell_is_exact_if_its_place_its_span_and_its_text_are(
    tables: list[Cells], exact: int, found: int, wrong_digits: int
) -> None:
    expected = Score(expected=3, found=found, exact=exact, digits=3, wrong_digits=wrong_digits)
    assert score(DRAWN, tables) == expected


def test_scores_add_up() -> None:
    both = total([score(DRAWN, [DRAWN]), score(DRAWN, [])])
    assert (both.precision, both.recall, both.wrong_digit_share) == (1.0, 0.5, 0.5)
    assert both.f1 == pytest.approx(2 / 3)


def test_cells_that_others_cover_take_no_place() -> None:
    grid = [[("a", 1, 2), ("b", 2, 1)], [("c", 1, 1), ("d", 1, 1)]]
    assert placed(grid) == {(0, 0, 2, 1): "a", (0, 1, 1, 2): "b", (1, 1, 1, 1): "c", (1, 2, 1, 1): "d"}


def test_on_a_sheet_tables_stand_between_empty_rows() -> None:
    def row(*texts: str) -> list[tuple[str, int, int]]:
        return [(text, 1, 1) for text in texts]

    sheet = [
        row("Text in a row", ""),
        row("", ""),
        row("Tea", "3.20"),
        row("", "7"),
        row("", ""),
        row("End", ""),
    ]
    assert tables_of_sheet(sheet) == [
        {(0, 0, 1, 1): "Tea", (0, 1, 1, 1): "3.20", (1, 0, 1, 1): "", (1, 1, 1, 1): "7"}
    ]
