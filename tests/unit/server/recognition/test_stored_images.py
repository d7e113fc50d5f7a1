# SPDX-License-Identifier: Apache-2.0
"""Images are taken as they are stored where a PDF reader shows them as the decoder does, and nowhere else."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pypdfium2
import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import FILLORDER, PHOTOMETRIC_INTERPRETATION

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import Page, Projection
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.page_picture import picture_page, with_images
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.recognition.view import View
from airflow_provider_ocr.server.stored_image import ImageCoding, StoredImage

WHOLE = 64 * 48  # pixels; no strip of a small image is longer


def drawn(mode: str = "L") -> Image.Image:
    """An image that looks different whichever way it is turned or mirrored."""
    image = Image.new("L", (64, 48), 255)
    image.paste(0, (0, 0, 24, 8))
    image.paste(0, (0, 0, 8, 32))
    image.paste(0, (48, 40, 64, 48))
    return image.convert(mode)


def found(path: Path) -> StoredImage | None:
    with Image.open(path) as opened:
        return stored_image(opened, path)


def with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100}], ids=str)
def test_a_jpeg_file_is_taken_whole(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    drawn(mode).save(tmp_path / "a.jpg", exif=with_orientation(1), comment=b"\xff\xc0 is no frame", **options)
    stored = found(tmp_path / "a.jpg")
    assert stored is not None
    assert (stored.coding, stored.width, stored.height) == (ImageCoding.JPEG, 64, 48)
    assert stored.colours == len(Image.new(mode, (1, 1)).getbands())
    assert stored.read() == (tmp_path / "a.jpg").read_bytes()


@pytest.mark.parametrize("white", [0, 1])
def test_a_strip_of_group_4_is_taken_out_of_its_file(tmp_path: Path, white: int) -> None:
    info = {PHOTOMETRIC_INTERPRETATION: white}
    drawn("1").save(tmp_path / "a.tif", compression="group4", strip_size=WHOLE, tiffinfo=info)
    stored = found(tmp_path / "a.tif")
    assert stored is not None
    assert (stored.coding, stored.width, stored.height) == (ImageCoding.CCITT_G4, 64, 48)
    assert stored.inverted == bool(white)
    assert stored.read() in (tmp_path / "a.tif").read_bytes()
    assert 0 < stored.length < 100


def arithmetic() -> bytes:
    written = io.BytesIO()
    drawn().save(written, "JPEG")
    return written.getvalue().replace(b"\xff\xc0", b"\xff\xc9", 1)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("L", {"format": "PNG"}),
        ("1", {"format": "BMP"}),
        ("CMYK", {"format": "JPEG"}),
        ("1", {"format": "TIFF", "compression": "group3"}),
        ("1", {"format": "TIFF", "compression": "tiff_lzw"}),
        ("L", {"format": "TIFF", "compression": "jpeg"}),
        ("1", {"format": "TIFF", "compression": "group4", "strip_size": 64}),
        ("1", {"format": "TIFF", "compression": "group4", "strip_size": WHOLE, "tiffinfo": {FILLORDER: 2}}),
    ],
    ids=str,
)
def test_other_images_are_not_taken(tmp_path: Path, mode: str, options: dict[str, Any]) -> None:
    drawn(mode).save(tmp_path / "a", **options)
    assert found(tmp_path / "a") is None


@pytest.mark.parametrize("damage", [arithmetic(), arithmetic()[:170], arithmetic()[:20]], ids=len)
def test_a_jpeg_file_of_a_rare_kind_or_cut_short_is_not_taken(tmp_path: Path, damage: bytes) -> None:
    drawn().save(tmp_path / "sound.jpg")
    (tmp_path / "a.jpg").write_bytes(damage)
    with Image.open(tmp_path / "sound.jpg") as opened:
        assert stored_image(opened, tmp_path / "a.jpg") is None


def turned_page(document: Document, rotation: int) -> Page:
    """The document's page as if it had been recognised after a turn."""
    source = document.page(1)
    view = View(*source.image.size).turned(rotation)
    return replace(
        picture_page(source),
        width=view.width,
        height=view.height,
        rotation=rotation,
        to_original=view.back.then(source.to_original),
    )


def shown(page: Page, path: Path) -> np.ndarray[Any, Any]:
    """The page as a PDF reader shows it, a pixel for each of its own."""
    exporter = exporter_for(ExportFormat.PDF_SEARCHABLE, path)
    exporter.start(DocumentSummary(1, ProcessingSettings()))
    exporter.page(page)
    exporter.finish()
    with closing(pypdfium2.PdfDocument(path)) as document:
        return np.asarray(document[0].render(scale=page.dpi / 72).to_pil().convert("L"))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("L", {"format": "JPEG", "quality": 95}),
        ("1", {"format": "TIFF", "compression": "group4", "strip_size": WHOLE}),
    ],
    ids=["JPEG", "G4"],
)
def test_a_stored_image_is_shown_upright(
    *, tmp_path: Path, mode: str, options: dict[str, Any], orientation: int, rotation: int
) -> None:
    path = tmp_path / "a"
    drawn(mode).save(path, exif=with_orientation(orientation), dpi=(72, 72), **options)
    with Document([path]) as document:
        page = turned_page(document, rotation)
        source = document.page(1).image
        image = View(*source.size).turned(rotation).of(source)
        page = with_images(page, document, formats=[ExportFormat.PDF_SEARCHABLE], folder=tmp_path)
    assert (page.image, page.stored is not None and page.stored.path) == (None, path)
    seen = shown(page, tmp_path / "a.pdf")
    expected = np.asarray(image.convert("L"))
    assert seen.shape == expected.shape
    assert np.abs(seen.astype(int) - expected).max() < 40
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        assert pdf.pages[0].Resources.XObject["/Im0"].read_raw_bytes() in path.read_bytes()


MOVED: dict[str, Callable[[Page], Page]] = {
    "straightened": lambda page: replace(page, to_original=Projection(0.999, 0.02, 0.0, -0.02, 0.999, 0.0)),
    "seen from the side": lambda page: replace(page, to_original=Projection(wx=0.0001)),
    "cut out": lambda page: replace(page, to_original=Projection(x0=9.0), width=page.width - 9),
}


@pytest.mark.parametrize("what", MOVED)
def test_an_image_that_had_to_be_changed_is_written_anew(tmp_path: Path, what: str) -> None:
    drawn().save(tmp_path / "a.jpg", dpi=(72, 72))
    with Document([tmp_path / "a.jpg"]) as document:
        page = MOVED[what](picture_page(document.page(1)))
        page = with_images(page, document, formats=[ExportFormat.PDFA], folder=tmp_path)
    assert page.image is not None
    assert page.stored is not None
    assert page.stored.path == page.image != tmp_path / "a.jpg"


def test_pages_of_one_file_are_told_apart_also_once_they_are_decoded(tmp_path: Path) -> None:
    pages = [drawn("1"), drawn("1").rotate(180), drawn("1")]
    more = {"compression": "group4", "strip_size": WHOLE, "append_images": pages[1:]}
    pages[0].save(tmp_path / "a.tif", save_all=True, **more)
    with Document([tmp_path / "a.tif"]) as document:
        before = [document.stored(number) for number in (1, 2, 3)]
        for number in (3, 1, 2):
            document.page(number)
        assert [document.stored(number) for number in (1, 2, 3)] == before
    assert None not in before
    first, second, third = (stored.read() for stored in before if stored)
    assert first == third != second
