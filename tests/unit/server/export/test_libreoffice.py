# SPDX-License-Identifier: Apache-2.0
"""LibreOffice opens every office file, and finds in it the words, tables and pictures of its pages."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from lxml import etree, html  # type: ignore[import-untyped]  # lxml carries no types
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import (
    Alignment,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
    Table,
)
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.registry import exporter_for
from airflow_provider_ocr.server.paragraph_text import line_text, paragraph_text
from benchmarks.libreoffice import Grid, convert, grid_of, soffice, spoken

FORMATS = (ExportFormat.DOCX, ExportFormat.RTF, ExportFormat.XLSX, ExportFormat.PPTX)
WITHOUT_PICTURES = {ExportFormat.XLSX}
PICTURE = Block(BlockType.PICTURE, Box(100, 1200, 500, 1390))

LETTERS = "the quay harbour Łódź gołąb Straße Öl garçon naïve Ελλάδα λιμάνι Київ пристань 東京"
SIGNS = '=1+2 +49 -7 @home {brace} back\\slash a&b <tag> "quoted" don\'t 50% 3/4 http://a.b/c — “so” •'
WORDS = [*LETTERS.split(), *SIGNS.split()]
NUMBERS = ("1.234,56", "27,50", "0,99", "-12,00", "007", "12.5.2024", "1/2", "100")

pytestmark = pytest.mark.skipif(soffice() is None, reason="LibreOffice is not installed")

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
MakeTable = Callable[..., Block]


@dataclass(frozen=True, slots=True)
class Opened:
    """What LibreOffice found in a file.

    :param words: in their order.
    :param tables: those that are no mere sheets.
    :param pictures: how many.
    """

    words: list[str]
    tables: list[Grid]
    pictures: int


def opened(files: Sequence[Path], folder: Path) -> list[Opened]:
    """Open all of the files, in as few starts of LibreOffice as can be: each takes seconds."""
    slides = [file for file in files if file.suffix == ".pptx"]
    convert([file for file in files if file.suffix != ".pptx"], "html", folder)
    convert(slides, "fodp", folder)  # in HTML it leaves out what floats on a slide
    return [
        _slides(_converted(file, folder)) if file in slides else _page(_converted(file, folder))
        for file in files
    ]


def _converted(file: Path, folder: Path) -> Path:
    (converted,) = (folder / "converted").glob(f"{file.stem}.*")
    return converted


def _page(file: Path) -> Opened:
    (body,) = html.fromstring(file.read_bytes()).iter("body")
    if body.xpath("//a[@name='table0']"):
        body = _sheets(body)
    tables = [grid_of(table) for table in body.iter("table")]
    for element in body.iter("p", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "br", "li"):
        element.text = f" {element.text or ''}"
        element.tail = f" {element.tail or ''}"
    return Opened(body.text_content().split(), tables, len(list(body.iter("img"))))


def _sheets(body: html.HtmlElement) -> html.HtmlElement:
    """The sheets of a workbook without the list of them that LibreOffice puts in front."""
    sheets = html.Element("body")
    sheets.extend(body.iter("table"))
    return sheets


def _slides(file: Path) -> Opened:
    root = etree.parse(file).getroot()
    for notes in list(root.iter(f"{{{root.nsmap['presentation']}}}notes")):
        notes.getparent().remove(notes)
    words = [spoken(paragraph) for paragraph in root.xpath("//draw:page//text:p", namespaces=root.nsmap)]
    tables = [_slide_grid(table) for table in root.xpath("//draw:page//table:table", namespaces=root.nsmap)]
    # A table has a picture too, of itself.
    images = root.xpath("//draw:page/draw:frame[not(table:table)]/draw:image", namespaces=root.nsmap)
    return Opened(" ".join(words).split(), tables, len(images))


def _slide_grid(table: etree._Element) -> Grid:
    span = f"{{{table.nsmap['table']}}}number-%s-spanned"
    return [
        [
            (spoken(cell), int(cell.get(span % "columns", 1)), int(cell.get(span % "rows", 1)))
            for cell in row.findall("table:table-cell", table.nsmap)
        ]
        for row in table.iter(f"{{{table.nsmap['table']}}}table-row")
    ]


def _cells(table: Table) -> Grid:
    rows: Grid = [[] for _ in table.rows[1:]]
    for cell in table.cells:
        text = " ".join(paragraph_text(paragraph) for paragraph in cell.paragraphs)
        rows[cell.row].append((text, cell.column_span, cell.row_span))
    return rows


class Drawing:
    """Makes pages of everything that an office file can show, from a seed."""

    def __init__(self, seed: int, make_line: MakeLine, make_page: MakePage, make_table: MakeTable) -> None:
        self._random = random.Random(seed)
        self._line, self._page, self._table = make_line, make_page, make_table

    def document(self, pages: int, image: Path) -> list[Page]:
        """Pages with running titles, headings, text, a list, a table with rules, one without, a picture."""
        return [self._page(*self._blocks(), number=number, image=image) for number in range(1, pages + 1)]

    def _blocks(self) -> list[Block]:
        return [
            self._text(ParagraphRole.HEADER, 1, top=20),
            self._text(ParagraphRole.HEADING, 1, top=80, level=self._random.randint(1, 4)),
            self._text(ParagraphRole.TEXT, 6, top=140),
            self._text(ParagraphRole.LIST_ITEM, 2, top=380),
            self._grid(top=500, ruled=True),
            self._text(ParagraphRole.TEXT, 3, top=760),
            self._grid(top=900, ruled=False),
            PICTURE,
            self._text(ParagraphRole.FOOTER, 1, top=1360),
        ]

    def _text(self, role: ParagraphRole, lines: int, *, top: int, level: int = 0) -> Block:
        made = [self._words(top + 40 * number) for number in range(lines)]
        made = [replace(line, size=11.0, hyphenated=self._random.random() < 0.3) for line in made]
        alignment = self._random.choice(list(Alignment))
        return Block(
            BlockType.TEXT,
            Box(100, top, 900, top + 40 * lines),
            (Paragraph(tuple(made), role, alignment, level),),
        )

    def _words(self, top: int) -> Line:
        words, left = [], 100
        for _ in range(self._random.randint(1, 6)):
            words.append((self._random.choice(WORDS), left))
            left += 150
        if self._random.random() < 0.3:
            words.append(("har-", left))
        return self._line(*words, top=top)

    def _grid(self, *, top: int, ruled: bool) -> Block:
        """Words beside numbers, an empty cell, one that covers two columns, and one that covers two rows."""
        rows = [
            ["name", "price", "<"],
            [*self._random.sample(WORDS, 1), *self._random.sample(NUMBERS, 2)],
            [*self._random.sample(WORDS, 1), "^", self._random.choice(NUMBERS)],
            ["", *self._random.sample(NUMBERS, 2)],
        ]
        return self._table(*rows, ruled=ruled, top=top)


def _expected(pages: Sequence[Page], export_format: ExportFormat) -> list[str]:
    """The words of the pages; a workbook keeps lines apart, and so the halves of words at their ends."""
    words: list[str] = []
    for block in itertools.chain.from_iterable(page.blocks for page in pages):
        for paragraph in block.paragraphs:
            if export_format is ExportFormat.XLSX:
                words.extend(
                    itertools.chain.from_iterable(line_text(line).split() for line in paragraph.lines)
                )
            else:
                words.extend(paragraph_text(paragraph).split())
        for cell in block.table.cells if block.table else ():
            words.extend(
                itertools.chain.from_iterable(paragraph_text(one).split() for one in cell.paragraphs)
            )
    return words


def _written(pages: Sequence[Page], export_format: ExportFormat, path: Path) -> Path:
    exporter = exporter_for(export_format, path)
    settings = ProcessingSettings.parse(language="German", export_format=export_format)
    exporter.start(DocumentSummary(len(pages), settings))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path


def _hold(opened_file: Opened, pages: Sequence[Page], export_format: ExportFormat) -> None:
    """The file shows what the pages have."""
    assert opened_file.words == _expected(pages, export_format)
    wanted = [_cells(block.table) for page in pages for block in page.blocks if block.table]
    if export_format is ExportFormat.XLSX:
        rows = [row for sheet in opened_file.tables for row in sheet]
        for table in wanted:
            assert any(rows[at : at + len(table)] == table for at in range(len(rows))), (table, rows)
    else:
        assert opened_file.tables == wanted
    shown = sum(block.is_picture for page in pages for block in page.blocks)
    assert opened_file.pictures == (0 if export_format in WITHOUT_PICTURES else shown)


@pytest.fixture(scope="module")
def page_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("image") / "page.jpg"
    Image.effect_noise((1000, 1400), 60).save(path)
    return path


@pytest.fixture(scope="module")
def few(
    tmp_path_factory: pytest.TempPathFactory,
    page_picture: Path,
    make_line: MakeLine,
    make_page: MakePage,
    make_table: MakeTable,
) -> dict[ExportFormat, tuple[list[Page], Opened]]:
    """A document in each format, as LibreOffice read it."""
    folder = tmp_path_factory.mktemp("few")
    pages = Drawing(1, make_line, make_page, make_table).document(3, page_picture)
    files = [_written(pages, one, folder / f"{one}.{one}") for one in FORMATS]
    return {one: (pages, read) for one, read in zip(FORMATS, opened(files, folder), strict=True)}


@pytest.mark.parametrize("export_format", FORMATS)
def test_words_tables_and_pictures_are_those_of_the_pages(
    few: dict[ExportFormat, tuple[list[Page], Opened]], export_format: ExportFormat
) -> None:
    pages, read = few[export_format]
    _hold(read, pages, export_format)


@pytest.mark.long
def test_so_it_is_with_a_hundred_files(
    tmp_path: Path, page_picture: Path, make_line: MakeLine, make_page: MakePage, make_table: MakeTable
) -> None:
    cases = [
        (one, Drawing(seed, make_line, make_page, make_table).document(1 + seed % 4, page_picture), seed)
        for seed in range(100, 125)
        for one in FORMATS
    ]
    files = [_written(pages, one, tmp_path / f"{one}-{seed}.{one}") for one, pages, seed in cases]
    for (one, pages, _), read in zip(cases, opened(files, tmp_path), strict=True):
        _hold(read, pages, one)
