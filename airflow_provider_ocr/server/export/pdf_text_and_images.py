# SPDX-License-Identifier: Apache-2.0
"""``pdfTextAndImages``: the page set anew, with its pictures, its separators and tables' rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pikepdf

from airflow_provider_ocr.server.document import Block, BlockType, Box, Page, Table
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.pdf_document import PdfDocument
from airflow_provider_ocr.server.export.pdf_geometry import points_per_pixel
from airflow_provider_ocr.server.export.pdf_lettering import TypesetLettering
from airflow_provider_ocr.server.export.pdf_picture import add_picture
from airflow_provider_ocr.server.export.pictures import pictures_of
from airflow_provider_ocr.server.export.typefaces import Typefaces

_RULE = 0.5  # points
_THICKEST_SEPARATOR = 3.0


class PdfTextAndImagesExporter:
    """Writes pages of real text to ``path``. A page that has pictures needs its image."""

    def __init__(self, path: Path) -> None:
        self._document = PdfDocument(path, TypesetLettering(Typefaces()))

    def start(self, summary: DocumentSummary) -> None:
        """Make room for the pages."""
        self._document.start(summary)

    def page(self, page: Page) -> None:
        """Write the page.

        :raises ValueError: if the page has pictures and no image.
        """

        def draw(pdf: pikepdf.Pdf, added: pikepdf.Page) -> str:
            return "\n".join([*_pictures(pdf, added, page), *_rules(page)])

        self._document.add(page, draw)

    def finish(self) -> None:
        """Complete the file."""
        self._document.finish()


def _pictures(pdf: pikepdf.Pdf, added: pikepdf.Page, page: Page) -> Iterator[str]:
    """Operators that show the pictures, which become part of the page."""
    added.obj.Resources.XObject = images = pikepdf.Dictionary()
    scale = points_per_pixel(page)
    with pictures_of(page) as pictures:
        for number, block in enumerate(block for block in page.blocks if block.is_picture):
            picture = pictures.of(block)
            if picture is not None:
                images[f"/Im{number}"] = add_picture(pdf, picture)
                left, bottom, width, height = _rectangle(picture.box, page, scale)
                yield f"q {width:.3f} 0 0 {height:.3f} {left:.3f} {bottom:.3f} cm /Im{number} Do Q"


def _rules(page: Page) -> Iterator[str]:
    """Operators that draw what separates parts of the page, and the lines of its tables."""
    scale = points_per_pixel(page)
    for block in page.blocks:
        if block.type is BlockType.SEPARATOR:
            yield _separator(block, page, scale)
        elif block.table is not None and block.table.ruled:
            yield f"{_RULE} w"
            for box in _grid(block.table):
                numbers = " ".join(f"{number:.2f}" for number in _rectangle(box, page, scale))
                yield f"{numbers} re S"


def _separator(block: Block, page: Page, scale: float) -> str:
    """A line through the middle of its box, from end to end of it."""
    left, bottom, width, height = _rectangle(block.box, page, scale)
    thickness = min(max(min(width, height), _RULE), _THICKEST_SEPARATOR)
    x, y = left + width / 2, bottom + height / 2
    ends = (left, y, left + width, y) if width >= height else (x, bottom, x, bottom + height)
    return "{:.2f} w {:.2f} {:.2f} m {:.2f} {:.2f} l S".format(thickness, *ends)


def _grid(table: Table) -> Iterator[Box]:
    for cell in table.cells:
        yield Box(
            table.columns[cell.column],
            table.rows[cell.row],
            table.columns[cell.column + cell.column_span],
            table.rows[cell.row + cell.row_span],
        )


def _rectangle(box: Box, page: Page, scale: float) -> tuple[float, float, float, float]:
    """Left, bottom, width and height in points."""
    return box.left * scale, (page.height - box.bottom) * scale, box.width * scale, box.height * scale
