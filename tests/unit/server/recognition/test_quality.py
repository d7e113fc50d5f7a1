# SPDX-License-Identifier: Apache-2.0
"""The numbers that tell a well read document from a badly read one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from airflow_provider_ocr.server.document import Block, BlockType, Box, Line, Page
from airflow_provider_ocr.server.recognition.quality import Quality


def test_pages_and_words_are_counted(make_line: Callable[..., Line], make_page: Callable[..., Page]) -> None:
    quality = Quality()
    quality.add(make_page([make_line(("sure", 0), confidence=90)], rotation=90))
    quality.add(make_page([make_line(("doubtful", 0), confidence=40)], number=2))
    quality.add(make_page(number=3))
    quality.add(replace(make_page(Block(BlockType.PICTURE, Box(0, 0, 9, 9)), number=4), failed=True))
    assert quality.counts() == {
        "pages": 4,
        "failed_pages": 1,
        "blank_pages": 1,
        "rotated_pages": 1,
        "words": 2,
        "low_words": 1,
        "word_confidence": 65.0,
    }


def test_without_words_there_is_no_confidence(make_page: Callable[..., Page]) -> None:
    quality = Quality()
    quality.add(make_page())
    assert quality.counts()["word_confidence"] is None
