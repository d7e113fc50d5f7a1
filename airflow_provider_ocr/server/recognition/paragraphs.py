# SPDX-License-Identifier: Apache-2.0
"""Where paragraphs begin: the engine cuts off last lines, and takes a heading for the start of its text.

A line begins a paragraph if its first word had found room on the line before, if it is set off by more space
or by another size, if it is indented, or if it begins with the mark of a list.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from itertools import pairwise

from airflow_provider_ocr.server.document import Block, BlockType, Line, enclosing

_OTHER_SIZE = 1.2  # times
_WIDE_PITCH = 1.35  # times the usual distance of the block's lines
_NEAR = 2.2  # of a line's height, from foot to foot: lines of one column
_SAME_COLUMN = 0.6  # of the narrower of two blocks, that stands below or above the other
_FEW_LINES = 3
_REACHES = 0.2  # of its block's width: by so much most lines of running text end before the longest
_DEDENT = (
    3.0  # of the size of the type: more than a first line's indent, so that lines do not belong together
)
_INDENT = 0.6  # of the size of the type, in which a letter is half as wide as high
_ENDS_EARLY = 1.0  # of the size of the type, by which a line of justified text may end before the others
_ENOUGH_LETTERS = 8  # of a line, for its size to be what it is said to be
_BULLETS = "*+-\N{BULLET}\N{TRIANGULAR BULLET}\N{WHITE BULLET}\N{BLACK SMALL SQUARE}\N{EN DASH}"
_MARK = re.compile(rf"[{re.escape(_BULLETS)}]|\(?(\d{{1,3}}|[A-Za-z])[.)]")


def begins_item(line: Line) -> bool:
    """Whether the line begins with the mark of a list's item, with more behind it."""
    return len(line.words) > 1 and _MARK.fullmatch(line.words[0].text) is not None


def with_whole_columns(blocks: Sequence[Block]) -> list[Block]:
    """The blocks, text blocks joined that stand right below each other.

    :param blocks: in reading order.
    """
    whole: list[Block] = []
    for block in blocks:
        if whole and _continues(whole[-1], block):
            above = whole.pop()
            box = enclosing([above.box, block.box])
            whole.append(Block(BlockType.TEXT, box, (*above.paragraphs, *block.paragraphs)))
        else:
            whole.append(block)
    return whole


def _continues(above: Block, below: Block) -> bool:
    if {above.type, below.type} != {BlockType.TEXT}:
        return False
    *_, line = above.lines
    after = next(below.lines)
    height = max(line.box.height, after.box.height)
    narrower = min(above.box.width, below.box.width)
    beside = min(above.box.right, below.box.right) - max(above.box.left, below.box.left)
    distance = _foot(after) - _foot(line)
    return height / 2 < distance <= _NEAR * height and beside >= _SAME_COLUMN * narrower


def right_edge(block: Block, others: Sequence[Block]) -> int:
    """How far to the right a line of the block could have reached, in pixels.

    A few lines, and those of an address, do not tell: the text below or above them does.
    """
    lines = list(block.lines)
    edges = [block.box.right]
    reaching = sum(block.box.right - line.box.right <= _REACHES * block.box.width for line in lines)
    if len(lines) <= _FEW_LINES or 2 * reaching < len(lines):
        edges += [
            other.box.right
            for other in others
            if abs(other.box.left - block.box.left) <= lines[0].box.height and len(list(other.lines)) > 1
        ]
    return max(edges)


def paragraphs_of(block: Block, *, right: int) -> list[tuple[Line, ...]]:
    """The lines of a text block, those of a paragraph together.

    :param right: how far its lines could have reached, in pixels.
    """
    lines = list(block.lines)
    if any(_is_leftward(line) for line in lines):
        return [paragraph.lines for paragraph in block.paragraphs]
    pitches = [_foot(after) - _foot(line) for line, after in pairwise(lines)]
    usual = sorted(pitches)[len(pitches) // 4] if pitches else 0.0
    starts = [
        number
        for number, (line, after) in enumerate(pairwise(lines), start=1)
        if _begins(line, after, right=right, usual=usual)
    ]
    return [tuple(lines[start:end]) for start, end in pairwise([0, *starts, len(lines)])]


def _begins(line: Line, after: Line, *, right: int, usual: float) -> bool:
    """Whether ``after`` begins a paragraph behind ``line``."""
    em = float(max(line.box.height, after.box.height))
    smaller, larger = sorted((line.size, after.size))
    first = after.words[0].box.width
    return (
        begins_item(after)
        or (smaller > 0 and larger >= _OTHER_SIZE * smaller and _is_sure(line) and _is_sure(after))
        or _foot(after) - _foot(line) > _WIDE_PITCH * usual
        or line.box.right + first + _ENDS_EARLY * em / 2 <= right
        or (after.box.left - line.box.left > _INDENT * em and not begins_item(line))
        or line.box.left - after.box.left > _DEDENT * em
    )


def _is_sure(line: Line) -> bool:
    return len(line.texts) >= _ENOUGH_LETTERS


def _foot(line: Line) -> float:
    return (line.baseline.y1 + line.baseline.y2) / 2


def _is_leftward(line: Line) -> bool:
    return line.words[0].box.left > line.words[-1].box.left


def middling_size(lines: Sequence[Line]) -> float:
    """Points of the type of most of the lines."""
    return statistics.median(line.size for line in lines)
