# SPDX-License-Identifier: Apache-2.0
"""Lines that stand at the same height become one row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_ocr.server.document import Line
from airflow_provider_ocr.server.rows import rows


@pytest.mark.parametrize(("drop", "count"), [(0, 1), (8, 1), (14, 1), (16, 2), (60, 2)])
def test_lines_share_a_row_up_to_half_their_height(
    make_line: Callable[..., Line], drop: int, count: int
) -> None:
    assert len(rows([make_line(("left", 0)), make_line(("right", 500), top=100 + drop)])) == count


def test_rows_run_down_the_page(make_line: Callable[..., Line]) -> None:
    lines = [make_line((name, 0), top=top) for name, top in (("c", 300), ("a", 100), ("b", 200))]
    assert [row[0].words[0].text for row in rows(lines)] == ["a", "b", "c"]


def test_lines_that_cover_each_other_do_not_share_a_row(make_line: Callable[..., Line]) -> None:
    assert len(rows([make_line(("word", 0)), make_line(("word", 40), top=105)])) == 2
