# SPDX-License-Identifier: Apache-2.0
"""The searchable PDF, read back with a PDF reader that had no part in writing it."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageChops

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Baseline, Box, Line, Page
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.pdf_searchable import PdfSearchableExporter
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.stored_image import StoredImage

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]


@pytest.fixture
def image(tmp_path: Path) -> StoredImage:
    return stored(Image.new("L", (1000, 1400), 255), tmp_path / "page.jpg")


def stored(image: Image.Image, path: Path, **options: Any) -> StoredImage:
    image.save(path, **options)
    with Image.open(path) as opened:
        found = stored_image(opened, path)
    assert found is not None
    return found


def exported(path: Path, pages: Sequence[Page]) -> Path:
    exporter = PdfSearchableExporter(path)
    exporter.start(DocumentSummary(len(pages), ProcessingSettings()))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path


@contextmanager
def opened(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    with closing(pypdfium2.PdfDocument(path)) as document:
        yield document


def page_text(document: pypdfium2.PdfDocument, number: int) -> str:
    with closing(document[number].get_textpage()) as text:
        return str(text.get_text_range()).replace("\r\n", "\n")


def test_whole_lines_come_out_in_order(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, image: StoredImage
) -> None:
    lines = [
        make_line(("The", 50), ("first", 130), ("line", 600)),
        make_line(("and", 50), ("more", 130), top=200),
    ]
    with opened(exported(tmp_path / "a.pdf", [make_page(lines, stored=image)])) as document:
        assert page_text(document, 0) == "The first line\nand more"


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed")
def test_columns_are_read_one_after_the_other_though_the_heights_of_their_lines_differ(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, image: StoredImage
) -> None:
    lengths = random.Random(4)

    def line(left: int, top: int) -> Line:
        first, second = lengths.randint(2, 5), lengths.randint(2, 5)
        words = [("o" * first, left), ("n" * second, left + 20 * first + 10)]
        made = make_line(*words, ("see", left + 20 * (first + second) + 20), top=top)
        # A line without a p or a g is less high; its type is as large.
        return replace(made, box=made.box._replace(bottom=made.box.bottom + top % 5 * 2), size=20.0)

    columns = [[line(left, 100 + 36 * number) for number in range(12)] for left in (30, 350, 670)]
    pdf = exported(tmp_path / "a.pdf", [make_page(*columns, stored=image)])
    read = subprocess.run(["pdftotext", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    assert read.split() == [word.text for column in columns for line in column for word in line.words]


@pytest.mark.parametrize("text", ["Łódź", "Ελλάδα", "Київ", "東京", "\U0001d504\U0001f600", "№½€"])
def test_every_character_can_be_extracted(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, image: StoredImage, text: str
) -> None:
    path = exported(tmp_path / "a.pdf", [make_page([make_line((text, 100))], stored=image)])
    with opened(path) as document:
        assert page_text(document, 0) == text


def test_each_character_lies_on_its_word(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, image: StoredImage
) -> None:
    page = make_page([make_line(("one", 100), ("eleven", 400))], stored=image)
    with (
        opened(exported(tmp_path / "a.pdf", [page])) as document,
        closing(document[0].get_textpage()) as text,
    ):
        assert document[0].get_size() == (720.0, 1008.0)
        left, bottom, _, top = text.get_charbox(4)
        _, _, right, _ = text.get_charbox(9)
    points = 72 / 100
    assert (left, right) == pytest.approx((400 * points, 520 * points), abs=1)
    assert bottom < (1400 - 115) * points < top


def test_text_follows_a_baseline_that_slopes(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, image: StoredImage
) -> None:
    line = make_line(("climbing", 100))
    upward = Line(
        line.words,
        Box(100, 900, 130, 1200),
        Baseline(130, 1200, 130, 900),
        line.texts,
        line.edges,
        line.certainties,
    )
    with (
        opened(exported(tmp_path / "a.pdf", [make_page([upward], stored=image)])) as document,
        closing(document[0].get_textpage()) as text,
    ):
        assert text.get_charbox(7)[1] > text.get_charbox(0)[1]


def test_the_text_is_invisible(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, image: StoredImage
) -> None:
    path = exported(tmp_path / "a.pdf", [make_page([make_line(("black", 100))], stored=image)])
    with opened(path) as document:
        rendered = document[0].render(scale=1).to_pil().convert("L")
    assert rendered.getextrema() == (255, 255)


def test_a_black_and_white_page_is_shown_as_it_is(tmp_path: Path, make_page: MakePage) -> None:
    drawn = Image.new("1", (1000, 1400), 1)
    drawn.paste(0, (100, 200, 500, 300))
    image = stored(drawn, tmp_path / "page.tif", compression="group4", strip_size=1000 * 1400)
    path = exported(tmp_path / "a.pdf", [make_page(stored=image)])
    with opened(path) as document:
        rendered = document[0].render(scale=100 / 72).to_pil().convert("L")
    assert ImageChops.difference(rendered, drawn.convert("L")).getextrema() == (0, 0)
    with pikepdf.open(path) as pdf:
        assert pdf.pages[0].Resources.XObject["/Im0"].Filter == pikepdf.Name.CCITTFaxDecode


def test_pages_share_one_font(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, image: StoredImage
) -> None:
    pages = [make_page([make_line((f"page{n}", 100))], number=n, stored=image) for n in (1, 2, 3)]
    path = exported(tmp_path / "a.pdf", pages)
    with pikepdf.open(path) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert len({page.obj.Resources.Font["/F0"].objgen for page in pdf.pages}) == 1
    with opened(path) as document:
        assert [page_text(document, n) for n in range(3)] == ["page1", "page2", "page3"]


def test_nothing_but_the_result_is_left_behind(
    tmp_path: Path, make_page: MakePage, image: StoredImage
) -> None:
    exported(tmp_path / "a.pdf", [make_page(stored=image)])
    assert {path.name for path in tmp_path.iterdir()} == {"a.pdf", "page.jpg"}


def test_a_page_without_its_image_is_refused(tmp_path: Path, make_page: MakePage) -> None:
    with pytest.raises(ValueError, match="page 1 has no stored image"):
        exported(tmp_path / "a.pdf", [make_page()])
