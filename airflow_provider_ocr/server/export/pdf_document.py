# SPDX-License-Identifier: Apache-2.0
"""A PDF file that is made page by page in bounded memory: what lies behind the text, the text, the tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from pathlib import Path

import pikepdf

from airflow_provider_ocr.protocol.vocabulary import WriteTags
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.pdf_geometry import size_in_points
from airflow_provider_ocr.server.export.pdf_parts import PdfParts
from airflow_provider_ocr.server.export.pdf_saving import save_plain
from airflow_provider_ocr.server.export.pdf_structure import PageStructure, marked
from airflow_provider_ocr.server.export.pdf_tags import add_page_tags, add_tag_tree
from airflow_provider_ocr.server.export.pdf_text import Lettering, text_operators

Draw = Callable[[pikepdf.Pdf, pikepdf.Page], str]
"""Adds what the page shows besides its text, and gives the operators that show it."""


class PdfDocument:
    """Writes a file to ``path``.

    :param lettering: how its text is shown.
    :param save: writes the finished document.
    """

    def __init__(
        self, path: Path, lettering: Lettering, *, save: Callable[[pikepdf.Pdf, Path], None] = save_plain
    ) -> None:
        self._path = path
        self._lettering = lettering
        self._save = save
        self._parts: PdfParts

    def start(self, summary: DocumentSummary) -> None:
        """Make room for the pages."""
        self._tagged = summary.settings.write_tags is WriteTags.WRITE
        self._parts = PdfParts(self._path)

    def add(self, page: Page, draw: Draw) -> None:
        """Write the page to a file of its own, still without a font."""
        with self._parts.page(size_in_points(page)) as (pdf, added):
            added.obj.Resources = pikepdf.Dictionary()
            shown = draw(pdf, added)
            marks: Iterable[str] = repeat("")
            if self._tagged:
                structure = PageStructure.of(page)
                add_page_tags(pdf, added, structure)
                shown, marks = marked("/Artifact BMC", shown), structure.marks
            text = text_operators(page, marks, self._lettering)
            added.obj.Contents = pdf.make_stream(f"{shown}\n{text}".encode("ascii"))

    def finish(self) -> None:
        """Join the pages and give them the fonts."""
        with self._parts.joined() as pdf:
            fonts = pdf.make_indirect(self._lettering.add_to(pdf))
            for page in pdf.pages:
                page.obj.Resources.Font = fonts
            if self._tagged:
                add_tag_tree(pdf)
            self._save(pdf, self._path)
