# SPDX-License-Identifier: Apache-2.0
"""Each file is opened by a reader of its format that had no part in writing it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pypdfium2
import pytest

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.rehearsal.result_files import result_content

PAGES = ['Grüße <&> "quoted" {braces} \\ 漢字 𝄞', "second page\nwith two lines"]
PDFS = [ExportFormat.PDF_SEARCHABLE, ExportFormat.PDF_TEXT_AND_IMAGES, ExportFormat.PDFA]
OFFICE = {
    ExportFormat.DOCX: "word/document.xml",
    ExportFormat.XLSX: "xl/worksheets/sheet1.xml",
    ExportFormat.PPTX: "docProps/core.xml",
}
RESULT_XML = "{http://www.abbyy.com/FineReader_xml/FineReader10-schema-v1.xml}"
ALTO = "{http://www.loc.gov/standards/alto/ns-v2#}"


def words(text: str) -> list[str]:
    return text.split()


def said(pages: Sequence[str] = PAGES) -> list[str]:
    return words(" ".join(pages))


@pytest.mark.parametrize("export_format", [ExportFormat.TXT, ExportFormat.TXT_UNSTRUCTURED])
def test_a_text_file_has_a_byte_order_mark_and_a_form_feed_between_pages(export_format: ExportFormat) -> None:
    content = result_content(export_format, PAGES)
    assert content == b"\xef\xbb\xbf" + f"{PAGES[0]}\n\f{PAGES[1]}\n".encode()


def test_an_empty_text_is_the_byte_order_mark_alone() -> None:
    assert result_content(ExportFormat.TXT, [""]) == b"\xef\xbb\xbf"


@pytest.mark.parametrize("export_format", PDFS)
def test_a_pdf_file_opens_and_its_text_can_be_copied(export_format: ExportFormat) -> None:
    with pypdfium2.PdfDocument(result_content(export_format, PAGES)) as pdf:
        texts = [page.get_textpage().get_text_bounded() for page in pdf]
    assert [words(text) for text in texts] == [words(page) for page in PAGES]


def test_only_a_pdfa_file_is_marked_as_one() -> None:
    marked = [b"<pdfaid:part>1</pdfaid:part>" in result_content(name, PAGES) for name in PDFS]
    assert marked == [False, False, True]


@pytest.mark.parametrize("export_format", OFFICE)
def test_an_office_file_is_a_package_of_well_formed_parts_that_are_all_declared(
    export_format: ExportFormat,
) -> None:
    with zipfile.ZipFile(io.BytesIO(result_content(export_format, PAGES))) as package:
        parts = {name: ET.fromstring(package.read(name)) for name in package.namelist()}
    assert words(" ".join(parts[OFFICE[export_format]].itertext())) == said()
    declared = {entry.get("PartName", "").lstrip("/") for entry in parts["[Content_Types].xml"]} - {""}
    targets = {
        target.lstrip("/")
        for name, part in parts.items()
        if name.endswith(".rels")
        for target in (name.partition("_rels/")[0] + entry.get("Target", "") for entry in part)
    }
    assert declared == targets <= parts.keys()


def test_an_rtf_file_has_the_text_in_seven_bits() -> None:
    content = result_content(ExportFormat.RTF, PAGES).decode("ascii")
    assert content.startswith("{\\rtf1\\ansi")
    assert content.count("{") - content.count("\\{") == content.count("}") - content.count("\\}")
    units = re.sub(r"\\u(-?\d+)\?", lambda match: chr(int(match[1]) % 2**16), content)
    plain = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    assert 'Grüße <&> "quoted" \\{braces\\} \\\\ 漢字 𝄞\\par' in plain
    assert plain.count("\\page\n") == 1


@pytest.mark.parametrize("export_format", [ExportFormat.XML, ExportFormat.XML_FOR_CORRECTED_IMAGE])
def test_a_result_xml_file_has_every_character_in_a_box(export_format: ExportFormat) -> None:
    document = ET.fromstring(result_content(export_format, PAGES))
    pages = document.findall(f"{RESULT_XML}page")
    assert document.get("pagesCount") == str(len(pages)) == "2"
    assert {page.get("originalCoords") for page in pages} == {
        "1" if export_format is ExportFormat.XML else None
    }
    lines = [
        "".join(character.text or "" for character in line.iter(f"{RESULT_XML}charParams"))
        for line in document.iter(f"{RESULT_XML}line")
    ]
    assert lines == [line for page in PAGES for line in page.splitlines()]
    boxes = [
        tuple(map(int, map(box.attrib.__getitem__, "ltrb"))) for box in document.iter() if "l" in box.attrib
    ]
    assert all(left < right and top < bottom for left, top, right, bottom in boxes)


def test_an_alto_file_has_every_word() -> None:
    document = ET.fromstring(result_content(ExportFormat.ALTO, PAGES))
    assert [word.get("CONTENT") for word in document.iter(f"{ALTO}String")] == said()
    assert len(document.findall(f".//{ALTO}Page")) == 2


@pytest.mark.parametrize("export_format", ExportFormat)
@pytest.mark.parametrize("text", ["", "\n", "a\x00\x1b\ud800b"], ids=["nothing", "blank_line", "no_xml"])
def test_every_format_takes_every_text_and_gives_the_same_file_again(
    export_format: ExportFormat, text: str
) -> None:
    content = result_content(export_format, [text, "x"])
    assert content
    assert content == result_content(export_format, [text, "x"])
