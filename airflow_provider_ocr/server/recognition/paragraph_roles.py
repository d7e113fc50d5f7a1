# SPDX-License-Identifier: Apache-2.0
"""What the paragraphs of a page are: headings by their size, items of lists by their marks, and how they are
aligned; and which words a line's end divides, in the cells of tables, too.
"""

from __future__ import annotations

import statistics
import string
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from airflow_provider_ocr.server.document import (
    Alignment,
    Block,
    BlockType,
    Box,
    Line,
    Paragraph,
    ParagraphRole,
    enclosing,
)
from airflow_provider_ocr.server.recognition.paragraphs import (
    begins_item,
    middling_size,
    paragraphs_of,
    right_edge,
    with_whole_columns,
)

_HEADING_SIZES = (1.8, 1.45, 1.2)  # of the size of most of the text: from which headings are of level 1, 2, 3
_MOST_HEADING_LINES = 3
_HYPHENS = ("-", "\N{HYPHEN}", "\N{SOFT HYPHEN}", "¬")
_AROUND_WORDS = string.punctuation + "„“”»«…"
_FEWEST_LETTERS = 2  # before a hyphen that divides a word
_TOGETHER = frozenset(["und", "oder", "bis", "sowie", "and", "or", "to", "et", "ou", "y", "o", "e", "u", "i"])
# Behind these a hyphen stands for what both words have in common.
_EVEN = 0.6  # of a letter's height: by how much edges of lines may differ that are said to be aligned


def with_roles(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, their paragraphs with what they are.

    :param blocks: of one page, in reading order.
    """
    blocks = with_whole_columns(blocks)
    texts = [block for block in blocks if block.type is BlockType.TEXT]
    usual = _usual_size(texts)
    spelled = frozenset(word.text.lower() for block in blocks for line in block.lines for word in line.words)
    return [_with_roles(block, texts, usual=usual, spelled=spelled) for block in blocks]


def _with_roles(block: Block, texts: Sequence[Block], *, usual: float, spelled: frozenset[str]) -> Block:
    if block.type is BlockType.TEXT:
        return replace(block, paragraphs=tuple(_paragraphs(block, texts, usual=usual, spelled=spelled)))
    if block.table is None:
        return block
    cells = [
        replace(
            cell,
            paragraphs=tuple(replace(one, lines=_divided(one.lines, spelled)) for one in cell.paragraphs),
        )
        for cell in block.table.cells
    ]
    return replace(block, table=replace(block.table, cells=tuple(cells)))


def _usual_size(blocks: Sequence[Block]) -> float:
    """Points of the type of most letters."""
    sizes = [line.size for block in blocks for line in block.lines for _ in line.texts if line.size]
    return statistics.median(sizes) if sizes else 0.0


def _paragraphs(
    block: Block, texts: Sequence[Block], *, usual: float, spelled: frozenset[str]
) -> Iterator[Paragraph]:
    area = enclosing([text.box for text in texts])
    for lines in paragraphs_of(block, right=right_edge(block, texts)):
        divided = _divided(lines, spelled)
        level = _level(divided, usual)
        role = ParagraphRole.HEADING if level else ParagraphRole.TEXT
        if not level and begins_item(lines[0]):
            role = ParagraphRole.LIST_ITEM
        yield Paragraph(divided, role, _alignment(divided, area), level)


def _level(lines: Sequence[Line], usual: float) -> int:
    """Of a heading, 1 for the largest; 0 for what is none."""
    size = middling_size(lines)
    if not usual or len(lines) > _MOST_HEADING_LINES or not any(map(_has_letters, lines)):
        return 0
    reached = (level for level, share in enumerate(_HEADING_SIZES, start=1) if size >= share * usual)
    return next(reached, 0)


def _has_letters(line: Line) -> bool:
    return any(text.isalpha() for text in line.texts)


def _divided(lines: tuple[Line, ...], spelled: frozenset[str]) -> tuple[Line, ...]:
    """The lines, those marked whose last word goes on in the next."""
    marked = [
        replace(line, hyphenated=True) if _goes_on(line, after, spelled) else line
        for line, after in pairwise(lines)
    ]
    return (*marked, *lines[-1:])


def _goes_on(line: Line, after: Line, spelled: frozenset[str]) -> bool:
    last, following = line.words[-1].text, after.words[0].text
    first = last.strip(_AROUND_WORDS + "".join(_HYPHENS))
    if not last.endswith(_HYPHENS) or not following[:1].islower() or following.lower() in _TOGETHER:
        return False
    if len(first) < _FEWEST_LETTERS or not first[-1].isalpha():
        return False
    # A compound that the page spells with its hyphen elsewhere keeps it.
    rest = following.strip(_AROUND_WORDS)
    return f"{first}-{rest}".lower() not in spelled


def _alignment(lines: Sequence[Line], area: Box) -> Alignment:
    if len(lines) == 1:
        return _alignment_of_one(lines[0].box, area)
    even = _EVEN * statistics.median(line.box.height for line in lines)
    lefts = [line.box.left for line in lines]
    rights = [line.box.right for line in lines]
    middles = [(line.box.left + line.box.right) / 2 for line in lines]
    # The first line may be indented, and the last of a justified paragraph ends where it ends.
    if _spread(rights[:-1]) <= even and _spread(lefts[1:]) <= even and len(lines) > 2:  # noqa: PLR2004 - the least that tells
        return Alignment.JUSTIFIED
    if _spread(lefts) <= even:
        return Alignment.LEFT
    if _spread(rights) <= even:
        return Alignment.RIGHT
    return Alignment.CENTER if _spread(middles) <= even else Alignment.LEFT


def _alignment_of_one(line: Box, area: Box) -> Alignment:
    """By the page's text: a line in its middle, or at its right edge, far from its left one."""
    before, behind = line.left - area.left, area.right - line.right
    if before < area.width / 8:
        return Alignment.LEFT
    if abs(before - behind) <= line.height:
        return Alignment.CENTER
    return Alignment.RIGHT if behind <= line.height else Alignment.LEFT


def _spread(places: Sequence[float]) -> float:
    return max(places) - min(places) if places else 0.0
