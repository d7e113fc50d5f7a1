# SPDX-License-Identifier: Apache-2.0
"""``txt``: the text as it stands on the page, row by row, columns kept apart by spaces.

UTF-8 with a byte order mark; a document without any text is the mark alone, 3 bytes. Rows end in a line
feed. A form feed stands between pages, so that the text of page n follows the n-th of them; those
behind the last page that has text are left out. Pictures and barcodes are not part of it.
"""

from __future__ import annotations

import codecs
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from airflow_provider_ocr.server.document import Line, Page, Word
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.rows import rows

_WIDE_GAP = 2.0  # average letters between two words from which the space between them is kept
_PARAGRAPH_PITCH = 1.3  # times the distance of closely set rows, from which a blank line stands between


class TxtExporter:
    """Writes ``txt`` to ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO
        self._pending_pages = 0

    def start(self, summary: DocumentSummary) -> None:  # noqa: ARG002 - nothing of it is in the text
        """Begin the file with its byte order mark."""
        self._file = self._path.open("wb")
        self._file.write(codecs.BOM_UTF8)

    def page(self, page: Page) -> None:
        """Write the page's rows."""
        text = page_text(page)
        if text:
            self._file.write(("\f" * self._pending_pages + text).encode())
            self._pending_pages = 0
        self._pending_pages += 1

    def finish(self) -> None:
        """Close the file."""
        self._file.close()


def page_text(page: Page) -> str:
    """The page's text, each row ended by a line feed; empty for a page without text."""
    closed = [_closed(row) for row in rows(page.lines)]
    if not closed:
        return ""
    letter = _letter_width(page.words)
    margin = min(word.box.left for word in page.words)
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
    return max(1.0, statistics.median(word.box.width / len(word.text) for word in words))


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
