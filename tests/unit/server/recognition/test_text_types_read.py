# SPDX-License-Identifier: Apache-2.0
"""Drawn pages of every text type that needs no data of its own, read for real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rapidfuzz.distance import Levenshtein

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.pages import recognise_page
from benchmarks.drawn_pages.text_types import draw_page


@pytest.fixture
def read(engine: Engine, tmp_path: Path) -> Callable[[Image.Image, str], Page]:
    """Reads an image of 300 dpi as a text type."""

    def one_page(image: Image.Image, text_type: str) -> Page:
        image.save(tmp_path / "page.png", dpi=(300, 300))
        settings = ProcessingSettings.parse(export_format="txt", text_type=text_type)
        with Document([tmp_path / "page.png"]) as document:
            return recognise_page(document.page(1), settings, engine=engine)

    return one_page


def text(page: Page) -> str:
    return "\n".join(" ".join(word.text for word in line.words) for line in page.lines)


@pytest.mark.parametrize(
    ("text_type", "most"),
    [
        ("typewriter", 0.01),
        ("index", 0.01),
        pytest.param("matrix", 0.03, marks=pytest.mark.long),
        pytest.param("ocrA", 0.12, marks=pytest.mark.long),
        pytest.param("ocrB", 0.05, marks=pytest.mark.long),
    ],
)
def test_a_page_is_read_at_least_as_well_as_normal_text(
    read: Callable[[Image.Image, str], Page], text_type: str, most: float
) -> None:
    drawn = draw_page(text_type, 0)
    truth = drawn.truth.text
    errors = Levenshtein.distance(truth, text(read(drawn.image, text_type)))
    assert errors <= Levenshtein.distance(truth, text(read(drawn.image, "normal")))
    assert errors <= most * len(truth)


def test_words_of_a_page_that_was_read_smaller_lie_on_the_drawn_words(
    read: Callable[[Image.Image, str], Page],
) -> None:
    drawn = draw_page("ocrB", 1)
    page = read(drawn.image, "ocrB")
    assert text(page).splitlines()[0][:5] == drawn.truth.lines[0][0].text[:5]
    left, top, _, bottom = drawn.truth.lines[0][0].box
    first = page.to_original.box(next(iter(page.words)).box)
    assert (first.left, first.top, first.bottom) == pytest.approx((left, top, bottom), abs=14)


def test_of_a_page_with_letters_between_them_only_the_digits_are_given(
    read: Callable[[Image.Image, str], Page], draw: Callable[..., Any]
) -> None:
    drawing = draw(("To the merchant Miller", "10115 Berlin", "20095 Hamburg", "in a letter of winter"))
    page = read(drawing.image, "index")
    assert [word.text for word in page.words] == ["10115", "20095"]
    assert min(word.confidence for word in page.words) > 60


def test_letters_alone_do_not_fail_a_page_of_which_only_digits_are_wanted(
    read: Callable[[Image.Image, str], Page], draw: Callable[..., Any]
) -> None:
    drawing = draw(("To the merchant Miller", "in the harbour street", "a letter of winter"))
    assert text(read(drawing.image, "index")) == ""
