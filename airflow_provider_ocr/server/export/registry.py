# SPDX-License-Identifier: Apache-2.0
"""Which export formats are carried out, and by what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.export.exporter import DocumentSummary, Exporter
from airflow_provider_ocr.server.export.pdf_searchable import PdfSearchableExporter
from airflow_provider_ocr.server.export.txt import TxtExporter
from airflow_provider_ocr.server.export.xml import XmlExporter

__all__ = ["FORMATS", "DocumentSummary", "Exporter", "exporter_for"]

_EXPORTERS: dict[ExportFormat, Callable[[Path], Exporter]] = {
    ExportFormat.TXT: TxtExporter,
    ExportFormat.PDF_SEARCHABLE: PdfSearchableExporter,
    ExportFormat.XML: XmlExporter,
}

FORMATS: frozenset[ExportFormat] = frozenset(_EXPORTERS)
"""The formats that are carried out."""


def exporter_for(export_format: ExportFormat, path: Path) -> Exporter:
    """What writes ``export_format`` to ``path``.

    :raises KeyError: for a format that is not in ``FORMATS``.
    """
    return _EXPORTERS[export_format](path)
