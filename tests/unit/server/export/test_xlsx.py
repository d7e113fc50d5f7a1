# SPDX-License-Identifier: Apache-2.0
"""Workbooks, read back with a reader that had no part in writing them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from airflow_provider_ocr.server.document import (
    Barcode,
    Block,
    BlockType,
    Box,
    Cell,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
    Table,
)
from airflow_provider_ocr.server.export.xlsx import XlsxExporter
from tests.unit.server.export.number_display import displayed

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
MakeTable = Callable[..., Block]
Written = Callable[..., openpyxl.Workbook]


@pytest.fixture
def written(tmp_path: Path, export: Callable[..., None]) -> Written:
    def made(*pages: Page, language: str = "English") -> openpyxl.Workbook:
        export(XlsxExporter(tmp_path / "a.xlsx"), pages, language=language)
        return openpyxl.load_workbook(tmp_path / "a.xlsx")

    return made


def test_a_table_is_in_cells_and_other_text_a_row_for_each_line(
    written: Written, make_line: MakeLine, make_page: MakePage, make_table: MakeTable
) -> None:
    before = [make_line(("Dear", 100), ("reader,", 200)), make_line(("see:", 100), top=200)]
    behind = [make_line(("Yours", 100), top=900)]
    sheet = written(make_page(before, make_table(("Ship", "Tons"), ("Anna", "12")), behind)).active
    assert sheet is not None
    assert [list(row) for row in sheet.iter_rows(values_only=True)] == [
        ["Dear reader,", None],
        ["see:", None],
        [None, None],
        ["Ship", "Tons"],
        ["Anna", 12],
        [None, None],
        ["Yours", None],
    ]


def test_merged_cells_are_merged(written: Written, make_page: MakePage, make_table: MakeTable) -> None:
    sheet = written(
        make_page(make_table(("Ship", "Cargo", "<"), ("^", "coal", "27"), ("7", "<", "1")))
    ).active
    assert sheet is not None
    assert sorted(str(merged) for merged in sheet.merged_cells.ranges) == ["A1:A2", "A3:B3", "B1:C1"]
    assert [list(row) for row in sheet.iter_rows(values_only=True)] == [
        ["Ship", "Cargo", None],
        [None, "coal", 27],
        ["7", None, 1],
    ]


def test_only_a_table_with_rules_has_borders(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    tables = make_table(("a", "")), make_table(("b", ""), ruled=False)
    sheet = written(make_page(*tables)).active
    assert sheet is not None
    styles = [sheet[place].border.left.style for place in ("A1", "B1", "A3")]
    assert styles == ["thin", "thin", None]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("English", ["Tons", "1,234.50", "-7.00", "(12)", "$ 3.10", "0"]),
        ("German", ["Tonnen", "1.234,50", "\u22127,00", "12,5-", "3,10 €", "1000"]),
        ("French", ["Tonnes", "1 234,50", "1 234 567", "-7,00", "12"]),
    ],
)
def test_numbers_of_a_column_are_numbers_shown_as_they_were_read(
    written: Written, make_page: MakePage, make_table: MakeTable, language: str, texts: list[str]
) -> None:
    sheet = written(make_page(make_table(*[(text,) for text in texts])), language=language).active
    assert sheet is not None
    head, *cells = [row[0] for row in sheet.iter_rows()]
    assert head.value == texts[0]
    assert {cell.data_type for cell in cells} == {"n"}
    assert [displayed(float(cell.value), cell.number_format) for cell in cells] == texts[1:]
    assert not any(cell.is_date for cell in cells)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "{=A1}",
        "https://example.com",
        "mailto:a@b.c",
        "12",
        "3.14",
        "TRUE",
        "14.03.2026",
        "007",
        "'x",
        "#N/A",
    ],
)
def test_nothing_is_a_formula_a_link_or_a_number_outside_a_column_of_numbers(
    written: Written, make_line: MakeLine, make_page: MakePage, make_table: MakeTable, text: str
) -> None:
    page = make_page([make_line((text, 100))], make_table(("name", "Anna"), (text, "x"), ("last", "y")))
    sheet = written(page).active
    assert sheet is not None
    for place in ("A1", "A4"):
        assert (sheet[place].value, sheet[place].data_type, sheet[place].hyperlink) == (text, "s", None)


@pytest.mark.parametrize("text", ["Łódź", "Київ", "東京", "\U0001d504", "<&>\"'", "_x0041_"])
def test_every_character_comes_back(
    written: Written, make_line: MakeLine, make_page: MakePage, text: str
) -> None:
    sheet = written(make_page([make_line((text, 100))])).active
    assert sheet is not None
    assert sheet["A1"].value == text


def test_what_xml_cannot_carry_is_replaced(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    sheet = written(make_page([make_line(("a\x00b\x1f", 100))])).active
    assert sheet is not None
    assert sheet["A1"].value == "a\ufffdb\ufffd"


def test_paragraphs_of_a_cell_are_lines_of_it(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    paragraphs = tuple(Paragraph((make_line((text, 100)),)) for text in ("one", "two"))
    cell = Cell(row=0, column=0, box=Box(0, 0, 200, 100), paragraphs=paragraphs)
    table = Table(columns=(0, 200), rows=(0, 100), cells=(cell,), ruled=True)
    sheet = written(make_page(Block(BlockType.TABLE, Box(0, 0, 200, 100), table=table))).active
    assert sheet is not None
    assert (sheet["A1"].value, sheet["A1"].alignment.wrap_text) == ("one\ntwo", True)


def test_columns_are_as_wide_as_their_numbers_and_not_as_text_beside_a_table(
    written: Written, make_line: MakeLine, make_page: MakePage, make_table: MakeTable
) -> None:
    page = make_page([make_line(("x" * 90, 0))], make_table(("short", "1,234,567,890.12")))
    sheet = written(page).active
    assert sheet is not None
    assert sheet.column_dimensions["A"].width < 12
    assert sheet.column_dimensions["B"].width > 17


def test_headings_are_bold(written: Written, make_line: MakeLine, make_page: MakePage) -> None:
    heading = Paragraph((make_line(("Title", 100)),), ParagraphRole.HEADING, level=1)
    block = Block(BlockType.TEXT, Box(0, 0, 900, 900), (heading, Paragraph((make_line(("text", 100)),))))
    sheet = written(make_page(block)).active
    assert sheet is not None
    assert [bool(sheet[place].font.bold) for place in ("A1", "A2")] == [True, False]


def test_each_page_has_its_sheet(
    tmp_path: Path, written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    barcode = Block(BlockType.BARCODE, Box(0, 0, 90, 90), barcode=Barcode("QRCODE", "x"))
    picture = Block(BlockType.PICTURE, Box(0, 0, 90, 90))
    workbook = written(make_page([make_line(("a", 0))]), make_page(barcode, picture, number=2))
    assert workbook.sheetnames == ["Page 1", "Page 2"]
    assert workbook["Page 2"]["A1"].value is None
    assert [path.name for path in tmp_path.iterdir()] == ["a.xlsx"]


def test_nobody_is_named(written: Written, make_page: MakePage) -> None:
    properties = written(make_page()).properties
    assert {properties.creator, properties.lastModifiedBy, properties.title} <= {None, ""}
