# SPDX-License-Identifier: Apache-2.0
"""Text that layout analysis overlooked is found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from airflow_provider_ocr.server.document import Block, BlockType, Box, Line, Paragraph
from airflow_provider_ocr.server.recognition.unread import unread_regions


@pytest.fixture
def read(make_line: Callable[..., Line]) -> Block:
    line = make_line(("word", 100))
    return Block(BlockType.TEXT, line.box, (Paragraph((line,)),))


def page_with(*boxes: Box) -> Any:
    page = np.full((600, 900), 255, np.uint8)
    for box in boxes:
        page[box.top : box.bottom, box.left : box.right] = 0
    return page


def test_letters_far_from_any_word_are_one_region(read: Block) -> None:
    page = page_with(Box(100, 100, 180, 130), Box(600, 100, 615, 130), Box(620, 100, 635, 130))
    assert unread_regions(page, [read]) == [Box(591, 91, 644, 139)]


@pytest.mark.parametrize(
    "box",
    [
        Box(190, 100, 205, 130),
        Box(600, 100, 604, 104),
        Box(600, 100, 800, 400),
    ],
    ids=["part of a word", "dust", "picture"],
)
def test_what_is_no_line_of_its_own_is_no_region(read: Block, box: Box) -> None:
    assert unread_regions(page_with(Box(100, 100, 180, 130), box), [read]) == []


def test_marks_within_a_picture_are_no_text(read: Block) -> None:
    picture = Block(BlockType.PICTURE, Box(550, 50, 700, 200))
    assert unread_regions(page_with(Box(600, 100, 615, 130)), [read, picture]) == []


def test_without_a_word_nothing_can_be_told() -> None:
    assert unread_regions(page_with(Box(600, 100, 615, 130)), []) == []


def test_on_a_large_page_the_same_is_found(read: Block) -> None:
    page = np.full((5000, 4101), 255, np.uint8)
    page[:600, :900] = page_with(
        Box(100, 100, 180, 130), Box(600, 100, 615, 130), Box(620, 100, 635, 130), Box(700, 400, 703, 403)
    )
    (found,) = unread_regions(page, [read])
    assert found == pytest.approx(Box(591, 91, 644, 139), abs=2)
