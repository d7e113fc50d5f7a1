# SPDX-License-Identifier: Apache-2.0
"""What looks like text and has no word is noticed; what only resembles text is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Block, BlockType, Box, Line, Paragraph
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.witness import (
    UNREADABLE,
    UnreadLine,
    Witness,
    unreadable,
    well_read,
)


@pytest.mark.parametrize("shade", [0, 150, 200, 225])
def test_every_line_without_words_is_noticed_however_faint(draw: Callable[..., Any], shade: int) -> None:
    page = np.asarray(draw().image)
    faint = (255 - (255 - page.astype(int)) * (255 - shade) // 255).astype(np.uint8)
    lines = Witness(faint, dpi=300).unread_lines([])
    text_rows = {120 + round(number * 44 * 1.7) for number in range(6)}
    assert {row for row in text_rows for line in lines if abs(line.box.top - row) < 40} == text_rows


def test_nothing_is_unread_where_all_words_were_read(engine: Engine, draw: Callable[..., Any]) -> None:
    page = np.asarray(draw().image)
    blocks = engine.read(page, dpi=300, settings=ProcessingSettings())
    assert Witness(page, dpi=300).unread_lines(blocks) == []


def signature(pen: ImageDraw.ImageDraw) -> None:
    x = np.arange(0, 700, 2)
    y = 400 + 60 * np.sin(x / 9) * np.cos(x / 70)
    pen.line(list(zip((300 + x).tolist(), y.tolist(), strict=True)), fill=30, width=5)


def specks(pen: ImageDraw.ImageDraw) -> None:
    for x, y in np.random.default_rng(3).integers(20, 800, (60, 2)).tolist():
        pen.rectangle((x, y, x + 4, y + 4), fill=0)


def few_marks(pen: ImageDraw.ImageDraw) -> None:
    for x in (100, 150, 200):
        pen.ellipse((x, 100, x + 30, 130), fill=0)


@pytest.mark.parametrize("add", [signature, specks, few_marks])
def test_what_is_no_line_of_text_is_not_noticed(add: Callable[[ImageDraw.ImageDraw], None]) -> None:
    image = Image.new("L", (1500, 900), 255)
    add(ImageDraw.Draw(image))
    assert Witness(np.asarray(image), dpi=300).unread_lines([]) == []


def test_pictures_and_rules_account_for_their_ink(draw: Callable[..., Any]) -> None:
    page = np.asarray(draw().image)
    picture = Block(BlockType.PICTURE, Box(0, 0, 1500, 900))
    assert Witness(page, dpi=300).unread_lines([picture]) == []


def test_a_page_is_mostly_unread_when_nearly_all_its_lines_are(
    engine: Engine, draw: Callable[..., Any]
) -> None:
    page = np.asarray(draw().image)
    witness = Witness(page, dpi=300)
    blocks = engine.read(page, dpi=300, settings=ProcessingSettings())
    first = Block(BlockType.TEXT, blocks[0].box, (Paragraph((next(blocks[0].lines),)),))
    assert witness.mostly_unread(witness.unread_lines([]))
    assert witness.mostly_unread(witness.unread_lines([first]))
    half = Block(BlockType.PICTURE, Box(0, 0, 1500, 400))
    assert not witness.mostly_unread(witness.unread_lines([half]))
    assert not witness.mostly_unread([])


def test_guesses_are_not_kept(make_line: Callable[..., Line]) -> None:
    good = make_line(("good", 100), top=100)
    guess = make_line(("guess", 100), top=200, confidence=40)
    block = Block(BlockType.TEXT, Box(100, 100, 200, 230), (Paragraph((good, guess)),))
    assert well_read([block]) == [Block(BlockType.TEXT, good.box, (Paragraph((good,)),))]
    only_guess = Block(BlockType.TEXT, guess.box, (Paragraph((guess,)),))
    assert well_read([only_guess]) == []


def test_an_unreadable_line_is_one_word_without_confidence() -> None:
    block = unreadable(UnreadLine(Box(10, 20, 200, 50), marks=9, darkest=0), language="English")
    ((word,),) = (list(line.words) for line in block.lines)
    assert (word.text, word.confidence, word.box) == (UNREADABLE, 0.0, Box(10, 20, 200, 50))
    (line,) = block.lines
    assert [character.text for character in line.characters(word)] == [UNREADABLE]


def test_on_a_large_page_the_same_lines_are_noticed(draw: Callable[..., Any]) -> None:
    page = np.asarray(draw(["Harbour office", "ledger of the river"]).image)
    large = np.full((5000, 4200), 255, np.uint8)
    large[: page.shape[0], : page.shape[1]] = page
    alone = Witness(page, dpi=300).unread_lines([])
    among_much = Witness(large, dpi=300).unread_lines([])
    assert len(alone) == 2
    assert [line.box for line in among_much] == [pytest.approx(line.box, abs=4) for line in alone]
    assert [line.is_plain for line in among_much] == [True, True]
