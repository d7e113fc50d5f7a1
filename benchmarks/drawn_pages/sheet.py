# SPDX-License-Identifier: Apache-2.0
"""A white sheet that notes every word as it is printed."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from benchmarks.drawn_pages.truth import Cell, Truth, Word
from benchmarks.drawn_pages.typefaces import typeface

DPI = 300
WIDTH, HEIGHT = 2480, 3508
MARGIN = 240

_LEADING = 1.35
_INK = 20
_POINTS_PER_INCH = 72


def pixels(points: float) -> int:
    """A size of type in pixels of the sheet."""
    return round(points * DPI / _POINTS_PER_INCH)


class Sheet:
    """An A4 sheet at 300 dots per inch.

    :param family: what it is set in.
    """

    def __init__(self, family: str) -> None:
        self.image = Image.new("L", (WIDTH, HEIGHT), 255)
        self._draw = ImageDraw.Draw(self.image)
        self._family = family
        self._lines: list[tuple[Word, ...]] = []
        self._tables: list[tuple[Cell, ...]] = []

    @property
    def truth(self) -> Truth:
        """What has been printed so far, in that order."""
        return Truth(tuple(self._lines), tuple(self._tables))

    def paragraph(self, words: Sequence[str], *, left: int, top: int, width: int, points: float) -> int:
        """Print words one after the other in lines; gives where the next paragraph may begin.

        :param left, top, width: its column, in pixels.
        :param points: size of the type.
        """
        size = pixels(points)
        baseline = top + size
        rest = list(words)
        while rest and baseline < HEIGHT - MARGIN // 2:
            line = self._fitting(rest, width, size)
            self._lines.append(self.line(line, left=left, baseline=baseline, points=points))
            rest = rest[len(line) :]
            baseline += round(size * _LEADING)
        return baseline - size + size // 2

    def line(self, words: Sequence[str], *, left: float, baseline: int, points: float) -> tuple[Word, ...]:
        """Print words; whoever asks notes them as a line, alone or with others of the same height."""
        font = typeface(self._family, pixels(points))
        printed = []
        for word in words:
            self._draw.text((left, baseline), word, font=font, fill=_INK, anchor="ls")
            box = self._draw.textbbox((left, baseline), word, font=font, anchor="ls")
            printed.append(Word(word, box))
            left = round(left + font.getlength(word) + font.getlength(" "))
        return tuple(printed)

    def length(self, text: str, points: float) -> float:
        """How wide a text is, in pixels."""
        return typeface(self._family, pixels(points)).getlength(text)

    def rule(self, start: tuple[int, int], end: tuple[int, int], *, thickness: int) -> None:
        """Draw a line, level or plumb."""
        self._draw.line([start, end], fill=_INK, width=thickness)

    def note_row(self, words: Sequence[Word]) -> None:
        """Note words that were printed as a line."""
        if words:
            self._lines.append(tuple(words))

    def note_table(self, cells: Sequence[Cell]) -> None:
        """Note a table whose cells were printed."""
        self._tables.append(tuple(cells))

    def _fitting(self, words: Sequence[str], width: int, size: int) -> list[str]:
        font = typeface(self._family, size)
        count = 1
        while count < len(words) and font.getlength(" ".join(words[: count + 1])) <= width:
            count += 1
        return list(words[:count])
