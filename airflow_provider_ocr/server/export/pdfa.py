# SPDX-License-Identifier: Apache-2.0
"""``pdfa``: the searchable PDF file, saved as PDF/A-1b."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_ocr.server.export.pdf_saving import save_for_archives
from airflow_provider_ocr.server.export.pdf_searchable import PdfSearchableExporter


class PdfaExporter(PdfSearchableExporter):
    """Writes page images with their text to ``path``, for archives."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, save=save_for_archives)
