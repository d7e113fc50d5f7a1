# SPDX-License-Identifier: Apache-2.0
"""``rtf``: text that flows, in paragraphs, with headings, tables with merged cells and pictures in between.

ASCII throughout; every other character is written by its number. Written by hand, as it comes: no library
that is kept up writes it, and a document of any length takes the memory of one page.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.server.document import (
    Alignment,
    Block,
    Cell,
    Page,
    Paragraph,
    ParagraphRole,
    Table,
)
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.paper import Paper, column_widths, paper_of, picture_size
from airflow_provider_ocr.server.export.pictures import Picture, pictures_of
from airflow_provider_ocr.server.export.rtf_text import rtf_text
from airflow_provider_ocr.server.export.type_size import type_size
from airflow_provider_ocr.server.paragraph_text import paragraph_text

_TWIPS = 1440  # to an inch
_TWIPS_PER_MILLIMETRE = _TWIPS / 25.4
_HEADINGS = {1: 16.0, 2: 14.0, 3: 12.0}  # points by level; what is deeper looks like the last
_LIST_ITEM = 4  # its style's number, behind those of the headings
_TEXT_SIZE = 11.0
_ALIGNMENTS = {Alignment.CENTER: r"\qc", Alignment.RIGHT: r"\qr", Alignment.JUSTIFIED: r"\qj"}
_RULES = "".join(rf"\clbrdr{side}\brdrs\brdrw10" for side in "tlbr")
_BLIPS = {"jpg": r"\jpegblip", "png": r"\pngblip"}
_BYTES_PER_LINE = 64


class RtfExporter:
    """Writes ``rtf`` to ``path``. A page with pictures needs its image file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO
        self._paper: Paper | None = None
        self._breaks = False

    def start(self, summary: DocumentSummary) -> None:  # noqa: ARG002 - nothing of it is in the file
        """Begin the file."""
        self._file = self._path.open("w", encoding="ascii", newline="\n")
        styles = "".join(
            rf"{{\s{level}\outlinelevel{level - 1}\b\fs{2 * size:.0f} heading {level};}}"
            for level, size in _HEADINGS.items()
        )
        self._file.write(
            "{\\rtf1\\ansi\\ansicpg1252\\deff0\\uc1\n"
            "{\\fonttbl{\\f0\\fswiss\\fcharset0 Arial;}}\n"
            f"{{\\stylesheet{{\\s0 Normal;}}{styles}{{\\s{_LIST_ITEM}\\li360 List Paragraph;}}}}\n"
            f"{{\\*\\generator airflow-provider-ocr {__version__};}}\n"
        )

    def page(self, page: Page) -> None:
        """Write the page.

        :raises ValueError: if it has pictures and no image.
        """
        paper = self._begin(page)
        with pictures_of(page) as pictures:
            for block in page.blocks:
                if block.is_picture:
                    picture = pictures.of(block)
                    if picture is not None:
                        self._picture(picture, block, page, paper)
                elif block.table is not None:
                    self._table(block.table, page, paper)
                for paragraph in block.paragraphs:
                    if paragraph.lines:
                        self._file.write(f"{self._pard()}{_text(paragraph)}\\par\n")
        if self._breaks:
            self._file.write(f"{self._pard()}\\par\n")

    def finish(self) -> None:
        """Close the file."""
        with self._file:
            self._file.write("}\n")

    def _begin(self, page: Page) -> Paper:
        """A new page, in a section of its own where its size is another than that of the page before."""
        paper = paper_of(page)
        self._breaks = paper == self._paper
        if not self._breaks:
            self._file.write(_page_format(paper, first=self._paper is None))
        self._paper = paper
        return paper

    def _pard(self) -> str:
        """What a paragraph begins with."""
        begins_page, self._breaks = self._breaks, False
        return r"\pard\plain" + r"\pagebb" * begins_page

    def _picture(self, picture: Picture, block: Block, page: Page, paper: Paper) -> None:
        width, height = picture_size(picture.width, picture.height, dpi=page.dpi, paper=paper)
        said = ""
        if block.barcode is not None:
            text = rtf_text(as_xml_text(block.barcode.text))
            said = f"{{\\*\\picprop{{\\sp{{\\sn wzDescription}}{{\\sv {text}}}}}}}"
        self._file.write(
            f"{self._pard()}{{\\pict{said}{_BLIPS[picture.extension]}\\picw{picture.width}\\pich{picture.height}"
            f"\\picwgoal{round(width * _TWIPS)}\\pichgoal{round(height * _TWIPS)}\n"
        )
        self._file.write(picture.data.hex("\n", _BYTES_PER_LINE))
        self._file.write("}\\par\n")

    def _table(self, table: Table, page: Page, paper: Paper) -> None:
        if self._breaks:
            self._file.write(f"{self._pard()}\\par\n")  # a row of a table cannot begin a page by itself
        ends = [0.0]
        for width in column_widths(table, dpi=page.dpi, most=paper.text_width):
            ends.append(ends[-1] + width)
        rows: list[list[Cell]] = [[] for _ in table.rows[1:]]
        for cell in table.cells:
            for row in range(cell.row, cell.row + cell.row_span):
                rows[row].append(cell)
        for row, cells in enumerate(rows):
            self._file.write("".join(_row(sorted(cells, key=_column), row, ends, ruled=table.ruled)))
        self._file.write("\\pard\\plain\\par\n")  # the next table would become part of this one


def _row(cells: list[Cell], row: int, ends: list[float], *, ruled: bool) -> Iterator[str]:
    """One row of a table.

    :param cells: those that cover a place of the row, from left to right.
    :param ends: inches from the table's left edge to where each column begins, and the last ends.
    """
    yield r"\trowd\trgaph70"
    for cell in cells:
        if cell.row_span > 1:
            yield r"\clvmgf" if cell.row == row else r"\clvmrg"
        yield _RULES if ruled else ""
        yield rf"\cellx{max(1, round(ends[cell.column + cell.column_span] * _TWIPS))}"
    yield "\n"
    for cell in cells:
        written = cell.paragraphs if cell.row == row else ()
        yield "\\par\n".join(rf"\pard\plain\intbl{_text(paragraph)}" for paragraph in written) or (
            r"\pard\plain\intbl"
        )
        yield "\\cell\n"
    yield "\\row\n"


def _column(cell: Cell) -> int:
    return cell.column


def _page_format(paper: Paper, *, first: bool) -> str:
    """The words that set the size of the document, or of a section that begins here, and of its margins."""
    width, height = (round(side * _TWIPS_PER_MILLIMETRE) for side in (paper.width, paper.height))
    margin = round(paper.margin * _TWIPS)
    whole = "".join(rf"\marg{side}{margin}" for side in "lrtb")
    section = "".join(rf"\marg{side}sxn{margin}" for side in "lrtb")
    document = rf"\paperw{width}\paperh{height}{whole}" + r"\landscape" * paper.is_landscape
    turned = r"\lndscpsxn" * paper.is_landscape
    begun = document if first else r"\sect"
    return rf"{begun}\sectd\sbkpage\pgwsxn{width}\pghsxn{height}{section}{turned}" + "\n"


def _text(paragraph: Paragraph) -> str:
    """The paragraph's looks and text, without what begins and what ends it."""
    size, looks = type_size(paragraph), _ALIGNMENTS.get(paragraph.alignment, "")
    if paragraph.role is ParagraphRole.HEADING:
        level = min(max(paragraph.level, 1), max(_HEADINGS))
        size = size or _HEADINGS[level]
        looks += rf"\s{level}\outlinelevel{level - 1}\keepn\b"
    elif paragraph.role is ParagraphRole.LIST_ITEM:
        looks += rf"\s{_LIST_ITEM}\li360"
    return rf"{looks}\fs{2 * (size or _TEXT_SIZE):.0f} {rtf_text(as_xml_text(paragraph_text(paragraph)))}"
