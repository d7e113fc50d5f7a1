# SPDX-License-Identifier: Apache-2.0
"""Files of all kinds as one document, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition import input as reading
from airflow_provider_ocr.server.recognition.errors import (
    PageError,
    PasswordError,
    RecognitionError,
    UnsupportedError,
)
from airflow_provider_ocr.server.recognition.image_file import ImageFile
from airflow_provider_ocr.server.recognition.input import Document, open_file
from airflow_provider_ocr.server.recognition.pdf_file import PdfFile

RED_CORNER = Image.new("RGB", (300, 200), "white")
RED_CORNER.paste((200, 0, 0), (0, 0, 60, 40))


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A TIFF of two pages, an image, a PDF of two pages, and the TIFF again."""
    frames = [Image.new("1", (100 + n, 50), 1) for n in range(2)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    RED_CORNER.save(tmp_path / "b.png")
    with pikepdf.new() as pdf:
        for width in (72, 36):
            pdf.add_blank_page(page_size=(width, 72))
        pdf.save(tmp_path / "c.pdf")
    return [tmp_path / name for name in ("a.tif", "b.png", "c.pdf", "a.tif")]


def test_several_files_are_one_document_whose_pages_are_numbered_through(files: list[Path]) -> None:
    with Document(files) as document:
        assert document.pages == 7
        pages = [document.page(number) for number in range(1, 8)]
    assert [page.number for page in pages] == [1, 2, 3, 4, 5, 6, 7]
    assert [page.image.width for page in pages] == [100, 101, 300, 300, 150, 100, 101]


def test_pages_can_be_had_in_any_order(files: list[Path]) -> None:
    with Document(files) as document:
        assert [document.page(number).image.width for number in (7, 2, 5, 1, 5)] == [101, 101, 150, 100, 150]


@pytest.mark.parametrize("number", [0, 8])
def test_a_document_has_no_other_pages(files: list[Path], number: int) -> None:
    with Document(files) as document, pytest.raises(IndexError):
        document.page(number)


def test_one_file_is_open_at_a_time_and_none_afterwards(files: list[Path]) -> None:
    before = open_files()
    with Document(files * 3) as document:
        for number in range(1, 22):
            document.page(number)
        assert len(open_files()) <= len(before) + 1
    assert open_files() == before


def open_files() -> list[str]:
    return sorted(str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("content", [b"", b"no image", b"%PDF-1.4 no document", b"II*\0\xff\xff\xff\xff"])
def test_of_several_files_the_bad_one_is_named_before_any_is_read(files: list[Path], content: bytes) -> None:
    files[1].write_bytes(content)
    before = open_files()
    with pytest.raises(RecognitionError, match=r"^Image 2: "):
        Document(files)
    assert open_files() == before


def test_a_damaged_page_of_several_files_is_named_with_its_file(files: list[Path]) -> None:
    RED_CORNER.resize((600, 400)).save(files[1], "JPEG")
    files[1].write_bytes(files[1].read_bytes()[:1500])
    with Document(files) as document:
        assert document.page(1).number == 1
        with pytest.raises(PageError, match="Image 2: Page 1 is damaged") as failed:
            document.page(3)
        assert failed.value.number == 3
        assert document.page(4).number == 4


def test_the_pages_of_several_files_have_one_limit(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_PAGES", 6)
    with pytest.raises(RecognitionError, match="has more than 6 pages"):
        Document(files)


@pytest.mark.parametrize(
    ("password", "opens"), [("owner", True), ("user", True), ("", False), ("other", False)]
)
def test_a_password_opens_those_that_need_one(files: list[Path], password: str, opens: bool) -> None:
    with pikepdf.open(files[2], allow_overwriting_input=True) as pdf:
        pdf.save(files[2], encryption=pikepdf.Encryption(user="user", owner="owner"))
    if opens:
        with Document(files, password=password) as document:
            assert document.page(4).image.width == 300
    else:
        with pytest.raises(PasswordError, match=r"^Image 3: The .*PDF file"):
            Document(files, password=password)


@pytest.mark.parametrize(("place", "kind"), [(0, ImageFile), (1, ImageFile), (2, PdfFile)])
def test_the_type_is_found_by_content(files: list[Path], place: int, kind: type) -> None:
    opened = open_file(files[place].rename(files[place].with_name("image")))
    assert isinstance(opened, kind)
    opened.close()


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", RecognitionError, "The file is empty."),
        (b"not an image" * 99, UnsupportedError, "not an image that can be read. JPEG"),
        (b"<!doctype html><html>", UnsupportedError, "looks like a web page"),
        (b"GIF89a %PDF-1.4", UnsupportedError, "made to be read as GIF and PDF at once"),
        (b"<html>%PDF-1.4", UnsupportedError, "made to be read as PDF and web page at once"),
    ],
)
def test_what_cannot_be_read_is_explained(
    tmp_path: Path, content: bytes, error: type[RecognitionError], message: str
) -> None:
    (tmp_path / "image").write_bytes(content)
    with pytest.raises(error, match=message) as failed:
        open_file(tmp_path / "image")
    assert type(failed.value) is error
