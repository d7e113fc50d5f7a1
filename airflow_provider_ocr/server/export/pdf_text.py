# SPDX-License-Identifier: Apache-2.0
"""The text of a page in a PDF file: each word on its place, as long as found, and a space in each gap."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import pikepdf

from airflow_provider_ocr.server.document import Line, Page, Word
from airflow_provider_ocr.server.export.pdf_geometry import points_per_pixel
from airflow_provider_ocr.server.export.pdf_structure import marked
from airflow_provider_ocr.server.export.type_size import type_size

_NARROWEST, _WIDEST = 1.0, 30_000.0  # per cent; a reader takes numbers up to 32767
_SMALLEST = 1.0  # points


FoundWord = tuple[tuple[str, ...], float]
"""The characters of a word, and how high it is across its line, in points."""


class Lettering(Protocol):
    """How characters are shown. One serves a whole document."""

    def size(self, words: Sequence[FoundWord], type_size: float | None) -> float:
        """The font size, in points, in which the words of a paragraph are as high as they were found.

        :param type_size: points of the type that they were printed in, if that is known.
        """

    def length(self, characters: tuple[str, ...]) -> float:
        """How long the characters are, in parts of the font size."""

    def show(self, characters: tuple[str, ...], size: float) -> str:
        """The operators that show the characters, in ``size`` points, where the last ones ended."""

    def add_to(self, pdf: pikepdf.Pdf) -> pikepdf.Dictionary:
        """The fonts of all that was shown, by the names that the operators have for them."""


def text_operators(page: Page, marks: Iterable[str], lettering: Lettering) -> str:
    """The operators that show all text of a page.

    :param marks: for each paragraph the operator that begins its marked content, or nothing.
    """
    shown = []
    scale = points_per_pixel(page)
    for paragraph, mark in zip(page.paragraphs, marks, strict=False):
        operators: list[str] = []
        # One size for all lines: by their sizes readers tell which lines belong together.
        words = [word for line in paragraph.lines for word in _found(line, scale)]
        size = max(_SMALLEST, lettering.size(words, type_size(paragraph)))
        for line in paragraph.lines:
            operators += _line(line, page, size, lettering)
            if mark and not line.hyphenated:
                # Whoever reads by the tags goes by no places, and is to be told where the word ends.
                operators.append(lettering.show((" ",), _SMALLEST))
        shown.append(marked(mark, "\n".join(operators)))
    return "\n".join(["BT", *shown, "ET"]) if shown else ""


def _found(line: Line, scale: float) -> Iterator[FoundWord]:
    for word in line.words:
        height = _along(word.box.height, word.box.width, line.baseline.angle) * scale
        yield tuple(character.text for character in line.characters(word)), height


def _line(line: Line, page: Page, size: float, lettering: Lettering) -> Iterator[str]:
    angle, scale = line.baseline.angle, points_per_pixel(page)
    spelled = [characters for characters, _ in _found(line, scale)]
    places = [_place(word, line) for word in line.words]
    direction = f"{math.cos(angle):.5f} {math.sin(angle):.5f} {-math.sin(angle):.5f} {math.cos(angle):.5f}"
    for index, (characters, (x, y, length)) in enumerate(zip(spelled, places, strict=True)):
        yield f"{direction} {x * scale:.2f} {(page.height - y) * scale:.2f} Tm"
        yield _stretched(characters, length * scale, size, lettering)
        if index + 1 < len(places):
            following_x, following_y, _ = places[index + 1]
            gap = math.hypot(following_x - x, following_y - y) - length
            yield _stretched((" ",), gap * scale, size, lettering)


def _stretched(characters: tuple[str, ...], length: float, size: float, lettering: Lettering) -> str:
    natural = lettering.length(characters) * size
    stretch = min(max(100 * length / natural, _NARROWEST), _WIDEST) if natural else 100.0
    return f"{stretch:.2f} Tz {lettering.show(characters, size)}"


def _place(word: Word, line: Line) -> tuple[float, float, float]:
    """Where on the line's baseline the word starts, and how long it is, in pixels."""
    angle, base = line.baseline.angle, line.baseline
    right, down = math.cos(angle), -math.sin(angle)
    middle_x, middle_y = (word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2
    length = _along(word.box.width, word.box.height, angle)
    start = (middle_x - base.x1) * right + (middle_y - base.y1) * down - length / 2
    return base.x1 + start * right, base.y1 + start * down, length


def _along(level: float, upright: float, angle: float) -> float:
    """How far a box reaches in the direction of ``angle``: its width for level text."""
    return max(level * abs(math.cos(angle)), upright * abs(math.sin(angle)))
