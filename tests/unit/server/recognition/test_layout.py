# SPDX-License-Identifier: Apache-2.0
"""Columns of a table become rows; columns of running text stay columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from airflow_provider_ocr.server.document import Block, BlockType, Box, Line, Page, Paragraph, enclosing
from airflow_provider_ocr.server.recognition.layout import with_rows

MakeLine = Callable[..., Line]


def block(lines: Sequence[Line]) -> Block:
    return Block(BlockType.TEXT, enclosing([line.box for line in lines]), (Paragraph(tuple(lines)),))


def texts(blocks: Sequence[Block]) -> list[list[str]]:
    return [[" ".join(word.text for word in line.words) for line in block.lines] for block in blocks]


def test_columns_of_a_table_become_rows_of_one_block(make_line: MakeLine) -> None:
    names = block([make_line(("Green", 0), ("tea", 120), top=top) for top in (100, 150)])
    prices = block([make_line((price, 600), top=top) for price, top in (("3.20", 101), ("4.80", 151))])
    pieces = block([make_line((count, 400), top=top) for count, top in (("7", 99), ("8", 150))])
    above = block([make_line(("List", 0), top=20)])
    assert texts(with_rows([above, names, prices, pieces])) == [
        ["List"],
        ["Green tea 7 3.20", "Green tea 8 4.80"],
    ]


def test_the_characters_of_a_joined_line_follow_its_words(make_line: MakeLine) -> None:
    (merged,) = with_rows([block([make_line(("3.20", 600))]), block([make_line(("Tea", 0))])])
    (line,) = merged.lines
    spelled = [[character.text for character in line.characters(word)] for word in line.words]
    assert spelled == [["T", "e", "a"], ["3", ".", "2", "0"]]
    assert next(line.characters(line.words[1])).box == Box(600, 100, 620, 130)
    assert line.box == Box(0, 100, 680, 130)


def test_columns_of_running_text_stay_apart(make_line: MakeLine) -> None:
    def column(left: int) -> Block:
        return block(
            [make_line(*((f"w{n}", left + 60 * n) for n in range(6)), top=top) for top in (100, 150, 200)]
        )

    blocks = [column(0), column(500)]
    assert with_rows(blocks) == blocks


def test_the_end_of_a_paragraph_is_no_cell_beside_another_column(make_line: MakeLine) -> None:
    running = [make_line(*((f"w{n}", 500 + 60 * n) for n in range(6)), top=top) for top in (100, 150)]
    blocks = [block([make_line(("may", 0), ("end.", 80), top=100)]), block(running)]
    assert with_rows(blocks) == blocks


def test_blocks_at_different_heights_stay_apart(make_line: MakeLine) -> None:
    blocks = [block([make_line(("left", 0), top=100)]), block([make_line(("right", 500), top=125)])]
    assert with_rows(blocks) == blocks


def test_lines_beside_nothing_keep_their_paragraph(make_line: MakeLine) -> None:
    lines = [make_line(("word", 0), ("more", 100), top=top) for top in (100, 150, 200, 250)]
    (merged,) = with_rows([block(lines), block([make_line(("1", 600), top=100)])])
    assert [len(paragraph.lines) for paragraph in merged.paragraphs] == [1, 3]


def test_pictures_are_never_part_of_a_table(make_line: MakeLine, make_page: Callable[..., Page]) -> None:
    blocks = [Block(BlockType.PICTURE, Box(500, 90, 700, 140)), block([make_line(("Tea", 0))])]
    assert with_rows(blocks) == blocks
