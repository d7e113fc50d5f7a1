# SPDX-License-Identifier: Apache-2.0
"""``docx``: text that flows, in paragraphs with styles, tables with merged cells, and pictures in between.

Each page begins on a page of its size. python-docx makes its paragraphs; they are taken out of its document
page by page, so that no more than one page of them is ever held.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml.shape import CT_Inline
from docx.section import Section
from docx.shared import Inches, Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph as DocxParagraph
from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types

from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.server.document import Alignment, Block, Page, Paragraph, ParagraphRole, Table
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.office_properties import describe
from airflow_provider_ocr.server.export.paper import Paper, column_widths, paper_of, picture_size
from airflow_provider_ocr.server.export.part_files import PartFiles
from airflow_provider_ocr.server.export.pictures import Picture, pictures_of
from airflow_provider_ocr.server.export.type_size import type_size
from airflow_provider_ocr.server.paragraph_text import paragraph_text

_BODY = "/word/document.xml"
_DEEPEST_HEADING = 3
_STYLES = {
    ParagraphRole.LIST_ITEM: "List Paragraph",
    ParagraphRole.CAPTION: "Caption",
    ParagraphRole.HEADER: "Header",
    ParagraphRole.FOOTER: "Footer",
}
_ALIGNMENTS = {
    Alignment.CENTER: WD_ALIGN_PARAGRAPH.CENTER,
    Alignment.RIGHT: WD_ALIGN_PARAGRAPH.RIGHT,
    Alignment.JUSTIFIED: WD_ALIGN_PARAGRAPH.JUSTIFY,
}
_PICTURE_TYPES = {"jpg": CONTENT_TYPE.JPEG, "png": CONTENT_TYPE.PNG}


class DocxExporter:
    """Writes ``docx`` to ``path``. A page with pictures needs its image file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document = Document()
        self._parts: PartFiles
        self._body: BinaryIO
        self._pictures = 0
        self._paper = Paper(0, 0)
        self._breaks = False

    def start(self, summary: DocumentSummary) -> None:  # noqa: ARG002 - nothing of it is in the file
        """Begin the body."""
        describe(self._document.core_properties)
        package = self._document.part.package
        thumbnails = [rel.rId for rel in package.rels.values() if rel.reltype == RELATIONSHIP_TYPE.THUMBNAIL]
        for thumbnail in thumbnails:
            del package.rels[thumbnail]
        self._parts = PartFiles(self._path)
        self._body = self._parts.open(_BODY)
        self._body.write(self._around_pages()[0])

    def page(self, page: Page) -> None:
        """Write the page.

        :raises ValueError: if it has pictures and no image.
        """
        self._begin(page)
        with pictures_of(page) as pictures:
            for block in page.blocks:
                if block.is_picture:
                    picture = pictures.of(block)
                    if picture is not None:
                        self._picture(picture, block, page)
                elif block.table is not None:
                    self._table(block.table, page)
                for paragraph in block.paragraphs:
                    self._text(paragraph)
        if self._breaks:
            self._paragraph()
        self._put_away()

    def finish(self) -> None:
        """Complete the file."""
        with self._body:
            self._body.write(self._around_pages()[1])
        skeleton = BytesIO()
        self._document.save(skeleton)
        self._parts.complete(skeleton.getvalue())

    def _begin(self, page: Page) -> None:
        """A new page, in a section of its own where its size is another than that of the page before."""
        paper = paper_of(page)
        if paper == self._paper:
            self._breaks = True
        else:
            first = page.number == 1
            _set_size(self._document.sections[0] if first else self._document.add_section(), paper)
            self._paper = paper

    def _paragraph(self) -> DocxParagraph:
        paragraph = self._document.add_paragraph()
        if self._breaks:
            paragraph.paragraph_format.page_break_before = True
            self._breaks = False
        return paragraph

    def _text(self, paragraph: Paragraph) -> None:
        if paragraph.lines:
            _fill(self._paragraph(), paragraph)

    def _table(self, table: Table, page: Page) -> None:
        if self._breaks:
            self._paragraph()  # a table cannot begin a page by itself
        style = "Table Grid" if table.ruled else None
        grid = self._document.add_table(len(table.rows) - 1, len(table.columns) - 1, style)
        grid.autofit = False
        inches = column_widths(table, dpi=page.dpi, most=self._paper.text_width)
        widths = [Inches(width) for width in inches]
        for column, width in zip(grid.columns, widths, strict=True):
            column.width = width
        places = [row.cells for row in grid.rows]
        for row in places:
            for place, width in zip(row, widths, strict=True):
                place.width = width
        for cell in table.cells:
            place = places[cell.row][cell.column]
            if (cell.row_span, cell.column_span) != (1, 1):
                last = places[cell.row + cell.row_span - 1][cell.column + cell.column_span - 1]
                place = place.merge(last)
            for paragraph, written in zip(cell.paragraphs, _paragraphs(place), strict=False):
                _fill(written, paragraph, style="No Spacing")
        self._paragraph()  # what follows would become part of the table if it were one too

    def _picture(self, picture: Picture, block: Block, page: Page) -> None:
        width, height = picture_size(picture.width, picture.height, dpi=page.dpi, paper=self._paper)
        self._pictures += 1
        name = PackURI(f"/word/media/image{self._pictures}.{picture.extension}")
        part = Part(name, _PICTURE_TYPES[picture.extension], b"", self._document.part.package)
        self._parts.add(name, picture.data)
        inline = CT_Inline.new_pic_inline(
            self._pictures,
            self._document.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE),
            name.filename,
            Inches(width),
            Inches(height),
        )
        if block.barcode is not None:
            inline.docPr.set("descr", as_xml_text(block.barcode.text))
        self._paragraph().add_run().element.add_drawing(inline)

    def _put_away(self) -> None:
        """Move what the document has so far to the body's file; its last section stays."""
        body = self._document.element.body
        section = body[-1]
        body.remove(section)
        written = etree.tostring(body, encoding="UTF-8")
        self._body.write(written[written.index(b">") + 1 : written.rindex(b"<")])
        for child in list(body):
            body.remove(child)
        body.append(section)

    def _around_pages(self) -> tuple[bytes, bytes]:
        """What of the main part stands before the pages, and what behind them."""
        written: bytes = etree.tostring(
            self._document.element, encoding="UTF-8", xml_declaration=True, standalone=True
        )
        place = written.index(b"<w:sectPr")
        return written[:place], written[place:]


def _fill(written: DocxParagraph, paragraph: Paragraph, *, style: str = "Normal") -> None:
    """Give ``written``, which is empty, the text and the looks of ``paragraph``.

    :param style: of a paragraph that has no role of its own.
    """
    if paragraph.role is ParagraphRole.HEADING:
        style = f"Heading {min(max(paragraph.level, 1), _DEEPEST_HEADING)}"
    # By its ID: to look styles up by name takes two thirds of all the time.
    written._p.style = _STYLES.get(paragraph.role, style).replace(" ", "")
    if paragraph.alignment in _ALIGNMENTS:
        written.alignment = _ALIGNMENTS[paragraph.alignment]
    run = written.add_run(as_xml_text(paragraph_text(paragraph)))
    size = type_size(paragraph)
    if size is not None:
        run.font.size = Pt(size)


def _paragraphs(cell: _Cell) -> Iterator[DocxParagraph]:
    """Empty paragraphs of the cell, as many as are asked for; it has one from the beginning."""
    yield cell.paragraphs[0]
    while True:
        yield cell.add_paragraph()


def _set_size(section: Section, paper: Paper) -> None:
    section.orientation = WD_ORIENT.LANDSCAPE if paper.is_landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(paper.width), Mm(paper.height)
    margin = Inches(paper.margin)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = margin
