# SPDX-License-Identifier: Apache-2.0
"""An image within a file."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_ocr.server.stored_image import ImageCoding, StoredImage


def stored(path: Path) -> StoredImage:
    return StoredImage(path=path, offset=3, length=4, coding=ImageCoding.JPEG, width=9, height=5)


def test_only_the_bytes_of_the_image_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"...JPEG...")
    assert stored(tmp_path / "a").read() == b"JPEG"


def test_turns_add_up_to_less_than_a_full_one() -> None:
    assert [stored(Path()).turned(turn).turned(180).clockwise for turn in (0, 90, 180, 270)] == [
        180,
        270,
        0,
        90,
    ]
