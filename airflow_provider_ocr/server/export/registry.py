# SPDX-License-Identifier: Apache-2.0
"""Which export formats are carried out, and by what.

An exporter is loaded when it is asked for: the libraries of all formats together take a second to load.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.export.exporter import DocumentSummary, Exporter

__all__ = ["FORMATS", "DocumentSummary", "Exporter", "exporter_for"]

_EXPORTERS = {
    ExportFormat.TXT: "txt.TxtExporter",
    ExportFormat.TXT_UNSTRUCTURED: "txt_unstructured.TxtUnstructuredExporter",
    ExportFormat.RTF: "rtf.RtfExporter",
    ExportFormat.DOCX: "docx.DocxExporter",
    ExportFormat.XLSX: "xlsx.XlsxExporter",
    ExportFormat.PPTX: "pptx.PptxExporter",
    ExportFormat.PDF_SEARCHABLE: "pdf_searchable.PdfSearchableExporter",
    ExportFormat.PDF_TEXT_AND_IMAGES: "pdf_text_and_images.PdfTextAndImagesExporter",
    ExportFormat.PDFA: "pdfa.PdfaExporter",
    ExportFormat.XML: "xml.XmlExporter",
    ExportFormat.XML_FOR_CORRECTED_IMAGE: "xml.XmlForCorrectedImageExporter",
    ExportFormat.ALTO: "alto.AltoExporter",
}

FORMATS: frozenset[ExportFormat] = frozenset(_EXPORTERS)
"""The formats that are carried out."""


def exporter_for(export_format: ExportFormat, path: Path) -> Exporter:
    """What writes ``export_format`` to ``path``.

    :raises KeyError: for a format that is not in ``FORMATS``.
    """
    module, name = _EXPORTERS[export_format].split(".")
    exporter: Exporter = getattr(import_module(f"{__package__}.{module}"), name)(path)
    return exporter
