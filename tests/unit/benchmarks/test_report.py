# SPDX-License-Identifier: Apache-2.0
"""Figures are told as they are, and put where they belong and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report import Row, markdown_table, percentile, write_between_markers

PAGE = "# Figures\n\n<!-- a: begin -->\nold\n<!-- a: end -->\n\n<!-- b: begin -->\nkept\n<!-- b: end -->\n"


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7.0], 99, 7.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        (range(1, 101), 99, 99),
        (range(1, 101), 100, 100),
        (range(1, 1001), 99, 990),
        ([*[1.0] * 98, 9.0, 9.0], 99, 9.0),
    ],
)
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(
    values: list[float], percent: float, expected: float
) -> None:
    assert percentile(values, percent) == expected


def test_the_table_shows_what_was_missed() -> None:
    rows = [
        Row(what="a", measured="1 ms", target="<= 2 ms", met=True),
        Row(what="bee", measured="3 ms", target="<= 2 ms", met=False),
    ]
    assert markdown_table(rows).splitlines() == [
        "| what | measured | target  | verdict |",
        "| ---- | -------- | ------- | ------- |",
        "| a    | 1 ms     | <= 2 ms | met     |",
        "| bee  | 3 ms     | <= 2 ms | MISSED  |",
    ]


def test_figures_replace_what_stood_between_their_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    for _ in range(2):
        write_between_markers(page, "a", "new\n")
    assert page.read_text(encoding="utf-8") == PAGE.replace("\nold\n", "\n\nnew\n\n")


@pytest.mark.parametrize("missing", ["<!-- a: begin -->", "<!-- a: end -->"])
def test_a_page_without_a_place_for_them_is_left_as_it_is(tmp_path: Path, missing: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace(missing, ""), encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md has no place for these figures"):
        write_between_markers(page, "a", "new")
    assert page.read_text(encoding="utf-8") == PAGE.replace(missing, "")
