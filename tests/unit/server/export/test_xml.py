# SPDX-License-Identifier: Apache-2.0
"""The result XML, as clients of the service read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Barcode, Block, BlockType, Box, Line, Page, Projection
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.xml import NAMESPACE, XmlExporter

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
NAMES = {"a": NAMESPACE}


def exported(path: Path, *pages: Page) -> bytes:
    exporter = XmlExporter(path)
    exporter.start(DocumentSummary(len(pages), ProcessingSettings()))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path.read_bytes()


def document(path: Path, *pages: Page) -> etree._Element:
    return etree.fromstring(exported(path, *pages))


def edges(element: etree._Element) -> tuple[int, ...]:
    return tuple(int(element.get(name)) for name in "ltrb")


def test_the_file_starts_with_a_mark_and_the_declaration(tmp_path: Path, make_page: MakePage) -> None:
    start = b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    assert exported(tmp_path / "a.xml", make_page()).startswith(start)


def test_an_empty_document_has_its_pages(tmp_path: Path, make_page: MakePage) -> None:
    root = document(tmp_path / "a.xml", make_page(), make_page(number=2))
    assert root.tag == f"{{{NAMESPACE}}}document"
    assert root.get("version") == "1.0"
    assert root.get("pagesCount") == "2"
    assert [dict(page.attrib) for page in root] == [
        {"width": "1000", "height": "1400", "resolution": "100", "originalCoords": "1"}
    ] * 2


def test_characters_and_spaces_spell_the_line(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    root = document(tmp_path / "a.xml", make_page([make_line(("No", 10), ("5", 70))]))
    (line,) = root.findall(".//a:block/a:text/a:par/a:line", NAMES)
    assert line.get("baseline") == "130"
    assert edges(line) == (10, 100, 90, 130)
    characters = line.findall("a:formatting/a:charParams", NAMES)
    assert "".join(character.text for character in characters) == "No 5"
    assert edges(characters[2]) == (50, 100, 70, 130)
    assert all(set(character.attrib) == set("ltrb") for character in characters)


def test_only_uncertain_characters_are_suspicious(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    lines = [make_line(("a", 0), confidence=59), make_line(("b", 0), top=200, confidence=60)]
    found = document(tmp_path / "a.xml", make_page(lines)).findall(".//a:charParams", NAMES)
    assert [character.get("suspicious") for character in found] == ["1", None]


@pytest.mark.parametrize(
    ("language", "expected"),
    [("English", "EnglishUnitedStates"), ("German", "GermanStandard"), ("Polish", "Polish")],
)
def test_formatting_names_the_language_in_the_documents_own_way(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, language: str, expected: str
) -> None:
    root = document(tmp_path / "a.xml", make_page([make_line(("a", 0), language=language)]))
    assert dict(root.find(".//a:formatting", NAMES).attrib) == {"lang": expected}


@pytest.mark.parametrize(
    ("rotation", "matrix", "name", "expected"),
    [
        (0, Projection(), None, (10, 100, 50, 130)),
        (90, Projection(xx=0, xy=1, yx=-1, yy=0, y0=1000), "RotatedClockwise", (100, 950, 130, 990)),
        (180, Projection(xx=-1, x0=1000, yy=-1, y0=1400), "RotatedUpsidedown", (950, 1270, 990, 1300)),
        (270, Projection(xx=0, xy=-1, x0=1400, yx=1, yy=0), "RotatedCounterclockwise", (1270, 10, 1300, 50)),
    ],
)
def test_coordinates_are_those_of_the_original_image(
    *,
    tmp_path: Path,
    make_line: MakeLine,
    make_page: MakePage,
    rotation: int,
    matrix: Projection,
    name: str | None,
    expected: tuple[int, ...],
) -> None:
    page = make_page([make_line(("ab", 10))], rotation=rotation, to_original=matrix)
    (element,) = document(tmp_path / "a.xml", page)
    assert element.get("rotation") == name
    assert edges(element.find("a:block", NAMES)) == expected
    assert edges(element.find("a:block/a:region/a:rect", NAMES)) == expected


def test_a_barcode_block_has_its_value_and_type(tmp_path: Path, make_page: MakePage) -> None:
    barcode = Block(BlockType.BARCODE, Box(5, 6, 70, 80), barcode=Barcode("QRCODE", "https://a.example/?b&c"))
    (block,) = document(tmp_path / "a.xml", make_page(barcode)).findall(".//a:block", NAMES)
    assert block.get("blockType") == "Barcode"
    assert block.find("a:barcodeInfo", NAMES).get("type") == "QRCODE"
    assert "".join(block.find("a:text", NAMES).itertext()) == "https://a.example/?b&c"


def test_a_separator_runs_through_the_middle_of_its_rule(tmp_path: Path, make_page: MakePage) -> None:
    rule = Block(BlockType.SEPARATOR, Box(100, 200, 500, 204))
    separator = document(tmp_path / "a.xml", make_page(rule)).find(".//a:separator", NAMES)
    assert dict(separator.attrib) == {"thickness": "4", "type": "Black"}
    assert [(end.get("x"), end.get("y")) for end in separator] == [("100", "202"), ("500", "202")]


def test_what_xml_cannot_hold_is_replaced(tmp_path: Path, make_page: MakePage) -> None:
    barcode = Block(BlockType.BARCODE, Box(0, 0, 9, 9), barcode=Barcode("CODE128", "A\x1dB"))
    root = document(tmp_path / "a.xml", make_page(barcode))
    assert "".join(root.itertext()) == "A\N{REPLACEMENT CHARACTER}B"
