# SPDX-License-Identifier: Apache-2.0
"""Whatever recognition can open passes, and what it never can does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.file_types import (
    TYPES,
    is_known_type,
    known_types,
    looks_like_a_web_page,
)
from tests.unit.server import image_kinds
from tests.unit.server.image_kinds import written


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "TIFF", "BMP", "GIF", "PDF", "JPEG2000", "PCX", "WEBP", "DCX"]
)
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_every_type_that_is_read_is_known(kind: str, mode: str, tmp_path: Path) -> None:
    image = Image.new(mode, (20, 10))
    plain = image.convert("L") if mode == "1" and kind in ("JPEG", "JPEG2000") else image
    (tmp_path / "a").write_bytes(image_kinds.dcx(image) if kind == "DCX" else written(plain, kind))
    assert is_known_type(tmp_path / "a")
    (known,) = known_types((tmp_path / "a").read_bytes())
    assert known in TYPES


def test_a_bare_jpeg_2000_codestream_is_known() -> None:
    assert known_types(written(Image.new("L", (20, 10)), "JPEG2000", no_jp2=True)) == ["JPEG 2000"]


def test_a_pdf_may_have_other_bytes_before_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\n" * 1000 + b"%PDF-1.4")
    assert is_known_type(tmp_path / "a")


@pytest.mark.parametrize(
    "content", [b"", b"B", b"<html>BM", b"PK\x03\x04", b"RIFF\0\0\0\0WAVE", b"\n\5\1\3", b"\xff\xd8"]
)
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
