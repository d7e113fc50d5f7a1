# SPDX-License-Identifier: Apache-2.0
"""Every class of pages is drawn, and what is noted of a page stands on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

from benchmarks.drawn_pages.page_classes import draw_document
from benchmarks.drawn_pages.typefaces import OCR_B, TypefaceMissingError, installed, proportional


def _typefaces_missing() -> bool:
    try:
        return not (shutil.which("fc-list") and proportional() and installed(OCR_B))
    except TypefaceMissingError:
        return True


pytestmark = pytest.mark.skipif(_typefaces_missing(), reason="the typefaces of drawn pages are not installed")

_OFTEN = ["100 dpi", "photographed", "ruled table"]
_SELDOM = ["skewed", "turned", "three columns", "OCR-B"]
_IMAGES = [*_OFTEN, *(pytest.param(name, marks=pytest.mark.long) for name in _SELDOM)]


@pytest.mark.parametrize("page_class", _IMAGES)
def test_each_word_has_ink_in_its_box_and_none_is_outside_the_image(page_class: str, tmp_path: Path) -> None:
    document = draw_document(page_class, 1, tmp_path)
    with Image.open(document.file) as image:
        for number, truth in enumerate(document.pages):
            image.seek(number)
            grey = np.asarray(image.convert("L")).astype(int)
            for word in (word for line in truth.lines for word in line):
                left, top, right, bottom = (round(side) for side in word.box)
                assert left >= 0
                assert top >= 0
                assert right <= image.width
                assert bottom <= image.height
                inked = grey[top : bottom + 1, left : right + 1]
                assert np.ptp(inked) > 60, word


@pytest.mark.long
def test_the_same_seed_gives_the_same_page_and_another_gives_another(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    first = draw_document("photographed", 1, tmp_path)
    again = draw_document("photographed", 1, tmp_path / "again")
    assert first.file.read_bytes() == again.file.read_bytes()
    assert first.pages == again.pages
    assert draw_document("photographed", 2, tmp_path).text != first.text


def test_a_closed_document_opens_with_its_password_only(tmp_path: Path) -> None:
    document = draw_document("password", 1, tmp_path)
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(document.file)
    with pikepdf.open(document.file, password=document.password or "") as pdf:
        assert len(pdf.pages) == 1


@pytest.mark.parametrize("page_class", ["ruled table", "unruled table"])
def test_cells_of_a_table_fill_its_grid_once(page_class: str, tmp_path: Path) -> None:
    (cells,) = draw_document(page_class, 3, tmp_path).pages[0].tables
    places = [
        (row, column)
        for cell in cells
        for row in range(cell.row, cell.row + cell.row_span)
        for column in range(cell.column, cell.column + cell.column_span)
    ]
    rows, columns = (1 + max(place[axis] for place in places) for axis in (0, 1))
    assert sorted(places) == [(row, column) for row in range(rows) for column in range(columns)]
