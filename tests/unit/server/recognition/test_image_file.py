# SPDX-License-Identifier: Apache-2.0
"""Image files to pages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition import image_file, page_image
from airflow_provider_ocr.server.recognition.errors import PageError, RecognitionError
from airflow_provider_ocr.server.recognition.image_file import ImageFile
from airflow_provider_ocr.server.recognition.page_image import PageImage

RED_CORNER = Image.new("RGB", (300, 200), "white")
RED_CORNER.paste((200, 0, 0), (0, 0, 60, 40))
BLACK_CORNER = RED_CORNER.convert("L").point(lambda level: 0 if level < 128 else 255)


def only_page(path: Path) -> PageImage:
    (page,) = all_pages(path)
    return page


def all_pages(path: Path) -> list[PageImage]:
    with closing(ImageFile(path)) as opened:
        return [opened.page(number + 1) for number in range(opened.pages)]


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
def test_every_type_is_read(tmp_path: Path, name: str, image: Image.Image, mode: str) -> None:
    image.save(tmp_path / name)
    page = only_page(tmp_path / name)
    assert (page.number, page.image.mode, page.image.size) == (1, mode, (300, 200))
    assert page.image.convert("L").getpixel((20, 20)) == pytest.approx(60, abs=62)
    assert page.image.convert("L").getpixel((200, 150)) == pytest.approx(255, abs=2)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert only_page(tmp_path / "a.png").image.convert("L").getextrema() == (255, 255)


def test_each_frame_of_a_tiff_is_a_page_and_a_film_is_one(tmp_path: Path) -> None:
    frames = [Image.new("1", (100 + n, 50), 1) for n in range(3)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:], compression="group4")
    RED_CORNER.save(tmp_path / "a.gif", save_all=True, append_images=[BLACK_CORNER])
    pages = all_pages(tmp_path / "a.tif")
    assert [(page.number, page.image.width) for page in pages] == [
        (1, 100),
        (2, 101),
        (3, 102),
    ]
    assert only_page(tmp_path / "a.gif").number == 1


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    RED_CORNER.transpose(turn[orientation]).save(tmp_path / "a.jpg", exif=exif)
    page = only_page(tmp_path / "a.jpg")
    assert page.image.size == (page.original_width, page.original_height) == (300, 200)
    assert page.image.convert("L").crop((10, 10, 30, 30)).getextrema()[1] < 100  # type: ignore[operator]  # one band


def test_a_large_page_is_shrunk_and_knows_the_way_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_image, "WORKING_PIXELS", 15_000)
    RED_CORNER.save(tmp_path / "a.png", dpi=(200, 200))
    page = only_page(tmp_path / "a.png")
    assert page.image.size == (150, 100)
    assert (page.original_width, page.original_height) == (300, 200)
    assert (page.original_dpi, page.dpi) == pytest.approx((200, 100), abs=0.1)
    assert page.to_original.point(150, 100) == (300, 200)


def test_a_page_is_measured_without_being_decoded(tmp_path: Path) -> None:
    RED_CORNER.save(tmp_path / "a.png", dpi=(100, 100))
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[:-100])
    with closing(ImageFile(tmp_path / "a.png")) as opened:
        assert opened.inches(1) == pytest.approx((3.0, 2.0), abs=0.01)
        with pytest.raises(PageError, match="Page 1 is damaged"):
            opened.page(1)


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
    ],
)
def test_a_file_that_is_cut_off_is_called_damaged(
    tmp_path: Path, kind: str, options: dict[str, Any], share: float, message: str
) -> None:
    NOISE.save(tmp_path / "image", format=kind, **options)
    whole = (tmp_path / "image").read_bytes()
    (tmp_path / "image").write_bytes(whole[: max(12, round(len(whole) * share))])
    with pytest.raises(RecognitionError) as failed:
        all_pages(tmp_path / "image")
    assert str(failed.value) == message


@pytest.mark.parametrize("options", [{}, {"progressive": True, "optimize": True}])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_may_be_as_small_as_a_blank_page_is(
    tmp_path: Path, options: dict[str, Any], mode: str
) -> None:
    Image.new(mode, (4960, 7016), "white").save(tmp_path / "a.jpg", quality=1, **options)
    assert only_page(tmp_path / "a.jpg").image.convert("L").getextrema() == (255, 255)


def claiming(content: bytes, width: int, height: int) -> bytes:
    """A JPEG file that says it is of another size."""
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + content[place + 4 :]


def test_a_jpeg_too_short_for_its_pixels_is_damaged(tmp_path: Path) -> None:
    NOISE.save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes(claiming((tmp_path / "a.jpg").read_bytes(), 9000, 9000))
    with closing(ImageFile(tmp_path / "a.jpg")) as opened, pytest.raises(PageError, match="is damaged"):
        opened.inches(1)


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    Image.new("1", (13_000, 13_000), 1).save(tmp_path / "a.tif", compression="group4")
    with closing(ImageFile(tmp_path / "a.tif")) as opened:
        for reading in (opened.inches, opened.page):
            with pytest.raises(PageError, match="Page 1 has more than 150 million pixels"):
                reading(1)


def test_pages_are_counted_no_further_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_file, "MAX_PAGES", 2)
    frames = [Image.new("1", (20, 20), 1)] * 5
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with closing(ImageFile(tmp_path / "a.tif")) as opened:
        assert opened.pages == 3
