# SPDX-License-Identifier: Apache-2.0
"""Marks of letter size, counted without reading."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from airflow_provider_ocr.server.document import Box
from airflow_provider_ocr.server.recognition import ink as module
from airflow_provider_ocr.server.recognition.ink import ink_mask, large_marks, letter_marks, searchable


@pytest.mark.parametrize("level", [0, 128, 250])
def test_bare_paper_has_no_ink_whatever_its_shade(level: int) -> None:
    page = np.full((300, 400), level, np.uint8)
    page += np.random.default_rng(0).integers(0, 6, page.shape, np.uint8)
    assert not ink_mask(page).any()


def test_letters_are_counted_and_found(draw: Callable[..., Any]) -> None:
    drawing = draw(("HELLO WORLD",))
    marks = letter_marks(np.asarray(drawing.image))
    box = drawing.box_of("HELLO")
    assert len(marks) == 10
    assert marks[:, 1] == pytest.approx(np.full(10, box.bottom), abs=4)


def test_dust_and_pictures_are_no_letters() -> None:
    page = np.full((1000, 1000), 255, np.uint8)
    page[100:102, 100:102] = page[300:302, 700:702] = 0
    page[400:800, 200:900] = 0
    assert len(letter_marks(page)) == 0


@pytest.mark.parametrize(
    ("mark", "is_large"),
    [
        pytest.param(Box(300, 200, 340, 500), True, id="tall"),
        pytest.param(Box(300, 200, 600, 230), True, id="wide"),
        pytest.param(Box(300, 200, 340, 230), False, id="as large as a letter"),
        pytest.param(Box(300, 0, 340, 300), False, id="at the edge"),
    ],
)
def test_large_marks_are_larger_than_letters_and_apart_from_the_edge(mark: Box, is_large: bool) -> None:
    page = np.full((1000, 1000), 255, np.uint8)
    page[mark.top : mark.bottom, mark.left : mark.right] = 0
    assert large_marks(page) == (mark if is_large else None)


@pytest.mark.parametrize(("most", "divisor"), [(35, 1), (34, 2), (8, 2), (5, 4)])
def test_ink_is_halved_until_it_is_small_and_none_is_lost(
    most: int, divisor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_SEARCHED", most)
    for row in range(4):
        for column in range(4):
            ink = np.zeros((5, 7), np.uint8)
            ink[row, column] = 255
            small, divided = searchable(ink)
            assert divided == divisor
            assert np.argwhere(small).tolist() == [[row // divisor, column // divisor]]
            assert small.max() == 1
