# SPDX-License-Identifier: Apache-2.0
"""No two result files of a task have one name, and no name leads out of the folder."""

from __future__ import annotations

import itertools

import pytest

from airflow_provider_ocr.lifecycle.result_names import file_names
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

ID = "a1"
TXT, PDF, PDFA, XML, ALTO = (ExportFormat(name) for name in ("txt", "pdfSearchable", "pdfa", "xml", "alto"))
TEXT_PDF = ExportFormat.PDF_TEXT_AND_IMAGES


@pytest.mark.parametrize(
    ("formats", "names"),
    [
        ([TXT], ["scan.txt"]),
        ([TXT, PDF, XML], ["scan.txt", "scan.pdf", "scan.xml"]),
        ([PDF, TXT, PDFA], ["scan.pdfSearchable.pdf", "scan.txt", "scan.pdfa.pdf"]),
        (
            [PDF, TEXT_PDF, PDFA],
            ["scan.pdfSearchable.pdf", "scan.pdfTextAndImages.pdf", "scan.pdfa.pdf"],
        ),
        (
            [XML, ALTO, ExportFormat.XML_FOR_CORRECTED_IMAGE],
            ["scan.xml.xml", "scan.alto.xml", "scan.xmlForCorrectedImage.xml"],
        ),
    ],
    ids=["one", "three", "two_pdf", "three_pdf", "three_xml"],
)
def test_a_file_is_named_by_stem_and_extension_and_by_its_format_where_two_would_clash(
    formats: list[ExportFormat], names: list[str]
) -> None:
    assert file_names("scan", formats) == names


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("{ocr_task_id}", ["a1.txt", "a1.pdfSearchable.pdf", "a1.pdfa.pdf"]),
        ("scan-{export_format}", ["scan-txt.txt", "scan-pdfSearchable.pdf", "scan-pdfa.pdf"]),
        ("scan.{extension}", ["scan.txt", "scan.pdfSearchable.pdf", "scan.pdfa.pdf"]),
        ("{extension}-{ocr_task_id}", ["txt-a1", "pdfSearchable.pdf-a1", "pdfa.pdf-a1"]),
        (
            "{export_format}.{ocr_task_id}.{extension}",
            ["txt.a1.txt", "pdfSearchable.a1.pdf", "pdfa.a1.pdf"],
        ),
    ],
)
def test_a_name_may_be_a_template(name: str, names: list[str]) -> None:
    assert file_names(name, [TXT, PDF, PDFA], ID) == names


@pytest.mark.parametrize(
    "name", ["Invoice 7. März", "{3F25-04E0}", "{}", "{name}", "{0}", "a}{b", "50 %", "7\u00a0März"]
)
def test_anything_else_in_a_name_is_the_name(name: str) -> None:
    assert file_names(name, [TXT], ID) == [f"{name}.txt"]


@pytest.mark.parametrize("name", ["scan", "{ocr_task_id}", "{extension}", "{export_format}.{extension}"])
def test_no_three_formats_have_names_in_common(name: str) -> None:
    for formats in itertools.permutations(ExportFormat, 3):
        assert len(set(file_names(name, formats, ID))) == 3


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../up", "a/b", "a\\b", "/etc/passwd", "a\0b"],
    ids=["empty", "dot", "dots", "up", "slash", "backslash", "absolute", "nul"],
)
def test_a_name_cannot_lead_out_of_the_folder(name: str) -> None:
    with pytest.raises(errors.InvalidParameterError) as caught:
        file_names(name, [TXT])
    assert caught.value.parameter == "name"


@pytest.mark.parametrize(
    ("name", "ocr_task_id"), [("a\x01", ""), ("line\nbreak", ""), ("urn::1", ""), ("{ocr_task_id}", "a\n")]
)
def test_a_name_with_which_its_uri_would_not_open_the_file_is_refused(name: str, ocr_task_id: str) -> None:
    with pytest.raises(errors.InvalidParameterError, match="control characters or '::'") as caught:
        file_names(name, [TXT], ocr_task_id)
    assert caught.value.parameter == "name"


def test_what_a_template_is_filled_with_cannot_lead_out_of_the_folder_either() -> None:
    with pytest.raises(errors.InvalidParameterError, match="no path in it"):
        file_names("{ocr_task_id}", [TXT], "../a1")


def test_the_same_format_twice_has_no_two_names() -> None:
    with pytest.raises(errors.InvalidParameterError, match="the same name"):
        file_names("scan", [TXT, TXT])
