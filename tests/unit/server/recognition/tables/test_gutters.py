# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_ocr.server.document import Line
from airflow_provider_ocr.server.recognition.tables.gutters import (
    Column,
    Gutters,
    covered,
    find_gutters,
    in_order,
    touched,
)
from airflow_provider_ocr.server.recognition.tables.set_rows import SetRow, runs, set_rows

MakeLine = Callable[..., Line]
COLUMNS = [Column(0, 100), Column(200, 300), Column(400, 500)]


@pytest.fixture
def rows(make_line: MakeLine) -> Callable[..., list[SetRow]]:
    """Rows of words, each as (text, left edge), 50 pixels apart."""

    def made(*texts: list[tuple[str, int]]) -> list[SetRow]:
        return set_rows([make_line(*words, top=50 * row) for row, words in enumerate(texts)], dpi=300)

    return made


def test_a_row_is_cut_where_no_space_between_words_is_so_wide(rows: Callable[..., list[SetRow]]) -> None:
    (row,) = rows([("Green", 0), ("tea", 110), ("3.20", 300)])
    assert [[word.text for word in part.words] for part in row.parts] == [["Green", "tea"], ["3.20"]]


def test_rows_far_from_each_other_are_no_run(rows: Callable[..., list[SetRow]]) -> None:
    words = [("Tea", 0), ("3.20", 300)]
    found = rows(words, words, words)
    assert [len(run) for run in runs(found)] == [3]
    assert [len(run) for run in runs([*found[:2], *rows(*[[("x", 0)]] * 9, words)[-1:]])] == [2]


def test_columns_are_what_gutters_leave(rows: Callable[..., list[SetRow]]) -> None:
    found = find_gutters(
        rows([("Tea", 0), ("3.20", 300)], [("Coffee", 0), ("14.80", 280)], [("Jam", 10), ("1.95", 300)])
    )
    assert found == Gutters(first=0, end=3, columns=(Column(0, 120), Column(280, 380)))


def test_two_rows_have_no_gutters(rows: Callable[..., list[SetRow]]) -> None:
    assert find_gutters(rows([("Tea", 0), ("3.20", 300)], [("Coffee", 0), ("14.80", 280)])) is None


@pytest.mark.parametrize(
    ("text", "left", "in_columns", "over_columns"),
    [
        pytest.param("Honey", 0, [0], [0], id="in one column"),
        pytest.param("Marmalade", 0, [0], [0, 1], id="over a gutter, up to the next column"),
        pytest.param("Marmalades and jam", 60, [0, 1, 2], [0, 1, 2], id="in three"),
        pytest.param("x", 160, [1], [1], id="between two"),
    ],
)
def test_what_covers_columns_reaches_into_them_or_over_their_gutter(
    make_line: MakeLine, text: str, left: int, in_columns: list[int], over_columns: list[int]
) -> None:
    part = make_line((text, left))
    assert list(touched(part, COLUMNS, em=30)) == in_columns
    assert list(covered(part, COLUMNS, em=30)) == over_columns


def test_parts_take_the_nearest_columns_in_their_order(make_line: MakeLine) -> None:
    assert in_order([make_line(("a", 110)), make_line(("b", 130))], COLUMNS) == [0, 1]
    assert in_order([make_line(("a", 310)), make_line(("b", 450))], COLUMNS) == [1, 2]
