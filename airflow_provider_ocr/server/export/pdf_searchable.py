# SPDX-License-Identifier: Apache-2.0
"""``pdfSearchable`` and ``pdfa``: the corrected page image, and its text, invisible, word upon word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pikepdf

from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.pdf_document import PdfDocument
from airflow_provider_ocr.server.export.pdf_geometry import size_in_points
from airflow_provider_ocr.server.export.pdf_lettering import InvisibleLettering
from airflow_provider_ocr.server.export.pdf_page_image import add_image, show_image
from airflow_provider_ocr.server.export.pdf_saving import save_plain

_IMAGE = "/Im0"


class PdfSearchableExporter:
    """Writes page images with their text to ``path``. Every page it takes needs its stored image.

    :param save: writes the finished document.
    """

    def __init__(self, path: Path, *, save: Callable[[pikepdf.Pdf, Path], None] = save_plain) -> None:
        self._document = PdfDocument(path, InvisibleLettering(), save=save)

    def start(self, summary: DocumentSummary) -> None:
        """Make room for the pages."""
        self._document.start(summary)

    def page(self, page: Page) -> None:
        """Write the page.

        :raises ValueError: if the page has no image.
        """
        stored = page.stored
        if stored is None:
            raise ValueError(f"page {page.number} has no stored image, which a searchable PDF file shows")

        def draw(pdf: pikepdf.Pdf, added: pikepdf.Page) -> str:
            added.obj.Resources.XObject = pikepdf.Dictionary({_IMAGE: add_image(pdf, stored)})
            return show_image(_IMAGE, stored, size_in_points(page))

        self._document.add(page, draw)

    def finish(self) -> None:
        """Complete the file."""
        self._document.finish()
