# SPDX-License-Identifier: Apache-2.0
"""Words are put into the order in which they stand, whichever way they are read."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.server.export.visual_order import leftward, visual_order


@pytest.mark.parametrize(
    ("read", "stands"),
    [
        ("harbour", "harbour"),
        ("12,5%", "12,5%"),
        ("שלום", "םולש"),
        ("مرحبا", "ابحرم"),
        ("ב2026", "2026ב"),
        ("ה-PDF", "PDF-ה"),
        ("", ""),
    ],
)
def test_characters_stand_from_left_to_right(read: str, stands: str) -> None:
    assert visual_order(tuple(read)) == tuple(stands)


def test_what_is_written_as_one_character_stays_whole() -> None:
    assert visual_order(("שׁ", "ל")) == ("ל", "שׁ")


def test_only_hebrew_arabic_and_their_like_are_read_to_the_left() -> None:
    assert leftward("aא")
    assert not leftward("Ελλάδα 東京 12 ไทย")
