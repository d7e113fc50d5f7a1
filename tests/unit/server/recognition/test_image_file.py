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
from tests.unit.server import image_kinds
from tests.unit.server.image_kinds import written

RED_CORNER = Image.new("RGB", (300, 200), "white")
RED_CORNER.paste((200, 0, 0), (0, 0, 60, 40))
BLACK_CORNER = RED_CORNER.convert("L").point(lambda level: 0 if level < 128 else 255)


def only_page(path: Path) -> PageImage:
    (page,) = all_pages(path)
    return page


def all_pages(path: Path) -> list[PageImage]:
    with closing(ImageFile(path)) as opened:
        return [opened.page(number + 1) for number in range(opened.pages)]


GREY_CORNER = RED_CORNER.convert("L")
KINDS: dict[str, tuple[bytes, str]] = {
    "PNG": (written(RED_CORNER, "PNG"), "RGB"),
    "JPEG": (written(RED_CORNER, "JPEG"), "RGB"),
    "progressive JPEG": (written(RED_CORNER, "JPEG", progressive=True), "RGB"),
    "JPEG in the inks of print": (image_kinds.adobe_cmyk(RED_CORNER), "RGB"),
    "BMP": (written(RED_CORNER, "BMP"), "RGB"),
    "BMP of a palette": (written(RED_CORNER.convert("P"), "BMP"), "RGB"),
    "GIF": (written(RED_CORNER.convert("P"), "GIF"), "RGB"),
    "JPEG 2000": (written(RED_CORNER, "JPEG2000"), "RGB"),
    "JPEG 2000 that loses nothing, in tiles": (
        written(GREY_CORNER, "JPEG2000", irreversible=False, tile_size=(128, 128)),
        "L",
    ),
    "bare JPEG 2000": (written(RED_CORNER, "JPEG2000", no_jp2=True), "RGB"),
    "PCX": (written(RED_CORNER, "PCX"), "RGB"),
    "PCX of a palette": (written(RED_CORNER.convert("P"), "PCX"), "RGB"),
    "PCX of one bit": (written(BLACK_CORNER.convert("1"), "PCX"), "1"),
    "DCX": (image_kinds.dcx(RED_CORNER), "RGB"),
    "WebP": (written(RED_CORNER, "WEBP"), "RGB"),
    "WebP that loses nothing": (written(RED_CORNER, "WEBP", lossless=True), "RGB"),
    "TIFF": (written(RED_CORNER, "TIFF"), "RGB"),
    "TIFF of a palette": (written(RED_CORNER.convert("P"), "TIFF"), "RGB"),
    "TIFF by LZW": (written(RED_CORNER, "TIFF", compression="tiff_lzw"), "RGB"),
    "TIFF by Deflate": (written(RED_CORNER, "TIFF", compression="tiff_adobe_deflate"), "RGB"),
    "TIFF by PackBits": (written(RED_CORNER, "TIFF", compression="packbits"), "RGB"),
    "TIFF by JPEG": (written(RED_CORNER, "TIFF", compression="jpeg", quality=95), "RGB"),
    "TIFF by old-style JPEG": (image_kinds.old_style_jpeg(RED_CORNER), "RGB"),
    "TIFF by Zstandard": (written(RED_CORNER, "TIFF", compression="zstd"), "RGB"),
    "TIFF of 64-bit offsets": (written(RED_CORNER, "TIFF", big_tiff=True), "RGB"),
    "fax of group 3": (written(BLACK_CORNER.convert("1"), "TIFF", compression="group3"), "1"),
    "fax of group 4": (written(BLACK_CORNER.convert("1"), "TIFF", compression="group4"), "1"),
    "fax of which 0 is black": (image_kinds.inverted_g4(BLACK_CORNER), "1"),
    "TIFF of 16 bits": (image_kinds.sixteen_bits(GREY_CORNER), "L"),
    "TIFF of 16 bits, of which 0 is white": (image_kinds.sixteen_bits(GREY_CORNER, inverted=True), "L"),
    "TIFF of 16 bits, big end first": (image_kinds.sixteen_bits(GREY_CORNER, order=">"), "L"),
    "TIFF of three times 16 bits": (image_kinds.sixteen_bits(RED_CORNER), "RGB"),
    "PNG of 16 bits": (written(Image.fromarray(np.asarray(GREY_CORNER).astype(np.uint16) * 257), "PNG"), "L"),
    "grey PNG": (written(GREY_CORNER, "PNG"), "L"),
    "PNG of idle colours": (written(GREY_CORNER.convert("RGB"), "PNG"), "L"),
    "PNG of one bit": (written(BLACK_CORNER.convert("1"), "PNG"), "1"),
    "PNG of two greys": (written(BLACK_CORNER, "PNG"), "1"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_read(tmp_path: Path, kind: str) -> None:
    content, mode = KINDS[kind]
    (tmp_path / "image").write_bytes(content)
    page = only_page(tmp_path / "image")
    assert (page.number, page.image.mode, page.image.size) == (1, mode, (300, 200))
    assert mean_of(page, (10, 10, 50, 30)) == pytest.approx({"1": 0, "L": 60, "RGB": 60}[mode], abs=8)
    assert mean_of(page, (80, 50, 300, 200)) == pytest.approx(255, abs=2)


def mean_of(page: PageImage, box: tuple[int, int, int, int]) -> float:
    return float(np.asarray(page.image.convert("L").crop(box)).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_page_of_every_kind_is_shrunk_as_it_is_read(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_image, "WORKING_PIXELS", 6_000)
    content, mode = KINDS[kind]
    (tmp_path / "image").write_bytes(content)
    with closing(ImageFile(tmp_path / "image")) as opened:
        in_colours, in_grey = opened.page(1), opened.page(1, colours=False)
    assert in_colours.image.mode == {"RGB": "RGB"}.get(mode, in_colours.image.mode)
    assert in_grey.image.mode in ("1", "L")
    for page in (in_colours, in_grey):
        assert page.image.width in (94, 75)  # JPEG 2000 knows halves only
        assert page.to_original.point(*page.image.size) == pytest.approx((300, 200))
        exactness = 25 if "print" in kind else 8  # how inks look on paper is a matter of opinion
        assert mean_of(page, (3, 3, 16, 9)) == pytest.approx(0 if mode == "1" else 60, abs=exactness)
        assert mean_of(page, (27, 20, 75, 50)) == pytest.approx(255, abs=2)


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


@pytest.mark.parametrize("most", [40_000_000, 15_000], ids=["whole", "shrunk as it is read"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_orientation_is_applied(
    tmp_path: Path, orientation: int, kind: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_image, "WORKING_PIXELS", most)
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = RED_CORNER.transpose(turn[orientation])
    (tmp_path / "a").write_bytes(written(turned, kind, exif=exif, dpi=(100, 200)))
    page = only_page(tmp_path / "a")
    across, down = (100, 200) if orientation == 3 or kind == "WEBP" else (200, 100)
    if kind == "WEBP":  # it has no resolution
        across = down = 1
    assert (page.original_width, page.original_height) == (300, 200)
    assert page.to_original.point(*page.image.size) == pytest.approx((300, 200))
    shape = page.image.width / page.image.height
    assert shape == pytest.approx(300 / across / (200 / down), rel=0.03)
    corner = page.image.convert("L").resize((300, 200))
    assert corner.crop((10, 10, 30, 30)).getextrema()[1] < 100  # type: ignore[operator]  # one band
    assert corner.crop((80, 60, 300, 200)).getextrema()[0] > 240  # type: ignore[operator]  # one band


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
    claim = image_kinds.tiff(bytes(16), (18_000, 18_000), {258: (1,), 259: (4,), 262: (0,)})
    (tmp_path / "a.tif").write_bytes(claim)
    with closing(ImageFile(tmp_path / "a.tif")) as opened:
        for reading in (opened.inches, opened.page):
            with pytest.raises(PageError, match="Page 1 has more than 300 million pixels"):
                reading(1)


def test_pages_are_counted_no_further_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_file, "MAX_PAGES", 2)
    frames = [Image.new("1", (20, 20), 1)] * 5
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with closing(ImageFile(tmp_path / "a.tif")) as opened:
        assert opened.pages == 3


@pytest.mark.parametrize("size", [(60_000, 30), (30, 60_000)])
@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_side_that_the_engine_would_not_take_is_scaled(
    tmp_path: Path, size: tuple[int, int], kind: str
) -> None:
    (tmp_path / "a").write_bytes(written(Image.new("L", size, 200), kind))
    page = only_page(tmp_path / "a")
    assert max(page.image.size) == 32_000
    assert (page.original_width, page.original_height) == size


def test_a_fax_of_flat_pixels_is_worked_on_in_square_ones(tmp_path: Path) -> None:
    fax = Image.new("1", (1728, 1078), 1)
    fax.paste(0, (204, 98, 408, 196))  # a square inch
    fax.save(tmp_path / "a.tif", compression="group3", dpi=(204, 98))
    page = only_page(tmp_path / "a.tif")
    assert page.image.size == (1728, 2244)
    dark = page.image.convert("L").point(lambda level: 255 * (level < 128)).getbbox()
    assert dark == pytest.approx((204, 204, 408, 408), abs=1)
    assert page.to_original.point(408, 408) == pytest.approx((408, 196), abs=0.1)
    assert page.dpi == 204
    with closing(ImageFile(tmp_path / "a.tif")) as opened:
        assert opened.inches(1) == pytest.approx((8.47, 11.0), abs=0.01)


def test_a_fax_may_forget_the_unit_of_its_resolution(tmp_path: Path) -> None:
    strip = image_kinds.tiff(
        bytes(25_000), (1000, 200), {258: (1,), 259: (1,), 262: (1,), 282: (204,), 283: (102,), 296: (1,)}
    )
    (tmp_path / "a.tif").write_bytes(strip)
    assert only_page(tmp_path / "a.tif").image.size == (1000, 400)


def test_what_only_fits_into_memory_as_a_whole_has_a_limit_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_image, "WORKING_PIXELS", 15_000)
    monkeypatch.setattr(image_file, "_MAX_WHOLE_BYTES", 4 * 50_000)
    for kind, is_read in (("PNG", True), ("BMP", False), ("PCX", False)):
        (tmp_path / "a").write_bytes(written(RED_CORNER, kind))
        if is_read:
            assert only_page(tmp_path / "a").image.size == (150, 100)
        else:
            with pytest.raises(PageError, match="send it as a TIFF, PNG or JPEG file"):
                only_page(tmp_path / "a")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "PCX", "WEBP", "JPEG2000"])
def test_a_large_file_that_is_cut_off_is_called_damaged(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_image, "WORKING_PIXELS", 10_000)
    whole = written(NOISE, kind)
    (tmp_path / "image").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecognitionError, match=r"Page 1 is damaged and cannot be read\."):
        only_page(tmp_path / "image")


def test_a_frame_is_shrunk_as_it_is_read_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_image, "WORKING_PIXELS", 1_000)
    frames = [Image.new("L", (100, 50), level) for level in (10, 100, 200)]
    for kind, save in {
        "a.tif": lambda path: frames[0].save(path, save_all=True, append_images=frames[1:]),
        "a.dcx": lambda path: path.write_bytes(image_kinds.dcx(*frames)),
    }.items():
        save(tmp_path / kind)
        levels = [page.image.getextrema() for page in all_pages(tmp_path / kind)]
        assert levels == [(10, 10), (100, 100), (200, 200)]
