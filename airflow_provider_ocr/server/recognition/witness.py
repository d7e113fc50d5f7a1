# SPDX-License-Identifier: Apache-2.0
"""The witness: what the page itself shows of text, set against the words that were read.

It judges the straight page, its light text turned dark and its faint ink made black, before any clean-up,
so nothing that the clean-up lost can escape it. What has no word, picture, barcode or ruled line over it and
looks like a line of text (``_FEWEST_MARKS`` or more marks of letter size in a row) is read again from that
page. A line that cannot be read even then becomes ``UNREADABLE``, a word of confidence 0, which counts among
the document's low words. If such lines hold more than ``_MOST`` of the page's letter marks, and at least
``_WRITTEN``, the page has failed.

Specks, signatures, stamps, pictures and noise form no such lines. An unreadable line that is fainter than
``_PLAIN`` is taken for print that shines through from the other side of the sheet.
"""

from __future__ import annotations

import statistics
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from airflow_provider_ocr.server.document import (
    Baseline,
    Block,
    BlockType,
    Box,
    Line,
    Paragraph,
    Word,
    enclosing,
)
from airflow_provider_ocr.server.recognition.ink import Grey, searchable
from airflow_provider_ocr.server.recognition.lighting import full_contrast

UNREADABLE = "\N{REPLACEMENT CHARACTER}"

_INK = 128  # levels of the page in full contrast
_PLAIN = (
    32  # level in full contrast that the ink of a line reaches unless it is faint: some 40 below its paper
)
_LOWEST, _TALLEST = 0.04, 0.6  # inches: marks of letter size
_WIDEST = 1.0  # inches: letters that run together
_FEWEST_MARKS = 5  # in a row; specks and the strokes of a signature are fewer
_GAP = 1.0  # of the marks' height: what is closer belongs to the same line
_TALLEST_LINE = 2.5  # of the height of its marks
_MARGIN = 0.3  # of a word's height: dots and strokes that stand out of its box
_HALO = 0.02  # inches around ruled lines, pictures and barcodes
_WELL_READ = 60.0  # mean confidence of a line; below, what was read is a guess
_MOST = 0.8
_WRITTEN = 100


@dataclass(frozen=True, slots=True)
class UnreadLine:
    """A line of marks that looks like text.

    :param box: where it is.
    :param marks: how many it has.
    :param darkest: level of its darkest ink in full contrast.
    """

    box: Box
    marks: int
    darkest: int

    @property
    def is_plain(self) -> bool:
        """Whether it is too dark to shine through from the other side."""
        return self.darkest < _PLAIN


class Witness:
    """One page as it was before clean-up.

    :param grey: the straight page with its light text turned dark, 0 is black.
    :param dpi: its pixels per inch.
    """

    def __init__(self, grey: Grey, *, dpi: float) -> None:
        self._dpi = dpi
        self._page = full_contrast(grey, dpi=dpi)

    def unread(self, blocks: Sequence[Block]) -> Grey:
        """The page in full contrast, white where ``blocks`` account for its ink."""
        left = np.where(self._page < _INK, self._page, np.uint8(255))
        halo = round(_HALO * self._dpi)
        for block in blocks:
            if block.type is not BlockType.TEXT:
                _whiten(left, block.box, halo)
            for word in (word for line in block.lines for word in line.words):
                whiten_word(left, word)
        return left

    def unread_lines(self, blocks: Sequence[Block]) -> list[UnreadLine]:
        """Lines of text that no block accounts for, from top to bottom."""
        return _lines(self.unread(blocks), dpi=self._dpi)

    def mostly_unread(self, lines: Sequence[UnreadLine]) -> bool:
        """Whether ``lines`` are nearly all that is written on the page."""
        unread = sum(line.marks for line in lines)
        if unread < _WRITTEN:
            return False
        return unread > _MOST * sum(line.marks for line in _lines(self._page, dpi=self._dpi))


def well_read(blocks: Sequence[Block]) -> list[Block]:
    """The text blocks without the lines that are no better than guesses."""
    kept = []
    for block in blocks:
        paragraphs = [
            tuple(line for line in paragraph.lines if _confidence(line) >= _WELL_READ)
            for paragraph in block.paragraphs
        ]
        lines = [line for paragraph in paragraphs for line in paragraph]
        if lines:
            box = enclosing([line.box for line in lines])
            kept.append(Block(BlockType.TEXT, box, tuple(Paragraph(part) for part in paragraphs if part)))
    return kept


def unreadable(line: UnreadLine, *, language: str) -> Block:
    """A text block that says that there is a line which nobody could read."""
    box = line.box
    word = Word(UNREADABLE, box, 0.0, language, 0, 1)
    baseline = Baseline(box.left, box.bottom, box.right, box.bottom)
    only = Line((word,), box, baseline, (UNREADABLE,), array("i", box), bytes(1))
    return Block(BlockType.TEXT, box, (Paragraph((only,)),))


def _confidence(line: Line) -> float:
    return statistics.fmean(word.confidence for word in line.words)


def whiten_word(page: Grey, word: Word) -> None:
    """Take a word from the page, with its dots and strokes.

    :param page: is changed.
    """
    _whiten(page, word.box, round(_MARGIN * word.box.height))


def _whiten(page: Grey, box: Box, margin: int) -> None:
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    page[top : box.bottom + margin, left : box.right + margin] = 255


def _lines(page: Grey, *, dpi: float) -> list[UnreadLine]:
    """Marks of letter size, joined to those beside them, where enough of them make one even row."""
    ink, divisor = searchable((page < _INK).astype(np.uint8))
    if np.count_nonzero(ink) < _FEWEST_MARKS:
        return []
    dpi /= divisor
    _, labels, parts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height = parts[:, cv2.CC_STAT_WIDTH], parts[:, cv2.CC_STAT_HEIGHT]
    letters = (height >= _LOWEST * dpi) & (height <= _TALLEST * dpi) & (width <= _WIDEST * dpi)
    letters[0] = False
    if np.count_nonzero(letters) < _FEWEST_MARKS:
        return []
    gap = max(1, round(_GAP * float(np.median(height[letters]))))
    joined = cv2.dilate(letters[labels].astype(np.uint8), np.ones((1, 2 * gap + 1), np.uint8))
    count, rows, places, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    first = parts[letters]
    middle = first[:, cv2.CC_STAT_LEFT] + first[:, cv2.CC_STAT_WIDTH] // 2
    # A mark's middle may be paper, but joining has filled what lies between its own left and right.
    owner = rows[first[:, cv2.CC_STAT_TOP] + first[:, cv2.CC_STAT_HEIGHT] // 2, middle]
    found = []
    for row in range(1, count):
        heights = first[owner == row, cv2.CC_STAT_HEIGHT]
        left, top, wide, tall, _ = places[row].tolist()
        if len(heights) >= _FEWEST_MARKS and tall <= _TALLEST_LINE * float(np.median(heights)):
            # Joining widens a mark by the gap, but at the page's edge by less.
            right = left + wide - gap if left + wide < joined.shape[1] else left + wide
            edges = (left + gap if left else 0, top, right, top + tall)
            box = Box(*(divisor * edge for edge in edges))
            darkest = int(page[box.top : box.bottom, box.left : box.right].min())
            found.append(UnreadLine(box, len(heights), darkest))
    return found
