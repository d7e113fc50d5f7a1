# SPDX-License-Identifier: Apache-2.0
"""The roles of a page's parts, and the numbers of their content."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_ocr.server.document import (
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
from airflow_provider_ocr.server.export.pdf_structure import Element, PageStructure, marked

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]

BOX = Box(0, 0, 100, 100)


def paragraph(role: ParagraphRole = ParagraphRole.TEXT, level: int = 0) -> Paragraph:
    return Paragraph((), role, level=level)


def text(*paragraphs: Paragraph) -> Block:
    return Block(BlockType.TEXT, BOX, paragraphs)


@pytest.mark.parametrize(
    ("role", "level", "expected"),
    [
        (ParagraphRole.TEXT, 0, "P"),
        (ParagraphRole.CAPTION, 0, "P"),
        (ParagraphRole.HEADING, 0, "H1"),
        (ParagraphRole.HEADING, 1, "H1"),
        (ParagraphRole.HEADING, 3, "H3"),
        (ParagraphRole.HEADING, 9, "H6"),
    ],
)
def test_a_paragraph_is_one_element(
    make_page: MakePage, role: ParagraphRole, level: int, expected: str
) -> None:
    structure = PageStructure.of(make_page(text(paragraph(), paragraph(role, level))))
    assert structure.elements == (Element("P", (0,)), Element(expected, (1,)))
    assert structure.marks == ["/P <</MCID 0>> BDC", f"/{expected} <</MCID 1>> BDC"]
    assert structure.count == 2


def test_items_that_follow_each_other_are_one_list(make_page: MakePage) -> None:
    item = paragraph(ParagraphRole.LIST_ITEM)
    structure = PageStructure.of(make_page(text(item, item, paragraph(), item)))
    items = [Element("LI", children=(Element("LBody", (mark,)),)) for mark in (0, 1, 3)]
    assert structure.elements == (
        Element("L", children=(items[0], items[1])),
        Element("P", (2,)),
        Element("L", children=(items[2],)),
    )


def test_repeated_headers_and_footers_are_artifacts(make_page: MakePage) -> None:
    repeated = [paragraph(ParagraphRole.HEADER), paragraph(), paragraph(ParagraphRole.FOOTER)]
    structure = PageStructure.of(make_page(text(*repeated)))
    artifact = "/Artifact <</Type /Pagination>> BDC"
    assert structure.marks == [artifact, "/P <</MCID 0>> BDC", artifact]
    assert structure.elements == (Element("P", (0,)),)


def test_a_table_has_its_rows_and_the_spans_of_its_cells(make_page: MakePage) -> None:
    cells = (
        Cell(row=0, column=0, column_span=2, box=BOX, paragraphs=(paragraph(), paragraph())),
        Cell(row=1, column=0, box=BOX),
        Cell(row=1, column=1, row_span=2, box=BOX, paragraphs=(paragraph(),)),
        Cell(row=2, column=0, box=BOX, paragraphs=(paragraph(),)),
    )
    table = Table(columns=(0, 50, 100), rows=(0, 30, 60, 100), cells=cells, ruled=True)
    structure = PageStructure.of(
        make_page(text(paragraph()), Block(BlockType.TABLE, BOX, table=table), text(paragraph()))
    )
    rows = (
        (Element("TD", (1, 2), column_span=2),),
        (Element("TD"), Element("TD", (3,), row_span=2)),
        (Element("TD", (4,)),),
    )
    assert structure.elements == (
        Element("P", (0,)),
        Element("Table", children=tuple(Element("TR", children=row) for row in rows)),
        Element("P", (5,)),
    )
    assert structure.count == len(structure.marks) == 6


def test_only_what_has_a_mark_is_marked() -> None:
    assert marked("", "1 0 0 1 0 0 cm") == "1 0 0 1 0 0 cm"
    assert marked("/P BMC", "(a) Tj").split() == ["/P", "BMC", "(a)", "Tj", "EMC"]
