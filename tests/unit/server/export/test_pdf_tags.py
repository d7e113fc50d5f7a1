# SPDX-License-Identifier: Apache-2.0
"""Tagged PDF files, read back by a PDF reader that had no part in writing them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pikepdf
import pytest
from pikepdf import pdfa
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import (
    Block,
    BlockType,
    Box,
    Cell,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
    Table,
)
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.stored_image import StoredImage
from tests.unit.server.export.tagged import tags_of

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]

FORMATS = [ExportFormat.PDF_SEARCHABLE, ExportFormat.PDFA]
BOX = Box(0, 500, 900, 700)
NOT_READ = [""]  # this reader leaves out elements without content


@pytest.fixture
def image(tmp_path: Path) -> StoredImage:
    Image.new("L", (1000, 1400), 255).save(tmp_path / "page.jpg")
    with Image.open(tmp_path / "page.jpg") as opened:
        found = stored_image(opened, tmp_path / "page.jpg")
    assert found is not None
    return found


def exported(
    path: Path, pages: Sequence[Page], export_format: ExportFormat, write_tags: str = "write"
) -> Path:
    exporter = exporter_for(export_format, path)
    settings = ProcessingSettings.parse(export_format=export_format, write_tags=write_tags)
    exporter.start(DocumentSummary(len(pages), settings))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path


@pytest.fixture
def page(make_line: MakeLine, make_page: MakePage, image: StoredImage) -> Page:
    """A heading, a paragraph of two lines, a table with a wide cell and an empty one, and a footer."""

    def paragraph(*texts: str, top: int, left: int = 100) -> Paragraph:
        return Paragraph(tuple(make_line((text, left), top=top + 50 * n) for n, text in enumerate(texts)))

    heading = Paragraph(paragraph("Report", top=50).lines, ParagraphRole.HEADING, level=1)
    footer = Paragraph(paragraph("7", top=1300).lines, ParagraphRole.FOOTER)
    cells = (
        Cell(row=0, column=0, column_span=2, box=BOX, paragraphs=(paragraph("Prices", top=510),)),
        Cell(row=1, column=0, box=BOX, paragraphs=(paragraph("Łódź", top=610),)),
        Cell(row=1, column=1, box=BOX),
    )
    table = Table(columns=(0, 450, 900), rows=(500, 600, 700), cells=cells, ruled=True)
    return make_page(
        Block(BlockType.TEXT, BOX, (heading, paragraph("first", "second", top=100))),
        Block(BlockType.TABLE, BOX, table=table),
        Block(BlockType.TEXT, BOX, (footer,)),
        stored=image,
    )


@pytest.mark.parametrize("export_format", FORMATS)
def test_a_reader_finds_the_parts_and_their_text(
    tmp_path: Path, page: Page, make_page: MakePage, image: StoredImage, export_format: ExportFormat
) -> None:
    path = exported(tmp_path / "a.pdf", [page, make_page(number=2, stored=image), page], export_format)
    table = ["Table", ["TR", ["TD", "Prices"]], ["TR", ["TD", "Łódź"], NOT_READ]]
    parts = [["H1", "Report"], ["P", "first second"], table]
    for number in (0, 2):
        (document,) = tags_of(path, number)
        assert document[0] == "Document"
        assert ["Div", *parts] in document
    with pikepdf.open(path) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert pdf.Root.MarkInfo.Marked
        spans = [
            (int(item.A.RowSpan), int(item.A.ColSpan))
            for item in pdf.objects
            if isinstance(item, pikepdf.Dictionary) and "/A" in item
        ]
        assert spans == [(1, 2)] * 2


def test_a_tagged_file_for_archives_conforms(tmp_path: Path, page: Page) -> None:
    path = exported(tmp_path / "a.pdf", [page], ExportFormat.PDFA)
    assert pdfa.validate_written(path, "1b").passed


@pytest.mark.parametrize("export_format", FORMATS)
@pytest.mark.parametrize("write_tags", ["auto", "dontWrite"])
def test_no_tags_are_written_where_nobody_asked(
    tmp_path: Path, page: Page, export_format: ExportFormat, write_tags: str
) -> None:
    path = exported(tmp_path / "a.pdf", [page], export_format, write_tags)
    with pikepdf.open(path) as pdf:
        assert "/StructTreeRoot" not in pdf.Root
        assert b"BDC" not in pdf.pages[0].Contents.read_bytes()


def test_nothing_of_the_writing_stays_in_the_file(tmp_path: Path, page: Page) -> None:
    path = exported(tmp_path / "a.pdf", [page, page], ExportFormat.PDF_SEARCHABLE)
    with pikepdf.open(path) as pdf:
        known = {"/Contents", "/MediaBox", "/Parent", "/Resources", "/StructParents", "/Type"}
        assert all(set(page.obj.keys()) == known for page in pdf.pages)
