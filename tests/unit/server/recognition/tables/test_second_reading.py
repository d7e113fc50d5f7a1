# SPDX-License-Identifier: Apache-2.0
"""Numbers, and cells in which no word was found, are read once more by themselves."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import (
    Baseline,
    Block,
    BlockType,
    Box,
    Cell,
    Line,
    Paragraph,
    Table,
    Word,
)
from airflow_provider_ocr.server.paragraph_text import paragraph_text
from airflow_provider_ocr.server.recognition import pages
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.tables.second_reading import read_again

DPI = 300
INK = Box(130, 40, 210, 70)  # of what stands in the second cell


def page() -> Grey:
    grey = np.full((120, 240), 255, np.uint8)
    grey[INK.top : INK.bottom, INK.left : INK.right] = 0
    return grey


def table(first: Line | None, second: Line | None) -> Block:
    cells = tuple(
        Cell(
            row=0,
            column=column,
            box=Box(120 * column, 0, 120 * column + 120, 120),
            paragraphs=(Paragraph((line,)),) if line else (),
        )
        for column, line in enumerate((first, second))
    )
    made = Table(columns=(0, 120, 240), rows=(0, 120), cells=cells, ruled=True)
    return Block(BlockType.TABLE, Box(0, 0, 240, 120), table=made)


def answer(text: str, *, confidence: float) -> Callable[[Grey, float], list[Block]]:
    """An engine that reads a picture's ink as this."""

    def read(picture: Grey, scale: float) -> list[Block]:
        assert 0 < scale <= 1
        rows, columns = np.nonzero(picture < 128)
        box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        word = Word(text, box, confidence, "English", 0, 1)
        baseline = Baseline(box.left, box.bottom, box.right, box.bottom)
        line = Line((word,), box, baseline, (text,), array("i", box), bytes([round(confidence)]))
        return [Block(BlockType.TEXT, box, (Paragraph((line,)),))]

    return read


def texts(block: Block) -> list[str]:
    assert block.table is not None
    return [" ".join(map(paragraph_text, cell.paragraphs)) for cell in block.table.cells]


@pytest.mark.parametrize(
    ("first", "second", "confidence", "read"),
    [
        pytest.param("1.23", "7.23", 90, "7.23", id="a number that is read well alone"),
        pytest.param("1.23", "7.23", 50, "1.23", id="one that is not"),
        pytest.param("1.23", "Tea", 90, "1.23", id="no number at all"),
        pytest.param("B1-23", "81-23", 90, "B1-23", id="a code is not read again"),
        pytest.param("Tea", "7.23", 90, "Tea", id="a word is not read again"),
    ],
)
def test_a_number_is_what_it_is_read_as_alone(
    make_line: Callable[..., Line], first: str, second: str, confidence: float, read: str
) -> None:
    tea = make_line(("Tea", 10), top=40)
    (block,) = read_again(
        [table(tea, make_line((first, 130), top=40))],
        page(),
        dpi=DPI,
        read=answer(second, confidence=confidence),
    )
    assert texts(block) == ["Tea", read]


def test_what_is_read_alone_lies_where_its_ink_is(make_line: Callable[..., Line]) -> None:
    tea = make_line(("Tea", 10), top=40)
    (block,) = read_again([table(tea, None)], page(), dpi=DPI, read=answer("7", confidence=90))
    assert texts(block) == ["Tea", "7"]
    (line,) = list(block.lines)[1:]
    assert all(abs(found - drawn) <= 1 for found, drawn in zip(line.box, INK, strict=True))
    assert next(line.characters(line.words[0])).box == line.box


def test_an_empty_cell_stays_empty(make_line: Callable[..., Line]) -> None:
    white = np.full((120, 240), 255, np.uint8)
    white[40:42, 150:152] = 0  # dust
    blocks = [table(make_line(("Tea", 10), top=40), None)]
    assert read_again(blocks, white, dpi=DPI, read=answer("7", confidence=90)) == blocks


def test_what_is_no_table_is_not_read_again(make_line: Callable[..., Line]) -> None:
    line = make_line(("1.23", 130), top=40)
    blocks = [Block(BlockType.TEXT, line.box, (Paragraph((line,)),))]
    assert read_again(blocks, page(), dpi=DPI, read=answer("7", confidence=90)) == blocks


ROWS = [["Item", "Jan", "Feb"], ["Tea", "7", "-"], ["Bread", "-", "12"], ["Honey", "0.5", "-"]]


def drawn() -> Image.Image:
    """A page with ``ROWS`` in a ruled table."""
    image = Image.new("L", (1700, 900), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=44)
    pen.text((200, 100), "What was sold in every month of the spring", font=font, fill=0)
    for row, of_row in enumerate(ROWS):
        for column, text in enumerate(of_row):
            x, y = 200 + 400 * column, 200 + 100 * row
            pen.rectangle((x, y, x + 400, y + 100), outline=0, width=3)
            pen.text((x + 30, y + 65), text, font=font, fill=0, anchor="ls")
    return image


def read_page(file: Path, engine: Engine) -> list[str]:
    with Document([file]) as document:
        page = pages.recognise_page(document.page(1), ProcessingSettings.parse(), engine=engine)
    (block,) = [block for block in page.blocks if block.table]
    return texts(block)


def test_cells_that_the_reading_of_the_page_misses_are_read(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn().save(tmp_path / "page.png", dpi=(DPI, DPI))
    expected = [text for row in ROWS for text in row]
    assert read_page(tmp_path / "page.png", engine) == expected
    monkeypatch.setattr(pages, "read_again", lambda blocks, *_, **__: list(blocks))
    assert "" in read_page(tmp_path / "page.png", engine)
