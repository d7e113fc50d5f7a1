# SPDX-License-Identifier: Apache-2.0
"""PDF files to pages."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.errors import (
    PageError,
    PasswordError,
    RecognitionError,
    UnsupportedError,
)
from airflow_provider_ocr.server.recognition.pdf_file import PdfFile
from tests.unit.server import image_kinds


def saved(path: Path, *sizes: tuple[float, float], encryption: pikepdf.Encryption | None = None) -> Path:
    """A PDF file of blank pages of these sizes in points."""
    with pikepdf.new() as pdf:
        for size in sizes:
            pdf.add_blank_page(page_size=size)
        pdf.save(path, encryption=encryption or False)
    return path


def test_a_page_is_rendered_at_300_dpi(tmp_path: Path) -> None:
    red_corner = Image.new("RGB", (300, 200), "white")
    red_corner.paste((200, 0, 0), (0, 0, 60, 40))
    red_corner.save(tmp_path / "a.pdf", resolution=150, save_all=True, append_images=[Image.new("L", (9, 9))])
    with closing(PdfFile(tmp_path / "a.pdf")) as opened:
        assert opened.pages == 2
        assert opened.inches(1) == pytest.approx((2.0, 4 / 3), abs=0.01)
        page = opened.page(1)
    assert (page.image.size, page.original_dpi, page.image.mode) == ((600, 400), 300, "RGB")


def test_a_page_lies_the_way_it_is_shown(tmp_path: Path) -> None:
    saved(tmp_path / "a.pdf", (72, 144))
    with pikepdf.open(tmp_path / "a.pdf", allow_overwriting_input=True) as pdf:
        pdf.pages[0].Rotate = 90
        pdf.save(tmp_path / "a.pdf")
    with closing(PdfFile(tmp_path / "a.pdf")) as opened:
        assert opened.inches(1) == (2.0, 1.0)
        assert opened.page(1).image.size == (600, 300)


def test_what_was_typed_into_a_form_is_part_of_the_page(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(144, 72))
        black = pdf.make_stream(b"0 0 144 72 re f", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        black.BBox = [0, 0, 144, 72]
        field = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Widget,
            FT=pikepdf.Name.Tx,
            T="name",
            F=4,
            Rect=[0, 0, 72, 72],
            AP=pikepdf.Dictionary(N=black),
        )
        page.Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(field)]))
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=page.Annots)
        pdf.save(tmp_path / "a.pdf")
    with closing(PdfFile(tmp_path / "a.pdf")) as opened:
        shown = opened.page(1).image.convert("L")
    assert (shown.getpixel((100, 150)), shown.getpixel((500, 150))) == (0, 255)


@pytest.mark.parametrize(
    ("user", "password", "may_print", "opens"),
    [
        ("user", "user", True, True),
        ("user", "owner", True, True),
        ("user", "owner", False, True),
        ("", "", True, True),
        ("", "not needed", True, True),
        ("", "owner", False, True),
        ("user", "", True, "protected by a password; send it as pdfPassword"),
        ("user", "other", True, "pdfPassword that came with it does not open"),
        ("user", "user", False, "does not permit its pages to be printed"),
        ("", "", False, "does not permit its pages to be printed"),
    ],
)
def test_a_protected_file_needs_a_password_that_lets_it_be_printed(
    *, tmp_path: Path, user: str, password: str, may_print: bool, opens: bool | str
) -> None:
    allow = pikepdf.Permissions(print_lowres=may_print, print_highres=may_print)
    encryption = pikepdf.Encryption(user=user, owner="owner", allow=allow)
    saved(tmp_path / "a.pdf", (72, 72), encryption=encryption)
    if opens is True:
        with closing(PdfFile(tmp_path / "a.pdf", password=password)) as opened:
            assert opened.page(1).image.size == (300, 300)
    else:
        kind = PasswordError if may_print else UnsupportedError
        with pytest.raises(kind, match=str(opens)):
            PdfFile(tmp_path / "a.pdf", password=password)


@pytest.mark.parametrize("share", [0.02, 0.5])
def test_a_file_that_is_cut_off_is_called_damaged(tmp_path: Path, share: float) -> None:
    content = saved(tmp_path / "a.pdf", *[(72, 72)] * 20).read_bytes()
    (tmp_path / "a.pdf").write_bytes(content[: max(12, round(len(content) * share))])
    with pytest.raises(RecognitionError, match="The PDF file is damaged and cannot be opened"):
        PdfFile(tmp_path / "a.pdf")


def test_an_enormous_page_is_refused_before_it_is_rendered(tmp_path: Path) -> None:
    saved(tmp_path / "a.pdf", (72, 72), (14400, 14400))
    with closing(PdfFile(tmp_path / "a.pdf")) as opened:
        assert opened.inches(1) == (1.0, 1.0)
        for reading in (opened.inches, opened.page):
            with pytest.raises(PageError, match="Page 2 measures 200 x 200 inches: too large") as failed:
                reading(2)
            assert failed.value.number == 2


@pytest.mark.parametrize("how", ["jbig2", "jpx", "dct", "ccitt", "flate"])
def test_an_image_is_shown_however_it_is_coded(tmp_path: Path, how: str) -> None:
    black_corner = Image.new("L", (300, 200), 255)
    black_corner.paste(0, (0, 0, 60, 40))
    (tmp_path / "a.pdf").write_bytes(image_kinds.pdf_of(black_corner, how=how))
    with closing(PdfFile(tmp_path / "a.pdf")) as opened:
        shown = opened.page(1).image.convert("L")
    assert shown.size == (600, 400)
    assert np.asarray(shown.crop((10, 10, 110, 70))).mean() < 3
    assert np.asarray(shown.crop((130, 90, 600, 400))).mean() > 252


def test_pages_of_all_sizes_rotations_and_resolutions_are_shown_upright(tmp_path: Path) -> None:
    parts = []
    for place, (size, dpi, rotate) in enumerate(
        [((300, 200), 100, 0), ((300, 200), 200, 90), ((1200, 800), 600, 180), ((300, 200), 72, 270)]
    ):
        black_corner = Image.new("L", size, 255)
        black_corner.paste(0, (0, 0, size[0] // 5, size[1] // 5))
        part = tmp_path / f"{place}.pdf"
        part.write_bytes(image_kinds.pdf_of(black_corner, how="flate", dpi=dpi))
        with pikepdf.open(part, allow_overwriting_input=True) as pdf:
            pdf.pages[0].Rotate = rotate
            pdf.save(part)
        parts.append(part)
    with pikepdf.new() as pdf:
        for part in parts:
            with pikepdf.open(part) as source:
                pdf.pages.extend(source.pages)
        pdf.save(tmp_path / "all.pdf")
    with closing(PdfFile(tmp_path / "all.pdf")) as opened:
        pages = [opened.page(number).image.convert("L") for number in range(1, 5)]
    sizes = [side for page in pages for side in page.size]
    assert sizes == pytest.approx([900, 600, 300, 450, 600, 400, 833, 1250], abs=1)
    assert [corner_of(page) for page in pages] == ["top left", "top right", "bottom right", "bottom left"]


def corner_of(page: Image.Image) -> str:
    """Where the page is black."""
    (x, y) = page.point(lambda level: 255 * (level < 128)).getbbox()[:2]  # type: ignore[index]  # it is somewhere
    return f"{'bottom' if y else 'top'} {'right' if x else 'left'}"


def test_a_large_page_comes_in_grey_where_nobody_needs_its_colours(tmp_path: Path) -> None:
    red = Image.new("RGB", (600, 600), (200, 0, 0))
    (tmp_path / "a.pdf").write_bytes(image_kinds.pdf_of(red, how="flate", dpi=20))
    with closing(PdfFile(tmp_path / "a.pdf")) as opened:
        assert opened.page(1).image.mode == "RGB"
        grey = opened.page(1, colours=False)
    assert grey.image.mode == "L"
    assert grey.image.width * grey.image.height == pytest.approx(36_000_000, rel=0.01)
