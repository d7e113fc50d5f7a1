# SPDX-License-Identifier: Apache-2.0
"""Photos are made flat before they are read; scans are left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, ImageSource
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.page_image import PageImage, working_page
from airflow_provider_ocr.server.recognition.page_picture import with_images
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.photo import flattened
from airflow_provider_ocr.server.recognition.resolution import Resolution
from tests.unit.server.photos import ASKEW, FROM_ABOVE, corners_on, photo_of


def page_of(image: Image.Image) -> PageImage:
    """An image as the document's reader gives it."""
    return working_page(image, number=1, size=image.size, resolution=Resolution(200.0, 200.0))


@pytest.fixture
def read(engine: Engine, tmp_path: Path) -> Callable[..., Page]:
    """Recognises a photo, and makes its picture again."""

    def one_page(photo: Image.Image, **settings: Any) -> Page:
        photo.save(tmp_path / "photo.jpg", quality=90)
        wanted = ProcessingSettings.parse(export_format="txt", **settings)
        with Document([tmp_path / "photo.jpg"]) as document:
            page = recognise_page(document.page(1), wanted, engine=engine)
            return with_images(page, document, formats=[ExportFormat.PDF_SEARCHABLE], folder=tmp_path)

    return one_page


def text(page: Page) -> str:
    return " ".join(word.text for word in page.words)


@pytest.mark.parametrize(
    ("kind", "turned"), [("photo", 0), ("auto", 90), pytest.param("photo", 180, marks=pytest.mark.long)]
)
def test_the_words_of_a_photo_are_read_and_lie_where_they_were_seen(
    read: Callable[..., Page], draw: Callable[..., Any], kind: str, turned: int
) -> None:
    drawing = draw()
    photo = photo_of(drawing.image)
    page = read(photo.rotate(turned, expand=True), image_source=kind)
    assert (text(page), page.rotation) == (drawing.text, turned)
    width, height = drawing.image.size
    shares = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    for word, (_, box) in zip(page.words, drawing.words, strict=True):
        x, y = (box.left + box.right) / 2 / width, (box.top + box.bottom) / 2 / height
        drawn = flat_point(x, y, corners_on(photo, ASKEW), shares)
        there = {0: drawn, 90: (drawn[1], photo.width - drawn[0]), 180: np.array(photo.size) - drawn}[turned]
        assert centre(page.to_original.box(word.box)) == pytest.approx(tuple(there), abs=14)


def test_the_picture_of_a_photo_shows_the_flat_sheet(
    read: Callable[..., Page], draw: Callable[..., Any]
) -> None:
    page = read(photo_of(draw().image), image_source="photo")
    assert page.image is not None
    with Image.open(page.image) as opened:
        assert opened.size == (page.width, page.height)
        shown = np.asarray(opened.convert("L"))
    for word in page.words:
        box = word.box
        assert shown[box.top : box.bottom, box.left : box.right].min() < 100
    assert np.median(shown[:20]) > 150  # paper up to the edge, no table


def test_a_photo_is_left_as_it_is_where_its_correction_is_switched_off(draw: Callable[..., Any]) -> None:
    source = page_of(photo_of(draw().image))
    assert flattened(source, ImageSource.SCANNER) is source
    assert flattened(source, ImageSource.AUTO) is not source


def test_a_sheet_seen_from_straight_above_is_cut_out_only_of_what_is_said_to_be_a_photo(
    draw: Callable[..., Any],
) -> None:
    source = page_of(photo_of(draw().image, FROM_ABOVE))
    assert flattened(source, ImageSource.AUTO) is source
    cut = flattened(source, ImageSource.PHOTO)
    assert cut.image.width == pytest.approx(0.8 * source.image.width, abs=12)


@pytest.mark.parametrize("kind", list(ImageSource))
@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_scan_is_left_as_it_is(draw: Callable[..., Any], kind: ImageSource, mode: str) -> None:
    scan = draw().image.rotate(2, expand=True, fillcolor=255).convert(mode)
    source = page_of(scan)
    assert flattened(source, kind) is source


def centre(box: Any) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def flat_point(x: float, y: float, corners: Any, shares: Any) -> Any:
    """Where a place of the sheet is on the photo."""
    rows = []
    for (u, v), (a, b) in zip(shares, corners, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * a, -v * a, a], [0, 0, 0, u, v, 1, -u * b, -v * b, b]]
    system = np.array(rows)
    matrix = np.append(np.linalg.solve(system[:, :8], system[:, 8]), 1.0).reshape(3, 3)
    mapped = matrix @ (x, y, 1.0)
    return mapped[:2] / mapped[2]
