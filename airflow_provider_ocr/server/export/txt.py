# SPDX-License-Identifier: Apache-2.0
"""``txt``: the text as it stands on the page, row by row, columns kept apart by spaces.

Columns of running text, as a newspaper has them, are read one after the other and stand so in it. UTF-8 with
a byte order mark; a document without any text is the mark alone, 3 bytes. Rows end in a line feed. A form
feed stands between pages, so that the text of page n follows the n-th of them; those behind the last page
that has text are left out. Pictures and barcodes are not part of it.
"""

from __future__ import annotations

import codecs
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from airflow_provider_ocr.server.document import Block, BlockType, Line, Page, Word
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.rows import rows

_WIDE_GAP = 2.0  # average letters between two words from which the space between them is kept
_PARAGRAPH_PITCH = 1.3  # times the distance of closely set rows, from which a blank line stands between
_RUNNING_WORDS = 3  # to a line of running text at least; what has fewer is a list, a form or a table


def page_text(page: Page) -> str:
    """The page's text, each row ended by a line feed; empty for a page without text."""
    letter = _letter_width(page.words)
    return "\n".join(_section_text(lines, letter=letter) for lines in _sections(page.blocks))


class TxtExporter:
    """Writes ``txt`` to ``path``.

    :param text_of: what the file has of a page, with a line feed at its end.
    """

    def __init__(self, path: Path, *, text_of: Callable[[Page], str] = page_text) -> None:
        self._path = path
        self._text_of = text_of
        self._file: BinaryIO
        self._pending_pages = 0

    def start(self, summary: DocumentSummary) -> None:  # noqa: ARG002 - nothing of it is in the text
        """Begin the file with its byte order mark."""
        self._file = self._path.open("wb")
        self._file.write(codecs.BOM_UTF8)

    def page(self, page: Page) -> None:
        """Write the page's text."""
        text = self._text_of(page)
        if text:
            self._file.write(("\f" * self._pending_pages + text).encode())
            self._pending_pages = 0
        self._pending_pages += 1

    def finish(self) -> None:
        """Close the file."""
        self._file.close()


def _sections(blocks: tuple[Block, ...]) -> list[list[Line]]:
    """Lines that are laid out together, in reading order: each running column by itself."""
    sections: list[list[Line]] = [[]]
    for block in blocks:
        if any(_side_by_side(block, other) for other in blocks):
            sections += [list(block.lines), []]
        else:
            sections[-1] += block.lines
    return [lines for lines in sections if lines]


def _side_by_side(block: Block, other: Block) -> bool:
    """Whether two blocks are columns of running text."""
    apart = block.box.right <= other.box.left or other.box.right <= block.box.left
    beside = min(block.box.bottom, other.box.bottom) > max(block.box.top, other.box.top)
    return apart and beside and _is_running(block) and _is_running(other)


def _is_running(block: Block) -> bool:
    counts = [len(line.words) for line in block.lines]
    return block.type is BlockType.TEXT and len(counts) > 1 and statistics.median(counts) > _RUNNING_WORDS


def _section_text(lines: list[Line], *, letter: float) -> str:
    closed = [_closed(row) for row in rows(lines)]
    margin = min(word.box.left for line in lines for word in line.words)
    texts = [_row_text(row, margin=margin, letter=letter) for row in closed]
    return "".join(
        ("\n" if blank_before else "") + text + "\n"
        for text, blank_before in zip(texts, _blank_lines(closed), strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands at the same height of the page, in the order in which it is read."""

    words: list[Word]
    baseline: float
    leftward: bool


def _closed(lines: list[Line]) -> _Row:
    words = [word for line in lines for word in line.words]
    leftward = all(line.words[0].box.left > line.words[-1].box.left for line in lines)
    words.sort(key=lambda word: word.box.left, reverse=leftward)
    baseline = statistics.median((line.baseline.y1 + line.baseline.y2) / 2 for line in lines)
    return _Row(words, baseline, leftward)


def _letter_width(words: Iterable[Word]) -> float:
    return max(1.0, statistics.median([word.box.width / len(word.text) for word in words] or [1.0]))


def _blank_lines(closed: list[_Row]) -> list[bool]:
    """Whether a blank line stands before each row."""
    pitches = [below.baseline - above.baseline for above, below in pairwise(closed)]
    usual = sorted(pitches)[len(pitches) // 4] if pitches else 0.0
    return [False, *(pitch > _PARAGRAPH_PITCH * usual for pitch in pitches)]


def _row_text(row: _Row, *, margin: int, letter: float) -> str:
    if row.leftward:
        return " ".join(word.text for word in row.words)
    text, right = "", margin
    wide = _WIDE_GAP * max(letter, _letter_width(row.words))  # a heading's spaces are wide by themselves
    for word in row.words:
        if word.box.left - right > wide:
            column = round((word.box.left - margin) / letter)
            text = text.ljust(max(column, len(text) + 2 if text else 0))
        elif text:
            text += " "
        text += word.text
        right = word.box.right
    return text
