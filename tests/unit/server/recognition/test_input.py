# SPDX-License-Identifier: Apache-2.0
"""Files of all kinds to page images, and files that are none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition import input as reading
from airflow_provider_ocr.server.recognition.errors import RecognitionError
from airflow_provider_ocr.server.recognition.input import (
    PageImage,
    believable_dpi,
    read_document,
    read_pages,
)

RED_CORNER = Image.new("RGB", (300, 200), "white")
RED_CORNER.paste((200, 0, 0), (0, 0, 60, 40))
BLACK_CORNER = RED_CORNER.convert("L").point(lambda level: 0 if level < 128 else 255)


def only_page(path: Path) -> PageImage:
    (page,) = read_pages(path)
    return page


@pytest.mark.parametrize(
    ("name", "image", "mode"),
    [
        ("a.png", RED_CORNER, "RGB"),
        ("a.jpg", RED_CORNER, "RGB"),
        ("cmyk.jpg", RED_CORNER.convert("CMYK"), "RGB"),
        ("a.bmp", RED_CORNER, "RGB"),
        ("a.gif", RED_CORNER.convert("P"), "RGB"),
        ("a.tif", RED_CORNER, "RGB"),
        ("grey.png", RED_CORNER.convert("L"), "L"),
        ("idle-colours.png", RED_CORNER.convert("L").convert("RGB"), "L"),
        ("bilevel.png", BLACK_CORNER.convert("1"), "1"),
        ("two-greys.png", BLACK_CORNER, "1"),
        ("sixteen.png", Image.fromarray(np.asarray(BLACK_CORNER).astype(np.uint16) * 257), "1"),
    ],
)
def test_the_type_is_found_by_content(tmp_path: Path, name: str, image: Image.Image, mode: str) -> None:
    image.save(tmp_path / name)
    (tmp_path / name).rename(tmp_path / "image")
    page = only_page(tmp_path / "image")
    assert (page.number, page.pages, page.image.mode, page.image.size) == (1, 1, mode, (300, 200))
    assert page.image.convert("L").getpixel((20, 20)) == pytest.approx(60, abs=62)
    assert page.image.convert("L").getpixel((200, 150)) == pytest.approx(255, abs=2)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert only_page(tmp_path / "a.png").image.convert("L").getextrema() == (255, 255)


def test_several_files_are_one_document_whose_pages_are_numbered_through(tmp_path: Path) -> None:
    frames = [Image.new("1", (100 + n, 50), 1) for n in range(2)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    RED_CORNER.save(tmp_path / "b.png")
    with pikepdf.new() as pdf:
        for _ in range(2):
            pdf.add_blank_page(page_size=(72, 72))
        pdf.save(tmp_path / "c.pdf")
    files = [tmp_path / name for name in ("a.tif", "b.png", "c.pdf", "a.tif")]
    pages = list(read_document(files))
    assert [page.number for page in pages] == [1, 2, 3, 4, 5, 6, 7]
    assert {page.pages for page in pages} == {7}
    assert [page.image.width for page in pages] == [100, 101, 300, 300, 300, 100, 101]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("content", [b"", b"no image", b"%PDF-1.4 no document", b"II*\0\xff\xff\xff\xff"])
def test_of_several_files_the_bad_one_is_named_before_any_is_read(tmp_path: Path, content: bytes) -> None:
    RED_CORNER.save(tmp_path / "a.png")
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(RecognitionError, match=r"^Image 2: "):
        next(read_document([tmp_path / "a.png", tmp_path / "b"]))


def test_a_damaged_page_of_several_files_is_named_with_its_file(tmp_path: Path) -> None:
    RED_CORNER.resize((600, 400)).save(tmp_path / "a.jpg")
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    pages = read_document([tmp_path / "a.jpg", tmp_path / "cut.jpg"])
    assert next(pages).number == 1
    with pytest.raises(RecognitionError, match="Image 2: Page 1 is damaged"):
        next(pages)


def test_the_pages_of_several_files_have_one_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_PAGES", 2)
    RED_CORNER.save(tmp_path / "a.png")
    with pytest.raises(RecognitionError, match="has 3 pages; at most 2 are read"):
        next(read_document([tmp_path / "a.png"] * 3))


def test_each_frame_of_a_tiff_is_a_page_and_a_film_is_one(tmp_path: Path) -> None:
    frames = [Image.new("1", (100 + n, 50), 1) for n in range(3)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:], compression="group4")
    RED_CORNER.save(tmp_path / "a.gif", save_all=True, append_images=[BLACK_CORNER])
    pages = list(read_pages(tmp_path / "a.tif"))
    assert [(page.number, page.pages, page.image.width) for page in pages] == [
        (1, 3, 100),
        (2, 3, 101),
        (3, 3, 102),
    ]
    assert only_page(tmp_path / "a.gif").pages == 1


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    RED_CORNER.transpose(turn[orientation]).save(tmp_path / "a.jpg", exif=exif)
    page = only_page(tmp_path / "a.jpg")
    assert page.image.size == (page.original_width, page.original_height) == (300, 200)
    assert page.image.convert("L").crop((10, 10, 30, 30)).getextrema()[1] < 100  # type: ignore[operator]  # one band


def test_a_pdf_page_is_rendered_at_300_dpi(tmp_path: Path) -> None:
    RED_CORNER.save(tmp_path / "a.pdf", resolution=150, save_all=True, append_images=[BLACK_CORNER])
    pages = list(read_pages(tmp_path / "a.pdf"))
    assert [page.image.size for page in pages] == [(600, 400), (600, 400)]
    assert [page.original_dpi for page in pages] == [300, 300]
    assert pages[0].image.mode == "RGB"


def test_a_large_page_is_shrunk_and_knows_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WORKING_PIXELS", 15_000)
    RED_CORNER.save(tmp_path / "a.png", dpi=(200, 200))
    page = only_page(tmp_path / "a.png")
    assert page.image.size == (150, 100)
    assert (page.original_width, page.original_height) == (300, 200)
    assert (page.original_dpi, page.dpi) == pytest.approx((200, 100), abs=0.1)
    assert page.to_original.point(150, 100) == (300, 200)


@pytest.mark.parametrize(
    ("declared", "size", "expected"),
    [
        (300.0, (2480, 3508), 300.0),
        (None, (2480, 3508), 300.0),
        (0.0, (2480, 3508), 300.0),
        (1.0, (1240, 1754), 150.0),
        (72.0, (4000, 3000), 342.2),
        (72.0, (595, 842), 72.0),
        (None, (100, 100), 50.0),
    ],
)
def test_a_resolution_is_believed_unless_absurd(
    declared: float | None, size: tuple[int, int], expected: float
) -> None:
    assert believable_dpi(declared, width=size[0], height=size[1]) == pytest.approx(expected, abs=0.2)


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))


@pytest.mark.parametrize(
    ("kind", "options", "share", "message"),
    [
        ("PNG", {}, 0.5, "Page 1 is damaged and cannot be read."),
        ("PNG", {}, 0.0001, "Page 1 is damaged and cannot be read."),
        ("JPEG", {}, 0.5, "Page 1 is damaged and cannot be read."),
        ("GIF", {}, 0.5, "Page 1 is damaged and cannot be read."),
        ("BMP", {}, 0.5, "Page 1 is damaged and cannot be read."),
        ("TIFF", {}, 0.5, "Page 1 is damaged and cannot be read."),
        ("TIFF", {"save_all": True, "append_images": [NOISE]}, 0.5, "Page 2 is damaged and cannot be read."),
        (
            "TIFF",
            {"compression": "tiff_lzw", "save_all": True, "append_images": [NOISE]},
            0.75,
            "Page 2 is damaged and cannot be read.",
        ),
        ("TIFF", {"compression": "tiff_lzw"}, 0.5, "Page 1 is damaged and cannot be read."),
        ("PDF", {}, 0.5, "The PDF file is damaged and cannot be opened."),
    ],
)
def test_a_file_that_is_cut_off_is_called_damaged(
    tmp_path: Path, kind: str, options: dict[str, Any], share: float, message: str
) -> None:
    NOISE.save(tmp_path / "image", format=kind, **options)
    whole = (tmp_path / "image").read_bytes()
    (tmp_path / "image").write_bytes(whole[: max(12, round(len(whole) * share))])
    with pytest.raises(RecognitionError) as failed:
        list(read_pages(tmp_path / "image"))
    assert str(failed.value) == message


def without_pages(path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.save(path)


def protected(path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(path, encryption=pikepdf.Encryption(user="u", owner="o"))


def enormous_pdf(path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(14400, 14400))
        pdf.save(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b""), "The file is empty"),
        (lambda path: path.write_bytes(b"not an image" * 99), "not an image that can be read. JPEG"),
        (lambda path: path.write_bytes(b"<!doctype html><html>"), "looks like a web page"),
        (lambda path: path.write_bytes(b"%PDF-1.7 garbage"), "PDF file is damaged"),
        (without_pages, "The PDF file is damaged and cannot be opened|The document has no pages"),
        (protected, "protected by a password"),
        (enormous_pdf, "Page 1 measures 200 x 200 inches"),
        (
            lambda path: Image.new("1", (13_000, 13_000), 1).save(path, "TIFF", compression="group4"),
            "Page 1 has more than 150 million pixels",
        ),
    ],
)
def test_what_cannot_be_read_is_explained(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    make(tmp_path / "image")
    with pytest.raises(RecognitionError, match=message):
        list(read_pages(tmp_path / "image"))


def test_too_many_pages_are_refused_before_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_PAGES", 2)
    frames = [Image.new("1", (20, 20), 1)] * 3
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(RecognitionError, match="has 3 pages; at most 2"):
        next(read_pages(tmp_path / "a.tif"))
