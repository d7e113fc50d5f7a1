# SPDX-License-Identifier: Apache-2.0
"""Lines are 30 pixels high, and letters 20 wide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from airflow_provider_ocr.server.document import Block, BlockType, Box, Line, Paragraph, enclosing
from airflow_provider_ocr.server.paragraph_text import line_text
from airflow_provider_ocr.server.recognition.paragraphs import paragraphs_of, right_edge, with_whole_columns

LONG = "running text that fills the line"


@pytest.fixture
def line(make_line: Callable[..., Line]) -> Callable[..., Line]:
    """A line of words with a letter's space between them."""

    def made(text: str, *, top: int, left: int = 100, size: float = 10.0) -> Line:
        words, x = [], left
        for word in text.split():
            words.append((word, x))
            x += 20 * len(word) + 20
        return replace(make_line(*words, top=top), size=size)

    return made


def block_of(lines: Sequence[Line]) -> Block:
    paragraphs = tuple(Paragraph((line,)) for line in lines)
    return Block(BlockType.TEXT, enclosing([line.box for line in lines]), paragraphs)


def texts(block: Block, *, right: int | None = None) -> list[list[str]]:
    found = paragraphs_of(block, right=block.box.right if right is None else right)
    return [[line_text(line) for line in lines] for lines in found]


def test_a_full_line_goes_on_in_the_next(line: Callable[..., Line]) -> None:
    assert texts(block_of([line(LONG, top=100), line("and ends.", top=140)])) == [[LONG, "and ends."]]


def test_a_line_on_which_there_was_room_ends_its_paragraph(line: Callable[..., Line]) -> None:
    lines = [line(LONG, top=100), line("ends here.", top=140), line(LONG, top=180)]
    assert texts(block_of(lines)) == [[LONG, "ends here."], [LONG]]


def test_more_space_than_usual_begins_a_paragraph(line: Callable[..., Line]) -> None:
    block = block_of([line(LONG, top=top) for top in (100, 140, 200, 240)])
    assert texts(block) == [[LONG, LONG], [LONG, LONG]]


def test_an_indent_begins_a_paragraph(line: Callable[..., Line]) -> None:
    lines = [line(LONG, top=100), line(LONG, top=140, left=140), line(LONG, top=180)]
    assert texts(block_of(lines), right=780) == [[LONG], [LONG, LONG]]


def test_another_size_begins_a_paragraph(line: Callable[..., Line]) -> None:
    lines = [line("A heading over all the text here", top=100, size=14.0), line(LONG, top=140)]
    assert len(texts(block_of(lines))) == 2


def test_the_size_of_a_few_letters_tells_nothing(line: Callable[..., Line]) -> None:
    lines = [line(LONG, top=100), line("no.", top=140, size=8.0)]
    assert len(texts(block_of(lines))) == 1


@pytest.mark.parametrize("mark", ["1.", "12)", "(a)", "b.", "-", "\N{BULLET}", "\N{EN DASH}"])
def test_a_mark_begins_an_item_that_goes_on_behind_it(line: Callable[..., Line], mark: str) -> None:
    item = f"{mark} {LONG}"
    lines = [line(item, top=100), line("goes on", top=140, left=160), line(item, top=180)]
    assert texts(block_of(lines)) == [[item, "goes on"], [item]]


def test_lines_that_end_at_the_same_edge_only_are_rows(line: Callable[..., Line]) -> None:
    lines = [line("Net 4.573,80", top=100, left=500), line("Value added tax 869,02", top=140, left=300)]
    assert len(texts(block_of(lines))) == 2


@pytest.mark.parametrize(
    "address",
    [
        ["Harbour Library", "Quay Street 7"],
        ["The head of its services", "Harbour Library", "Quay Street 7", "Old Town", "Northport"],
    ],
    ids=["two lines", "five lines"],
)
def test_the_text_below_tells_how_long_a_line_of_an_address_could_be(
    line: Callable[..., Line], address: list[str]
) -> None:
    above = block_of([line(text, top=100 + 40 * number) for number, text in enumerate(address)])
    letter = block_of([line(LONG, top=400), line(LONG, top=440)])
    right = right_edge(above, [above, letter])
    assert right == letter.box.right
    assert texts(above, right=right) == [[text] for text in address]


def test_a_block_right_below_another_is_part_of_it(line: Callable[..., Line]) -> None:
    above, below = block_of([line(LONG, top=100)]), block_of([line("and ends.", top=140)])
    (whole,) = with_whole_columns([above, below])
    assert texts(whole) == [[LONG, "and ends."]]


@pytest.mark.parametrize(
    ("top", "left"),
    [
        pytest.param(300, 100, id="far below"),
        pytest.param(140, 900, id="beside"),
        pytest.param(100, 900, id="level"),
    ],
)
def test_other_blocks_stay_apart(line: Callable[..., Line], top: int, left: int) -> None:
    blocks = [block_of([line(LONG, top=100)]), block_of([line("another block", top=top, left=left)])]
    assert with_whole_columns(blocks) == blocks


def test_a_picture_between_keeps_blocks_apart(line: Callable[..., Line]) -> None:
    picture = Block(BlockType.PICTURE, Box(0, 0, 9, 9))
    blocks = [block_of([line(LONG, top=100)]), picture, block_of([line("and ends.", top=140)])]
    assert with_whole_columns(blocks) == blocks
