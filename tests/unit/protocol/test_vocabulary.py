# SPDX-License-Identifier: Apache-2.0
"""Values are spelled as the API spells them and found in any case."""

from __future__ import annotations

from enum import StrEnum

import pytest

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.vocabulary import (
    ExportFormat,
    ImageSource,
    Profile,
    TaskStatus,
    TextType,
    WriteTags,
    find_value,
    require_value,
)

SPELLINGS: dict[type[StrEnum], str] = {
    ExportFormat: "txt txtUnstructured rtf docx xlsx pptx pdfSearchable pdfTextAndImages pdfa xml "
    "xmlForCorrectedImage alto",
    Profile: "documentConversion documentArchiving textExtraction barcodeRecognition fieldLevelRecognition",
    TextType: "normal typewriter matrix index handprinted ocrA ocrB e13b cmc7 gothic",
    ImageSource: "auto photo scanner",
    WriteTags: "auto write dontWrite",
    TaskStatus: "Submitted Queued InProgress Completed ProcessingFailed NotEnoughCredits Deleted",
}
VALUES = [(kind, spelling) for kind, spellings in SPELLINGS.items() for spelling in spellings.split()]


@pytest.mark.parametrize(("kind", "spelling"), VALUES)
def test_a_value_is_found_in_any_case_and_comes_in_the_apis_spelling(
    kind: type[StrEnum], spelling: str
) -> None:
    found = {find_value(kind, text) for text in (spelling, spelling.lower(), spelling.upper())}
    assert [value.value for value in found if value] == [spelling]


@pytest.mark.parametrize("kind", SPELLINGS)
def test_there_are_no_other_values(kind: type[StrEnum]) -> None:
    assert [member.value for member in kind] == SPELLINGS[kind].split()


def test_an_unknown_value_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_value(ImageSource, "fax", parameter="imageSource")
    assert str(caught.value) == "imageSource: 'fax' is not one of auto, photo, scanner."


@pytest.mark.parametrize(
    ("kind", "text", "meant"),
    [
        (ExportFormat, "pdf", "'pdfa' or 'pdfSearchable' or 'pdfTextAndImages'"),
        (ExportFormat, "doc", "'docx'"),
        (ExportFormat, "XLS", "'xlsx'"),
        (ExportFormat, "PDF/A", "'pdfa'"),
        (ExportFormat, "text", "'txt'"),
        (Profile, "TextExtracton", "'textExtraction'"),
        (Profile, "barcode", "'barcodeRecognition'"),
        (TextType, "handwritten", "'handprinted'"),
        (TextType, "ocr", "'ocrA' or 'ocrB'"),
        (ImageSource, "scan", "'scanner'"),
        (WriteTags, "dont", "'dontWrite'"),
        (TaskStatus, "Complete", "'Completed'"),
    ],
)
def test_the_value_that_was_meant_is_suggested(kind: type[StrEnum], text: str, meant: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_value(kind, text, parameter="parameter")
    allowed = ", ".join(SPELLINGS[kind].split())
    assert str(caught.value) == f"parameter: {text!r} is not one of {allowed}. Did you mean {meant}?"


@pytest.mark.parametrize(
    ("export_format", "extension", "media_type"),
    [
        ("txt", "txt", "text/plain; charset=utf-8"),
        ("txtUnstructured", "txt", "text/plain; charset=utf-8"),
        ("rtf", "rtf", "application/rtf"),
        ("docx", "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xlsx", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("pptx", "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        ("pdfSearchable", "pdf", "application/pdf"),
        ("pdfTextAndImages", "pdf", "application/pdf"),
        ("pdfa", "pdf", "application/pdf"),
        ("xml", "xml", "text/xml"),
        ("xmlForCorrectedImage", "xml", "text/xml"),
        ("alto", "xml", "text/xml"),
    ],
)
def test_every_format_has_its_extension_and_media_type(
    export_format: str, extension: str, media_type: str
) -> None:
    assert ExportFormat(export_format).file_type == (extension, media_type)
