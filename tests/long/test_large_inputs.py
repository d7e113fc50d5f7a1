# SPDX-License-Identifier: Apache-2.0
"""Pages of 200 megapixels are read in little memory, in every type of file that can be so large."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from airflow_provider_ocr.server.workers.children import ExportJob, RecognitionChild, RecognitionJob
from tests.unit.server import image_kinds

pytestmark = pytest.mark.long

MOST_MEGABYTES = 600
WORDS = ["harbour", "office", "ledger", "invoice", "window", "number", "shipment", "copper"]


@pytest.fixture(scope="module")
def page() -> Iterator[Image.Image]:
    """A ruled page of 12,600 x 16,000 pixels, which is A4 at 1,370 dpi."""
    allowed, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    image = Image.new("L", (12_600, 16_000), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=200)
    for row, word in enumerate(WORDS):
        pen.rectangle((1000, 1950 + 800 * row, 11_000, 1970 + 800 * row), fill=0)
        pen.text((1200, 2200 + 800 * row), f"{word} of the river {100 + row}", font=font, fill=0)
    yield image
    Image.MAX_IMAGE_PIXELS = allowed


SAVED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "grey JPEG": ("L", "JPEG", {}),
    "JPEG": ("RGB", "JPEG", {}),
    "PNG": ("RGB", "PNG", {"compress_level": 1}),
    "TIFF by LZW": ("RGB", "TIFF", {"compression": "tiff_lzw"}),
    "fax of one strip": ("1", "TIFF", {"compression": "group4", "strip_size": 12_600 * 16_000}),
    "GIF": ("L", "GIF", {}),
    "BMP": ("1", "BMP", {}),
    "PCX": ("L", "PCX", {}),
    "JPEG 2000": ("L", "JPEG2000", {"quality_mode": "rates", "quality_layers": [40]}),
    "PDF by JPEG": ("L", "dct", {}),
    "PDF by JPEG 2000": ("L", "jpx", {}),
    "PDF by JBIG2": ("1", "jbig2", {}),
}


@pytest.mark.parametrize("kind", SAVED)
def test_a_page_of_200_megapixels_takes_little_memory(tmp_path: Path, page: Image.Image, kind: str) -> None:
    mode, coding, options = SAVED[kind]
    path = tmp_path / "image"
    shown = page if mode == "L" else page.convert(mode)
    if coding.islower():
        path.write_bytes(image_kinds.pdf_of(shown, how=coding, dpi=1370))
    else:
        shown.save(path, coding, **options)
    child = RecognitionChild(tessdata=gather_tessdata(tmp_path / "tessdata").folder)
    for name in ("pages", "output"):
        (tmp_path / name).mkdir()
    settings = ProcessingSettings.parse(export_format="txt")
    try:
        child.measure([path])
        child.recognise(RecognitionJob(images=(path,), settings=settings, pages=tmp_path / "pages"))
        job = ExportJob(
            images=(path,), settings=settings, pages=tmp_path / "pages", output=tmp_path / "output"
        )
        (file,) = child.export(job).files
        peak = peak_megabytes(child)
    finally:
        child.close()
    words = file.path.read_text("utf-8-sig").split()
    assert [word for word in words if word in WORDS] == WORDS
    assert peak < MOST_MEGABYTES


def peak_megabytes(child: RecognitionChild) -> int:
    """The most memory that the process has held at any time."""
    for line in Path(f"/proc/{child.process_id}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError("the system does not tell")
