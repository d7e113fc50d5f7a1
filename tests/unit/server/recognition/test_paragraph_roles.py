# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from airflow_provider_ocr.server.document import (
    Alignment,
    Block,
    BlockType,
    Cell,
    Line,
    Paragraph,
    ParagraphRole,
    Table,
    enclosing,
)
from airflow_provider_ocr.server.paragraph_text import paragraph_text
from airflow_provider_ocr.server.recognition.paragraph_roles import with_roles

BODY = "running text that fills the line"


@pytest.fixture
def block(make_line: Callable[..., Line]) -> Callable[..., Block]:
    """A text block of lines, each as (text, left edge), 40 pixels apart."""

    def made(*lines: tuple[str, int], top: int = 100, size: float = 10.0) -> Block:
        made_lines = []
        for number, (text, left) in enumerate(lines):
            words, x = [], left
            for word in text.split():
                words.append((word, x))
                x += 20 * len(word) + 20
            made_lines.append(replace(make_line(*words, top=top + 40 * number), size=size))
        box = enclosing([line.box for line in made_lines])
        return Block(BlockType.TEXT, box, (Paragraph(tuple(made_lines)),))

    return made


def body(block: Callable[..., Block]) -> Block:
    return block(*[(BODY, 100)] * 6, top=500)


def paragraphs(*blocks: Block) -> list[Paragraph]:
    return [paragraph for block in with_roles(blocks) for paragraph in block.paragraphs]


@pytest.mark.parametrize(("size", "level"), [(10.0, 0), (11.5, 0), (12.5, 3), (15.0, 2), (20.0, 1)])
def test_a_heading_is_what_is_larger_than_the_text(
    block: Callable[..., Block], size: float, level: int
) -> None:
    first = paragraphs(block(("What the page is about", 100), size=size), body(block))[0]
    assert (first.level, first.role is ParagraphRole.HEADING) == (level, level > 0)


def test_large_numbers_are_no_heading(block: Callable[..., Block]) -> None:
    assert paragraphs(block(("1 2 3 4 5 6", 100), size=20.0), body(block))[0].level == 0


def test_a_marked_paragraph_is_an_item_of_a_list(block: Callable[..., Block]) -> None:
    found = paragraphs(block(("1. the first of several", 100), ("2. the second one", 100)), body(block))
    assert [paragraph.role for paragraph in found[:2]] == [ParagraphRole.LIST_ITEM] * 2


@pytest.mark.parametrize(
    ("lines", "alignment"),
    [
        ([("one in the middle", 250)], Alignment.CENTER),
        ([("at the right edge", 420)], Alignment.RIGHT),
        ([("at the left edge", 100)], Alignment.LEFT),
        ([(BODY, 100), (BODY, 100), (BODY, 100), ("and its end.", 100)], Alignment.JUSTIFIED),
    ],
    ids=["centred", "right", "left", "justified"],
)
def test_alignment_is_told_by_the_edges(
    block: Callable[..., Block], lines: list[tuple[str, int]], alignment: Alignment
) -> None:
    assert paragraphs(block(*lines), body(block))[0].alignment is alignment


@pytest.mark.parametrize(
    ("first", "second", "hyphenated"),
    [
        ("the ship entered the har-", "bour in the evening", True),
        ("the ship entered the Har-", "Bour in the evening", False),
        ("alle Haus- und Garten-", "und Hofarbeiten", False),
        ("the numbers 1914-", "to begin with now", False),
        ("it goes on with a dash -", "and then it does", False),
    ],
    ids=["divided", "capital", "shared", "number", "dash"],
)
def test_a_word_is_divided_where_its_rest_begins_the_next_line(
    block: Callable[..., Block], first: str, second: str, hyphenated: bool
) -> None:
    lines = [line for paragraph in paragraphs(block((first, 100), (second, 100))) for line in paragraph.lines]
    assert lines[0].hyphenated == hyphenated


def test_a_compound_that_is_spelled_with_its_hyphen_elsewhere_keeps_it(block: Callable[..., Block]) -> None:
    elsewhere = block(("a well-known", 100), top=800)
    lines = list(with_roles([block(("it is a really well-", 100), ("known fact", 100)), elsewhere])[0].lines)
    assert not lines[0].hyphenated


def test_words_that_a_line_in_a_cell_divides_are_put_together(block: Callable[..., Block]) -> None:
    (paragraph,) = block(("the har-", 100), ("bour", 100)).paragraphs
    box = enclosing([line.box for line in paragraph.lines])
    cell = Cell(row=0, column=0, box=box, paragraphs=(paragraph,))
    table = Table(columns=(box.left, box.right), rows=(box.top, box.bottom), cells=(cell,), ruled=True)
    (found,) = with_roles([Block(BlockType.TABLE, box, table=table)])
    assert [paragraph_text(one) for one in found.all_paragraphs] == ["the harbour"]
