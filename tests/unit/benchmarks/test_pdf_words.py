# SPDX-License-Identifier: Apache-2.0
"""Words of PDF results stand where they were drawn, and what measures that can tell."""

from __future__ import annotations

import shutil
from array import array
from pathlib import Path

import pytest

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import (
    Baseline,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    Projection,
)
from airflow_provider_ocr.server.document import Word as ReadWord
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from benchmarks.drawn_pages.truth import Truth, Word
from benchmarks.drawn_pages.typefaces import TypefaceMissingError, proportional
from benchmarks.pdf_words import FORMATS, Found, look_for, measure, overlap

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed"
)


def _typefaces_missing() -> bool:
    try:
        return not (shutil.which("fc-list") and proportional())
    except TypefaceMissingError:
        return True


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder: Path = tmp_path_factory.mktemp("tessdata")
    gather_tessdata(folder)
    return Engine(folder)


@pytest.mark.skipif(_typefaces_missing(), reason="the typefaces of drawn pages are not installed")
@pytest.mark.parametrize(
    "page_class", ["skewed", *(pytest.param(name, marks=pytest.mark.long) for name in ("clean", "turned"))]
)
def test_words_are_found_where_they_were_drawn(page_class: str, engine: Engine, tmp_path: Path) -> None:
    found = measure(page_class, 1, engine=engine, folder=tmp_path)
    assert set(found) == set(FORMATS)
    assert {name: one for name, one in found.items() if not one.met} == {}
    assert all(one.misread < 0.02 * one.words for one in found.values())


def _page() -> Page:
    """A page of 72 dpi with the words "here" and "there"."""
    here = ReadWord("here", Box(100, 100, 180, 130), 90.0, "English", 0, 4)
    there = ReadWord("there", Box(300, 100, 400, 130), 90.0, "English", 4, 5)
    line = Line(
        (here, there),
        Box(100, 100, 400, 130),
        Baseline(100, 130, 400, 130),
        tuple("herethere"),
        array("i", [0] * 36),
        bytes(9),
    )
    return Page(
        number=1,
        original_width=600,
        original_height=800,
        original_dpi=72,
        width=600,
        height=800,
        dpi=72,
        rotation=0,
        skew=0.0,
        to_original=Projection(),
        blocks=(Block(BlockType.TEXT, line.box, (Paragraph((line,)),)),),
    )


def test_a_word_that_stands_elsewhere_is_told(tmp_path: Path) -> None:
    page = _page()
    exporter = exporter_for(ExportFormat.PDF_TEXT_AND_IMAGES, tmp_path / "a.pdf")
    exporter.start(DocumentSummary(1, ProcessingSettings()))
    exporter.page(page)
    exporter.finish()
    here = Word("here", (100, 100, 180, 130))
    right = Truth(((here, Word("there", (300, 100, 400, 130))),))
    wrong = Truth(((here, Word("there", (300, 120, 400, 150)), Word("never", (0, 0, 9, 9))),))
    assert look_for(right, page, tmp_path / "a.pdf") == Found(words=2, placed=2, phrases=1, searched=1)
    told = look_for(wrong, page, tmp_path / "a.pdf")
    assert told == Found(words=2, placed=1, phrases=1, searched=1, misread=1)
    assert not told.met


def test_overlap_is_a_share_of_all_that_both_cover() -> None:
    assert overlap((0, 0, 2, 1), (0, 0, 2, 1)) == 1
    assert overlap((0, 0, 2, 1), (1, 0, 3, 1)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 1, 1), (2, 2, 3, 3)) == 0
