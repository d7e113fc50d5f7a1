# SPDX-License-Identifier: Apache-2.0
"""Pages of real text, read back by two PDF readers that had no part in writing them, and looked at."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types
from PIL import Image, ImageChops

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import Baseline, Block, BlockType, Box, Line, Page
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.stored_image import StoredImage
from tests.unit.server.export.tagged import tags_of

PDFTOTEXT = shutil.which("pdftotext")
POINTS = 72 / 100  # of a pixel of the pages here
RED, WHITE = (255, 0, 0), (255, 255, 255)

needs_pdftotext = pytest.mark.skipif(PDFTOTEXT is None, reason="pdftotext (poppler-utils) is not installed")

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
MakeTable = Callable[..., Block]


@pytest.fixture
def stored(tmp_path: Path) -> StoredImage:
    Image.new("L", (1000, 1400), 255).save(tmp_path / "page.jpg")
    with Image.open(tmp_path / "page.jpg") as opened:
        found = stored_image(opened, tmp_path / "page.jpg")
    assert found is not None
    return found


def exported(
    path: Path,
    pages: Sequence[Page],
    export_format: ExportFormat = ExportFormat.PDF_TEXT_AND_IMAGES,
    **settings: str,
) -> Path:
    exporter = exporter_for(export_format, path)
    exporter.start(DocumentSummary(len(pages), ProcessingSettings.parse(**settings)))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path


def text_of(path: Path, number: int = 0) -> str:
    with closing(pypdfium2.PdfDocument(path)) as document, closing(document[number].get_textpage()) as text:
        return str(text.get_text_range()).replace("\r\n", "\n")


def words_of(path: Path) -> list[tuple[str, tuple[float, ...]]]:
    """The words that pdftotext finds, and their boxes in points: left, top, right, bottom."""
    assert PDFTOTEXT is not None
    read = subprocess.run([PDFTOTEXT, "-bbox", path, "-"], check=True, capture_output=True, timeout=60)
    sides = ("xMin", "yMin", "xMax", "yMax")
    return [
        (word.text, tuple(float(word.get(side)) for side in sides))
        for word in etree.fromstring(read.stdout).iter("{*}word")
    ]


def shown(path: Path, number: int = 0) -> Image.Image:
    """The page as it looks, a pixel for each of the recognised page's."""
    with closing(pypdfium2.PdfDocument(path)) as document:
        image: Image.Image = document[number].render(scale=1 / POINTS).to_pil().convert("RGB")
    return image


def ink(path: Path) -> Box:
    """The box around all that is not about white."""
    found = inked(shown(path))
    assert found is not None
    return found


def inked(image: Image.Image) -> Box | None:
    difference = ImageChops.difference(image, Image.new("RGB", image.size, WHITE)).convert("L")
    found = difference.point(lambda value: 255 * (value > 40)).getbbox()
    return found and Box(*found)


@needs_pdftotext
@pytest.mark.parametrize(
    "words",
    [
        ("The", "first", "line"),
        ("Łódź", "gołąb", "żółć"),
        ("Ελλάδα", "λιμάνι"),
        ("Москва", "пристань", "Київ"),
        ("№½€", "naïve—“so”"),
        ("東京", "\U0001f600"),
    ],
)
def test_every_word_is_found_where_it_was_read(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, words: tuple[str, ...]
) -> None:
    places = [(word, 100 + 250 * place) for place, word in enumerate(words)]
    line = make_line(*places)
    path = exported(tmp_path / "a.pdf", [make_page([line])])
    assert text_of(path) == " ".join(words)
    found = words_of(path)
    assert tuple(text for text, _ in found) == words
    for word, (_, (left, top, right, bottom)) in zip(line.words, found, strict=True):
        assert (left, right) == pytest.approx((word.box.left * POINTS, word.box.right * POINTS), abs=0.5)
        assert top < (word.box.top + word.box.bottom) / 2 * POINTS < bottom


@pytest.mark.parametrize("export_format", [ExportFormat.PDF_TEXT_AND_IMAGES, ExportFormat.PDF_SEARCHABLE])
@pytest.mark.parametrize(("first", "second"), [("שלום", "עולם"), ("مرحبا", "بالعالم")])
def test_words_that_are_read_from_right_to_left_are_found(
    tmp_path: Path,
    make_line: MakeLine,
    make_page: MakePage,
    stored: StoredImage,
    *,
    export_format: ExportFormat,
    first: str,
    second: str,
) -> None:
    page = make_page([make_line((first, 700), (second, 500))], stored=stored)
    path = exported(tmp_path / "a.pdf", [page], export_format)
    assert text_of(path) == f"{first} {second}"
    with closing(pypdfium2.PdfDocument(path)) as document, closing(document[0].get_textpage()) as text:
        left, _, right, _ = text.get_charbox(0)  # of the first letter, which stands rightmost
        assert (left + right) / 2 == pytest.approx((700 + 20 * len(first) - 10) * POINTS, abs=10)


def test_lines_come_out_in_reading_order(tmp_path: Path, make_line: MakeLine, make_page: MakePage) -> None:
    lines = [make_line(("Two", 50), ("words", 150)), make_line(("and", 50), ("more", 150), top=200)]
    assert text_of(exported(tmp_path / "a.pdf", [make_page(lines)])) == "Two words\nand more"


@pytest.mark.parametrize("word", ["Harbour", "Łódź", "Ελλάδα", "Москва"])
def test_a_word_is_to_be_seen_in_its_box(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, word: str
) -> None:
    (box,) = (one.box for one in make_line((word, 100), top=300).words)
    seen = ink(exported(tmp_path / "a.pdf", [make_page([make_line((word, 100), top=300)])]))
    assert box.left - 3 <= seen.left < seen.right <= box.right + 3
    assert seen.height == pytest.approx(box.height, abs=3)


def test_a_word_without_long_letters_has_the_size_of_its_line(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    line = make_line(("Hall", 50), ("Hill", 200), ("on", 350))
    low = replace(line.words[2], box=Box(350, 108, 390, 130))
    path = exported(tmp_path / "a.pdf", [make_page([replace(line, words=(*line.words[:2], low))])])
    seen = inked(shown(path).crop((340, 0, 500, 1400)))
    assert seen is not None
    assert seen.height == pytest.approx(22, abs=3)


def test_characters_that_no_font_has_are_invisible_and_not_lost(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    nobodys = "\U00100123\U00100456"  # for private use
    path = exported(tmp_path / "a.pdf", [make_page([make_line((nobodys, 100))])])
    assert text_of(path) == nobodys
    assert shown(path).getextrema() == ((255, 255),) * 3


def test_text_follows_a_baseline_that_slopes(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    line = make_line(("climbing", 100))
    word = replace(line.words[0], box=Box(100, 900, 130, 1200))
    upward = replace(line, words=(word,), box=word.box, baseline=Baseline(130, 1200, 130, 900))
    path = exported(tmp_path / "a.pdf", [make_page([upward])])
    assert text_of(path) == "climbing"
    seen = ink(path)
    assert (seen.top, seen.bottom) == pytest.approx((900, 1200), abs=8)
    assert seen.width < 40


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_pictures_stand_where_they_did(tmp_path: Path, make_page: MakePage, mode: str) -> None:
    drawn = Image.new("RGB", (1000, 1400), WHITE)
    drawn.paste(RED if mode == "RGB" else (0, 0, 0), (100, 200, 500, 400))
    image = tmp_path / ("page.tif" if mode == "1" else "page.jpg")
    drawn.convert(mode).save(image)
    picture = Block(BlockType.PICTURE, Box(90, 190, 510, 410))
    path = exported(tmp_path / "a.pdf", [make_page(picture, image=image)])
    difference = ImageChops.difference(shown(path), drawn.convert(mode).convert("RGB"))
    assert max(high for _, high in difference.crop((110, 210, 490, 390)).getextrema()) < 12
    assert ink(path) == pytest.approx((100, 200, 500, 400), abs=4)


def test_nothing_else_of_the_page_is_shown(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, page_image: Path
) -> None:
    path = exported(tmp_path / "a.pdf", [make_page([make_line(("text", 100))], image=page_image)])
    with pikepdf.open(path) as pdf:
        assert not pdf.pages[0].Resources.get("/XObject")


def test_separators_and_the_rules_of_tables_are_lines(
    tmp_path: Path, make_page: MakePage, make_table: MakeTable
) -> None:
    level = Block(BlockType.SEPARATOR, Box(100, 300, 900, 304))
    table = make_table(("", "", ""), ("", "<", ""))
    image = shown(exported(tmp_path / "a.pdf", [make_page(level, table)])).convert("L")
    assert image.getpixel((500, 302)) < 128
    assert image.getpixel((500, 310)) == 255
    rows = [min(image.getpixel((x, y)) for x in (299, 300, 301)) for y in (525, 575)]
    assert rows[0] < 200  # between two cells
    assert rows[1] == 255  # within one that covers both columns


def test_the_rules_of_a_table_without_any_are_not_drawn(
    tmp_path: Path, make_page: MakePage, make_table: MakeTable
) -> None:
    path = exported(tmp_path / "a.pdf", [make_page(make_table(("", ""), ruled=False))])
    assert shown(path).getextrema() == ((255, 255),) * 3


def test_a_page_has_the_size_of_the_upright_one_and_may_be_empty(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    path = exported(
        tmp_path / "a.pdf", [make_page(), make_page([make_line(("turned", 100))], number=2, rotation=90)]
    )
    with closing(pypdfium2.PdfDocument(path)) as document:
        assert [page.get_size() for page in document] == [(720.0, 1008.0)] * 2
    assert [text_of(path, 0), text_of(path, 1)] == ["", "turned"]


def test_pages_share_fonts_that_have_only_what_is_shown(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    pages = [make_page([make_line(("abc", 100))], number=number) for number in (1, 2, 3)]
    path = exported(tmp_path / "a.pdf", pages)
    with pikepdf.open(path) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert len({page.obj.Resources.Font.objgen for page in pdf.pages}) == 1
    assert path.stat().st_size < 20_000
    assert [file.name for file in tmp_path.iterdir()] == ["a.pdf"]


def test_tags_tell_of_paragraphs_and_tables(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, make_table: MakeTable
) -> None:
    page = make_page([make_line(("two", 100), ("words", 300))], make_table(("Łódź", "1")))
    (document,) = tags_of(exported(tmp_path / "a.pdf", [page], write_tags="write"), 0)
    table = ["Table", ["TR", ["TD", "Łódź"], ["TD", "1"]]]
    assert document == ["Document", ["Div", ["P", "two words"], table]]


def test_a_picture_without_its_page_is_refused(tmp_path: Path, make_page: MakePage) -> None:
    with pytest.raises(ValueError, match="page 1 has no image"):
        exported(tmp_path / "a.pdf", [make_page(Block(BlockType.PICTURE, Box(0, 0, 9, 9)))])
