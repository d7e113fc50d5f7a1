# SPDX-License-Identifier: Apache-2.0
"""Whatever recognition can open passes, and what it never can does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.file_types import (
    is_known_type,
    known_types,
    looks_like_a_web_page,
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "GIF", "PDF"])
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_every_type_that_is_read_is_known(kind: str, mode: str, tmp_path: Path) -> None:
    image = Image.new(mode, (20, 10))
    (image.convert("L") if (kind, mode) == ("JPEG", "1") else image).save(tmp_path / "a", kind)
    assert is_known_type(tmp_path / "a")


def test_a_pdf_may_have_other_bytes_before_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\n" * 1000 + b"%PDF-1.4")
    assert is_known_type(tmp_path / "a")


@pytest.mark.parametrize("content", [b"", b"B", b"<html>BM", b"PK\x03\x04", b"RIFF\0\0\0\0WEBP", b"\xff\xd8"])
def test_other_files_are_not(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(content)
    assert not is_known_type(tmp_path / "a")


def test_a_file_may_claim_to_be_of_two_types() -> None:
    assert known_types(b"GIF89a%PDF-1.4") == ["GIF", "PDF"]
    assert known_types(b"GIF89a") == ["GIF"]


@pytest.mark.parametrize("start", [b"<html>", b"\xef\xbb\xbf\r\n  <!doctype html>", b"<?xml"])
def test_a_web_page_is_known_by_its_first_character(start: bytes) -> None:
    assert looks_like_a_web_page(start)


@pytest.mark.parametrize("start", [b"", b"%PDF-1.4<html>", b"II*\0<"])
def test_other_files_are_no_web_pages(start: bytes) -> None:
    assert not looks_like_a_web_page(start)
