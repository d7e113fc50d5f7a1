# SPDX-License-Identifier: Apache-2.0
"""The text of a page in a PDF file: each word on its place, as long as found, and a space in each gap."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pikepdf

from airflow_provider_ocr.server.document import Baseline, Line, Page
from airflow_provider_ocr.server.export.pdf_geometry import points_per_pixel
from airflow_provider_ocr.server.export.pdf_structure import marked
from airflow_provider_ocr.server.export.type_size import type_size
from airflow_provider_ocr.server.export.visual_order import leftward, visual_order
from airflow_provider_ocr.server.export.word_places import Span, along, fitting_size, span, widened

_NARROWEST, _WIDEST = 1.0, 30_000.0  # per cent; a reader takes numbers up to 32767
_SMALLEST = 1.0  # points


FoundWord = tuple[tuple[str, ...], float]
"""The characters of a word, and how high it is across its line, in points."""


class Lettering(Protocol):
    """How characters are shown. One serves a whole document."""

    @property
    def proportional(self) -> bool:
        """Whether characters differ in length as printed ones do."""

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


@dataclass(frozen=True, slots=True)
class _SetLine:
    """A line's words from left to right: their characters, their places and heights in pixels."""

    baseline: Baseline
    spelled: list[tuple[str, ...]]
    places: list[Span]
    heights: list[float]


def text_operators(page: Page, marks: Iterable[str], lettering: Lettering) -> str:
    """The operators that show all text of a page.

    :param marks: for each paragraph the operator that begins its marked content, or nothing.
    """
    shown = []
    scale = points_per_pixel(page)
    for paragraph, mark in zip(page.paragraphs, marks, strict=False):
        operators: list[str] = []
        lines = [_set_line(line, lettering) for line in paragraph.lines]
        # One size for all lines: by their sizes readers tell which lines belong together.
        size = _size(lines, lettering, scale=scale, printed=type_size(paragraph))
        for line, placed in zip(paragraph.lines, lines, strict=True):
            operators += _line(placed, page, size, lettering)
            if mark and not line.hyphenated:
                # Whoever reads by the tags goes by no places, and is to be told where the word ends.
                operators.append(lettering.show((" ",), _SMALLEST))
        shown.append(marked(mark, "\n".join(operators)))
    return "\n".join(["BT", *shown, "ET"]) if shown else ""


def _set_line(line: Line, lettering: Lettering) -> _SetLine:
    words = list(line.words)
    if leftward(line.texts):
        words.sort(key=lambda word: span(word, line))
    spelled = [visual_order(tuple(one.text for one in line.characters(word))) for word in words]
    places = [span(word, line) for word in words]
    if lettering.proportional:
        places = widened(places, [lettering.length(characters) for characters in spelled])
    heights = [along(word.box.height, word.box.width, line.baseline.angle) for word in words]
    return _SetLine(line.baseline, spelled, places, heights)


def _size(lines: Sequence[_SetLine], lettering: Lettering, *, scale: float, printed: float | None) -> float:
    """The font size of a paragraph.

    :param printed: points of its type, if that is known.
    """
    spelled = [characters for line in lines for characters in line.spelled]
    heights = [height * scale for line in lines for height in line.heights]
    size = lettering.size(list(zip(spelled, heights, strict=True)), printed)
    if lettering.proportional:
        lengths = [place.length * scale for line in lines for place in line.places]
        size = fitting_size(size, lengths, [lettering.length(characters) for characters in spelled])
    return max(_SMALLEST, size)


def _line(line: _SetLine, page: Page, size: float, lettering: Lettering) -> Iterator[str]:
    scale, base, places = points_per_pixel(page), line.baseline, line.places
    right, up = math.cos(base.angle), math.sin(base.angle)
    direction = f"{right:.5f} {up:.5f} {-up:.5f} {right:.5f}"
    for index, (characters, place) in enumerate(zip(line.spelled, places, strict=True)):
        x, y = base.x1 + place.start * right, base.y1 - place.start * up
        yield f"{direction} {x * scale:.2f} {(page.height - y) * scale:.2f} Tm"
        yield _stretched(characters, place.length * scale, size, lettering)
        if index + 1 < len(places):
            gap = places[index + 1].start - place.end
            yield _stretched((" ",), gap * scale, size, lettering)


def _stretched(characters: tuple[str, ...], length: float, size: float, lettering: Lettering) -> str:
    natural = lettering.length(characters) * size
    stretch = min(max(100 * length / natural, _NARROWEST), _WIDEST) if natural else 100.0
    return f"{stretch:.2f} Tz {lettering.show(characters, size)}"
