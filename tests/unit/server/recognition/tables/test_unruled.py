# SPDX-License-Identifier: Apache-2.0
"""Tables without ruled lines: pages are drawn with letters, 20 pixels to a letter and 50 to a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import (
    Alignment,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    Table,
    enclosing,
)
from airflow_provider_ocr.server.paragraph_text import paragraph_text
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.tables.unruled import with_unruled_tables

MakeLine = Callable[..., Line]

_LETTER, _PITCH = 20, 50
_PAGE_WIDTH = 2400


def lines_of(picture: str, make_line: MakeLine) -> list[Line]:
    return [
        make_line(
            *((word.group(), _LETTER * word.start()) for word in re.finditer(r"\S+", text)), top=_PITCH * row
        )
        for row, text in enumerate(picture.strip("\n").splitlines())
        if text.strip()
    ]


def block(*lines: Line) -> Block:
    return Block(BlockType.TEXT, enclosing([line.box for line in lines]), (Paragraph(lines),))


def found(picture: str, make_line: MakeLine) -> list[Block]:
    return with_unruled_tables([block(*lines_of(picture, make_line))], dpi=300)


def texts(table: Table) -> list[list[str]]:
    """The rows of cells; behind the text of a cell that covers several columns, their number."""
    return [
        [
            " ".join(map(paragraph_text, cell.paragraphs))
            + (f" <{cell.column_span}>" if cell.column_span > 1 else "")
            for cell in cells
        ]
        for _, cells in groupby(table.cells, key=lambda cell: cell.row)
    ]


def only_table(blocks: list[Block]) -> Table:
    (table,) = [block.table for block in blocks if block.table is not None]
    return table


TABLES = {
    "words on the left, numbers on the right": (
        """
Item          Price
Green tea      3.20
Coffee        14.80
Bread          1.95
""",
        [["Item", "Price"], ["Green tea", "3.20"], ["Coffee", "14.80"], ["Bread", "1.95"]],
    ),
    "empty cells": (
        """
Item      Pieces    Price
Tea                  3.20
Coffee        12
Bread          7     1.95
Butter         1     2.95
""",
        [
            ["Item", "Pieces", "Price"],
            ["Tea", "", "3.20"],
            ["Coffee", "12", ""],
            ["Bread", "7", "1.95"],
            ["Butter", "1", "2.95"],
        ],
    ),
    "a head on the left over numbers on the right": (
        """
Item      Price           Weight
Tea               3,20           250,0
Coffee           14,80           500,0
Bread             1,95         1.000,0
""",
        [
            ["Item", "Price", "Weight"],
            ["Tea", "3,20", "250,0"],
            ["Coffee", "14,80", "500,0"],
            ["Bread", "1,95", "1.000,0"],
        ],
    ),
    "a head over two columns": (
        """
              Sold in the years
Item         2024         2025
Tea            12           34
Coffee         56           78
Bread           9           10
""",
        [
            ["", "Sold in the years <2>"],
            ["Item", "2024", "2025"],
            ["Tea", "12", "34"],
            ["Coffee", "56", "78"],
            ["Bread", "9", "10"],
        ],
    ),
    "cells of two lines": (
        """
Item           Price

Green tea       3.20
from the hills

Coffee         14.80

Bread           1.95
with seeds
""",
        [
            ["Item", "Price"],
            ["Green tea from the hills", "3.20"],
            ["Coffee", "14.80"],
            ["Bread with seeds", "1.95"],
        ],
    ),
    "a head close above others": (
        """
              Sold in the years
Item         2024         2025

Tea            12           34

Coffee         56           78

Bread           9           10
""",
        [
            ["", "Sold in the years <2>"],
            ["Item", "2024", "2025"],
            ["Tea", "12", "34"],
            ["Coffee", "56", "78"],
            ["Bread", "9", "10"],
        ],
    ),
    "words alone, in many rows": (
        """
Name     Town      Country
Anna     Bern      Schweiz
Ben      Graz      Austria
Carl     Lyon      France
Dora     Bath      England
Emil     Oslo      Norway
""",
        [
            ["Name", "Town", "Country"],
            ["Anna", "Bern", "Schweiz"],
            ["Ben", "Graz", "Austria"],
            ["Carl", "Lyon", "France"],
            ["Dora", "Bath", "England"],
            ["Emil", "Oslo", "Norway"],
        ],
    ),
    "points below each other": (
        """
Iron     7.874
Gold    19.3
Lead    11.3421
Tin      7.31
""",
        [["Iron", "7.874"], ["Gold", "19.3"], ["Lead", "11.3421"], ["Tin", "7.31"]],
    ),
}

NO_TABLES = {
    "prose": """
The quay lies quiet in the morning and the
boats are still. A man walks along it with
a dog that has seen many mornings like it.
""",
    "two columns of prose": """
The quay lies quiet in the      The merchant has a shop in
morning and the boats are       the village over the old
still. A man walks along it     bridge, where the people buy
with a dog that has seen        letters and paper and now
many mornings like this one     and then a book or two for
""",
    "a list with marks": """
1.    Bread and butter
2.    Tea
3.    Honey in a jar
4.    Apples
""",
    "a letterhead": """
Harbour Library           Telephone 01632 960 418
7 Tanner Wharf            office at harbour
Millbrook                 open from nine
""",
    "a footer of three columns": """
Harbour Trade      Bank of Graz      Court of Bath
Old Street 7       Account 12345     Number 678
Millbrook          Sort code 99      Director Bell
""",
    "contents with leaders": """
Opening ............   3
Report ..............  7
Accounts ...........  12
Events .............  15
""",
    "two rows": """
Tea       3.20
Coffee   14.80
""",
    "a form": """
Name:       Miriam Bell
Town:       Eastfield
Street:     Reservoir Road
""",
    "words at random": """
quay      harbour           3.20
   merchant          boat
harbour letters         street   paper
 dog      the      morning
""",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_ruled_lines_is_found_with_its_cells(name: str, make_line: MakeLine) -> None:
    picture, expected = TABLES[name]
    assert texts(only_table(found(picture, make_line))) == expected


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_stays_as_it_is(name: str, make_line: MakeLine) -> None:
    blocks = [block(*lines_of(NO_TABLES[name], make_line))]
    assert with_unruled_tables(blocks, dpi=300) == blocks


def test_columns_that_do_not_share_baselines_are_no_table(make_line: MakeLine) -> None:
    names = [
        make_line((name, 0), top=50 * row) for row, name in enumerate(("Tea", "Coffee", "Bread", "Honey"))
    ]
    prices = [make_line(("3.20", 400), top=50 * row + 12) for row in range(4)]
    blocks = [block(*names), block(*prices)]
    assert with_unruled_tables(blocks, dpi=300) == blocks


def test_columns_that_the_engine_took_for_blocks_are_one_table(make_line: MakeLine) -> None:
    names = [make_line((name, 0), top=50 * row) for row, name in enumerate(("Tea", "Coffee", "Bread"))]
    prices = [make_line(("3.20", 400), top=50 * row + 2) for row in range(3)]
    table = only_table(with_unruled_tables([block(*names), block(*prices)], dpi=300))
    assert texts(table) == [["Tea", "3.20"], ["Coffee", "3.20"], ["Bread", "3.20"]]


def test_what_stands_above_and_below_a_table_stays_so(make_line: MakeLine) -> None:
    picture = """
What was sold in the shop at the quay last winter

Tea         3.20
Coffee     14.80
Bread       1.95

and what was not sold was given to the poor there
"""
    blocks = found(picture, make_line)
    assert [block.type for block in blocks] == [BlockType.TEXT, BlockType.TABLE, BlockType.TEXT]
    assert [paragraph_text(paragraph)[:8] for block in blocks for paragraph in block.paragraphs] == [
        "What was",
        "and what",
    ]
    assert [list(block.lines) for block in blocks if block.table is None] == [
        [line] for line in lines_of(picture, make_line) if len(line.words) > 2
    ]


def test_two_tables_below_each_other_are_two(make_line: MakeLine) -> None:
    picture = """
Tea         3.20
Coffee     14.80
Bread       1.95




Anna      7       12     1.95
Ben       9       34    11.95
Carl      8        5     2.95
"""
    tables = [block.table for block in found(picture, make_line) if block.table is not None]
    assert [(len(table.rows) - 1, len(table.columns) - 1) for table in tables] == [(3, 2), (3, 4)]


def test_the_grid_lies_between_the_words(make_line: MakeLine) -> None:
    table = only_table(found(TABLES["words on the left, numbers on the right"][0], make_line))
    assert (table.columns, table.rows) == ((0, 230, 380), (0, 40, 90, 140, 180))
    assert table.cells[3].box == Box(230, 40, 380, 90)
    assert not table.ruled


def test_cells_are_aligned_as_most_of_their_column(make_line: MakeLine) -> None:
    table = only_table(found(TABLES["a head over two columns"][0], make_line))
    alignments = {
        (cell.column, cell.column_span): cell.paragraphs[0].alignment
        for cell in table.cells
        if cell.paragraphs
    }
    assert alignments == {
        (0, 1): Alignment.LEFT,
        (1, 1): Alignment.RIGHT,
        (2, 1): Alignment.RIGHT,
        (1, 2): Alignment.CENTER,
    }


def drawn(*columns: tuple[int, str, tuple[str, ...]]) -> Image.Image:
    """A page of 300 dpi: for each column its edge, at which side of it the texts stand, and these."""
    image = Image.new("L", (_PAGE_WIDTH, 1400), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=44)
    for edge, side, column in columns:
        for row, text in enumerate(column):
            pen.text((edge, 200 + 80 * row), text, font=font, fill=0, anchor=f"{side}s")
    return image


GOODS = ("Goods", "Green tea", "Coffee", "Rye bread", "Butter", "Honey", "Apples")
PRICES = ("Price", "3,20", "14,80", "1,95", "2,75", "6,10", "1.204,50")
PIECES = ("Pieces", "12", "7", "", "140", "36", "9")
PROSE = (
    "The quay lies quiet in the early morning",
    "and the boats are still. A man walks along",
    "it with a dog that has seen many mornings",
    "like this one, and many evenings besides.",
    "Behind the library the merchant has a shop",
    "where people buy paper, ink and letters.",
)


@pytest.fixture
def recognised(engine: Engine, tmp_path: Path) -> Callable[..., Page]:
    """Recognises one drawn page."""

    def one_page(image: Image.Image, **settings: str) -> Page:
        image.save(tmp_path / "page.png", dpi=(300, 300))
        asked = ProcessingSettings.parse(language="English,German", **settings)
        with Document([tmp_path / "page.png"]) as document:
            return recognise_page(document.page(1), asked, engine=engine)

    return one_page


def test_a_drawn_table_is_read_with_its_cells(recognised: Callable[..., Page]) -> None:
    page = recognised(drawn((200, "l", GOODS), (1100, "r", PIECES), (1600, "r", PRICES)))
    assert texts(only_table(list(page.blocks))) == [
        list(row) for row in zip(GOODS, PIECES, PRICES, strict=True)
    ]


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param([(150, "l", PROSE)], id="one column"),
        pytest.param([(150, "l", PROSE), (1250, "l", PROSE[::-1])], id="two columns"),
    ],
)
def test_drawn_prose_is_no_table(
    recognised: Callable[..., Page], columns: list[tuple[int, str, tuple[str, ...]]]
) -> None:
    page = recognised(drawn(*columns))
    assert {block.type for block in page.blocks} == {BlockType.TEXT}


def test_where_no_tables_are_wanted_a_drawn_table_stays_text(recognised: Callable[..., Page]) -> None:
    page = recognised(drawn((200, "l", GOODS), (1600, "r", PRICES)), profile="textExtraction")
    assert {block.type for block in page.blocks} == {BlockType.TEXT}
