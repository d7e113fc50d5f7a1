# SPDX-License-Identifier: Apache-2.0
"""The committed samples are what the script draws, and are the kinds of scan that they claim to be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

DEMO = Path(__file__).parents[3] / "demo"
SAMPLES = DEMO / "samples"
FONTS_MISSING = 3


@pytest.fixture(scope="module")
def redrawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of freshly drawn samples; skips, with the script's own words, where its fonts are missing."""
    folder = tmp_path_factory.mktemp("samples")
    command = [sys.executable, str(DEMO / "make_samples.py"), "--output", str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode == FONTS_MISSING:
        pytest.skip(run.stderr.strip())
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.long
def test_redrawing_writes_the_files_that_are_committed(redrawn: Path) -> None:
    assert sorted(path.name for path in redrawn.iterdir()) == sorted(path.name for path in SAMPLES.iterdir())


@pytest.mark.long
@pytest.mark.parametrize("stem", ["letter", "rechnung", "minutes", "receipt"])
def test_the_committed_text_is_what_is_drawn(redrawn: Path, stem: str) -> None:
    drawn = (redrawn / f"{stem}.txt").read_bytes()
    assert (SAMPLES / f"{stem}.txt").read_bytes() == drawn


def test_the_letter_is_an_a4_page_at_300_dots_per_inch() -> None:
    with Image.open(SAMPLES / "letter.jpg") as page:
        assert (page.format, page.size, page.info["dpi"]) == ("JPEG", (2480, 3508), (300, 300))


def test_the_invoice_is_one_page_of_image_without_a_text_layer() -> None:
    with pypdfium2.PdfDocument(SAMPLES / "rechnung.pdf") as document:
        assert len(document) == 1
        assert document[0].get_textpage().count_chars() == 0
        (image,) = document[0].get_objects()
        assert isinstance(image, pypdfium2.PdfImage)
        assert image.get_filters() == ["DCTDecode"]


def test_the_minutes_are_three_bilevel_pages_in_group_4() -> None:
    with Image.open(SAMPLES / "minutes.tif") as pages:
        assert pages.n_frames == 3  # type: ignore[attr-defined]  # Pillow declares it for TIFF files only
        for number in range(3):
            pages.seek(number)
            assert (pages.mode, pages.info["compression"], pages.info["dpi"]) == ("1", "group4", (300, 300))


def test_the_minutes_have_a_text_for_each_page() -> None:
    pages = (SAMPLES / "minutes.txt").read_text(encoding="utf-8").split("\n\n")
    assert [page.splitlines()[-1][-6:] for page in pages] == ["page 1", "page 2", "page 3"]


def test_the_receipt_lies_on_its_side() -> None:
    with Image.open(SAMPLES / "receipt.png") as page:
        assert page.width > page.height
