# SPDX-License-Identifier: Apache-2.0
"""The result XML, as clients of the service read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import (
    Alignment,
    Barcode,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    Projection,
    Reading,
)
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.xml import NAMESPACE, XmlExporter, XmlForCorrectedImageExporter
from tests.unit.server.export.any_page import any_document

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
MakeTable = Callable[..., Block]
NAMES = {"a": NAMESPACE}
VARIANTS = ProcessingSettings.parse(export_format="xml", write_recognition_variants=True)
STRUCTURE = etree.XMLSchema(file=Path(__file__).with_name("finereader.xsd"))


def exported(
    path: Path,
    *pages: Page,
    exporter: type[XmlExporter | XmlForCorrectedImageExporter] = XmlExporter,
    processing: ProcessingSettings | None = None,
) -> bytes:
    writer = exporter(path)
    writer.start(DocumentSummary(len(pages), processing or ProcessingSettings()))
    for page in pages:
        writer.page(page)
    writer.finish()
    return path.read_bytes()


def document(path: Path, *pages: Page, **how: Any) -> etree._Element:
    root = etree.fromstring(exported(path, *pages, **how))
    STRUCTURE.assertValid(root)
    return root


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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pages=any_document(),
    exporter=st.sampled_from((XmlExporter, XmlForCorrectedImageExporter)),
    processing=st.sampled_from((ProcessingSettings(), VARIANTS)),
)
def test_any_document_has_the_documented_structure(
    tmp_path: Path,
    pages: list[Page],
    exporter: type[XmlExporter | XmlForCorrectedImageExporter],
    processing: ProcessingSettings,
) -> None:
    root = document(tmp_path / "a.xml", *pages, exporter=exporter, processing=processing)
    assert len(root) == len(pages)
    for box in root.iter(f"{{{NAMESPACE}}}rect"):
        left, top, right, bottom = edges(box)
        assert left <= right
        assert top <= bottom


def test_the_corrected_image_has_coordinates_of_its_own(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    turned = Projection(xx=0, xy=1, yx=-1, yy=0, y0=1000)
    page = make_page([make_line(("ab", 10))], rotation=90, to_original=turned)
    root = document(tmp_path / "a.xml", page, exporter=XmlForCorrectedImageExporter)
    assert dict(root[0].attrib) == {
        "width": "1000",
        "height": "1400",
        "resolution": "100",
        "rotation": "RotatedClockwise",
    }
    assert edges(root.find(".//a:line", NAMES)) == (10, 100, 50, 130)


def test_a_table_has_rows_of_cells_with_their_sizes_and_spans(
    tmp_path: Path, make_page: MakePage, make_table: MakeTable
) -> None:
    table = make_table(("Item", "<", "Total"), ("Tea", "", "^"))
    (block,) = document(tmp_path / "a.xml", make_page(table)).findall(".//a:block", NAMES)
    assert block.get("blockType") == "Table"
    rows = [row.findall("a:cell", NAMES) for row in block.findall("a:row", NAMES)]
    assert [[("".join(cell.itertext()), dict(cell.attrib)) for cell in row] for row in rows] == [
        [
            ("Item", {"width": "400", "height": "50", "colSpan": "2"}),
            ("Total", {"width": "200", "height": "100", "rowSpan": "2"}),
        ],
        [("Tea", {"width": "200", "height": "50"}), ("", {"width": "200", "height": "50"})],
    ]


def test_a_cell_is_as_wide_as_it_is_read_however_the_page_lay(
    tmp_path: Path, make_page: MakePage, make_table: MakeTable
) -> None:
    turned = Projection(xx=0, xy=1, yx=-1, yy=0, y0=1000)
    page = make_page(make_table(("a", "b")), rotation=90, to_original=turned)
    cell = document(tmp_path / "a.xml", page).find(".//a:cell", NAMES)
    assert (cell.get("width"), cell.get("height")) == ("200", "50")


def test_cells_of_a_table_without_rules_have_no_borders(
    tmp_path: Path, make_page: MakePage, make_table: MakeTable
) -> None:
    root = document(tmp_path / "a.xml", make_page(make_table(("a", "b"), ruled=False)))
    borders = {f"{side}Border": "Absent" for side in ("left", "top", "right", "bottom")}
    assert [borders.items() <= dict(cell.attrib).items() for cell in root.iterfind(".//a:cell", NAMES)] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("alignment", "expected"),
    [(Alignment.LEFT, {}), (Alignment.CENTER, {"align": "Center"}), (Alignment.RIGHT, {"align": "Right"})],
)
def test_a_paragraph_has_its_alignment_where_it_is_not_the_usual_one(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, alignment: Alignment, expected: dict[str, str]
) -> None:
    line = make_line(("a", 0))
    block = Block(BlockType.TEXT, line.box, (Paragraph((line,), alignment=alignment),))
    assert dict(document(tmp_path / "a.xml", make_page(block)).find(".//a:par", NAMES).attrib) == expected


def test_a_character_has_its_variants_where_they_are_asked_for_and_it_has_some(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    line = replace(make_line(("mI", 0)), readings=((Reading("rn", 8), Reading("n", 0)), ()))
    first, second = document(tmp_path / "a.xml", make_page([line]), processing=VARIANTS).findall(
        ".//a:charParams", NAMES
    )
    variants = first.find("a:charRecVariants", NAMES)
    assert [(variant.text, variant.get("charConfidence")) for variant in variants] == [
        ("m", "90"),
        ("rn", "8"),
        ("n", "0"),
    ]
    assert variants.tail == "m"
    assert (second.text, len(second)) == ("I", 0)


def test_variants_that_nobody_asked_for_are_left_out(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    line = replace(make_line(("m", 0)), readings=((Reading("rn", 8),),))
    assert document(tmp_path / "a.xml", make_page([line])).find(".//a:charRecVariants", NAMES) is None


def test_a_space_stands_between_words_that_are_read_from_right_to_left(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    root = document(tmp_path / "a.xml", make_page([make_line(("ab", 100), ("c", 10))]))
    assert edges(root.findall(".//a:charParams", NAMES)[2]) == (30, 100, 100, 130)


@pytest.mark.parametrize(
    "broken",
    [
        '<page width="9" height="9"/>',
        '<page width="9" height="9" resolution="9"><block blockType="Text" l="0" t="0" r="x" b="9"/></page>',
        '<page width="9" height="9" resolution="9"><block blockType="Ink" l="0" t="0" r="9" b="9"/></page>',
        '<page width="9" height="9" resolution="9" orientation="Normal"/>',
        "<row/>",
    ],
)
def test_the_structure_that_documents_are_held_against_refuses_others(broken: str) -> None:
    root = etree.fromstring(f'<document xmlns="{NAMESPACE}" version="1.0" producer="x">{broken}</document>')
    assert not STRUCTURE.validate(root)
