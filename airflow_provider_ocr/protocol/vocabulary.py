# SPDX-License-Identifier: Apache-2.0
"""The enumerated values of the Cloud OCR SDK v1 API, spelled as the API spells them."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple, TypeVar

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.suggestions import shown, suggestion

SHORTEST_POLL_INTERVAL = 2.0
"""Seconds; the service asks to be left alone with a new task, and between two looks at one, for so long."""


class FileType(NamedTuple):
    """How a result file is named and announced."""

    extension: str
    media_type: str


_TEXT = FileType("txt", "text/plain; charset=utf-8")
_PDF = FileType("pdf", "application/pdf")
_XML = FileType("xml", "text/xml")
_OFFICE = "application/vnd.openxmlformats-officedocument"


class ExportFormat(StrEnum):
    """``exportFormat``: what a recognised document is written as."""

    TXT = "txt"
    TXT_UNSTRUCTURED = "txtUnstructured"
    RTF = "rtf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    PDF_SEARCHABLE = "pdfSearchable"
    PDF_TEXT_AND_IMAGES = "pdfTextAndImages"
    PDFA = "pdfa"
    XML = "xml"
    XML_FOR_CORRECTED_IMAGE = "xmlForCorrectedImage"
    ALTO = "alto"

    @property
    def file_type(self) -> FileType:
        """Extension (without a dot) and media type of a file in this format."""
        return _FILE_TYPES[self]


_FILE_TYPES = {
    ExportFormat.TXT: _TEXT,
    ExportFormat.TXT_UNSTRUCTURED: _TEXT,
    ExportFormat.RTF: FileType("rtf", "application/rtf"),
    ExportFormat.DOCX: FileType("docx", f"{_OFFICE}.wordprocessingml.document"),
    ExportFormat.XLSX: FileType("xlsx", f"{_OFFICE}.spreadsheetml.sheet"),
    ExportFormat.PPTX: FileType("pptx", f"{_OFFICE}.presentationml.presentation"),
    ExportFormat.PDF_SEARCHABLE: _PDF,
    ExportFormat.PDF_TEXT_AND_IMAGES: _PDF,
    ExportFormat.PDFA: _PDF,
    ExportFormat.XML: _XML,
    ExportFormat.XML_FOR_CORRECTED_IMAGE: _XML,
    ExportFormat.ALTO: _XML,
}


class Profile(StrEnum):
    """``profile``: what the result is for, and so which structure is looked for."""

    DOCUMENT_CONVERSION = "documentConversion"
    DOCUMENT_ARCHIVING = "documentArchiving"
    TEXT_EXTRACTION = "textExtraction"
    BARCODE_RECOGNITION = "barcodeRecognition"
    FIELD_LEVEL_RECOGNITION = "fieldLevelRecognition"
    """Short snippets. Newer documentation of the service has it no more, so the service may refuse it."""


class TextType(StrEnum):
    """``textType``: how the text was put on paper."""

    NORMAL = "normal"
    TYPEWRITER = "typewriter"
    MATRIX = "matrix"
    INDEX = "index"
    HANDPRINTED = "handprinted"
    OCR_A = "ocrA"
    OCR_B = "ocrB"
    E13B = "e13b"
    CMC7 = "cmc7"
    GOTHIC = "gothic"


class ImageSource(StrEnum):
    """``imageSource``: where the image comes from."""

    AUTO = "auto"
    PHOTO = "photo"
    SCANNER = "scanner"


class WriteTags(StrEnum):
    """``pdf:writeTags``: whether a PDF result is tagged."""

    AUTO = "auto"
    WRITE = "write"
    DONT_WRITE = "dontWrite"


class ServiceStatus(IntEnum):
    """The HTTP status codes that are the API's own."""

    BAD_PARAMETERS = 450
    INTERNAL_ERROR = 550
    UNSUPPORTED_IMAGE = 551


class TaskStatus(StrEnum):
    """The states of an OCR task."""

    SUBMITTED = "Submitted"
    QUEUED = "Queued"
    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    PROCESSING_FAILED = "ProcessingFailed"
    NOT_ENOUGH_CREDITS = "NotEnoughCredits"
    DELETED = "Deleted"


Value = TypeVar("Value", bound=StrEnum)


def find_value(kind: type[Value], text: str) -> Value | None:
    """The member of ``kind`` that ``text`` names in any case, or None.

    :param kind: the enumeration.
    :param text: what was written.
    """
    wanted = text.strip().casefold()
    return next((member for member in kind if member.casefold() == wanted), None)


def require_value(kind: type[Value], text: str, *, parameter: str) -> Value:
    """The member of ``kind`` that ``text`` names in any case.

    :param kind: the enumeration.
    :param text: what was written.
    :param parameter: the name of the parameter that it was written for.
    :raises InvalidParameterError: if there is none; the message lists what is allowed and suggests the
        nearest.
    """
    found = find_value(kind, text)
    if found is None:
        names = [member.value for member in kind]
        raise InvalidParameterError(
            parameter, f"{shown(text)} is not one of {', '.join(names)}.{suggestion(text, names)}"
        )
    return found
