# SPDX-License-Identifier: Apache-2.0
"""Where the words of a line stand along its baseline, in pixels."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from airflow_provider_ocr.server.document import Line, Word

_TOO_NARROW = 0.85  # of how wide the other words of a line are, as measured by their letters
_MOST_SQUEEZED = 0.8  # of their natural width; narrow typefaces are about that wide
_ROOM = 0.9  # of the gap between its neighbours that a word may fill


class Span(NamedTuple):
    """From where to where a word reaches, counted from the baseline's start."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """How long it is."""
        return self.end - self.start


def span(word: Word, line: Line) -> Span:
    """Where the word stands, as it was found."""
    angle, base = line.baseline.angle, line.baseline
    middle_x, middle_y = (word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2
    middle = (middle_x - base.x1) * math.cos(angle) - (middle_y - base.y1) * math.sin(angle)
    length = along(word.box.width, word.box.height, angle)
    return Span(middle - length / 2, middle + length / 2)


def along(level: float, upright: float, angle: float) -> float:
    """How far a box reaches in the direction of ``angle``: its width for level text."""
    return max(level * abs(math.cos(angle)), upright * abs(math.sin(angle)))


def widened(spans: Sequence[Span], naturals: Sequence[float]) -> list[Span]:
    """The spans, but for words between others that were found much too narrow for their letters.

    The engine guesses where a letter that stands alone begins and ends. Such a word gets the width of its
    letters, in the middle between its neighbours.

    :param spans: from left to right.
    :param naturals: how long each word is by its letters, in any unit.
    """
    stretches = [one.length / natural for one, natural in zip(spans, naturals, strict=True) if natural > 0]
    usual = statistics.median(stretches) if stretches else 0.0
    wide = list(spans)
    for place in range(1, len(spans) - 1):
        wanted = usual * naturals[place]
        before, after = spans[place - 1].end, spans[place + 1].start
        length = min(wanted, _ROOM * (after - before))
        if spans[place].length < _TOO_NARROW * wanted and length > spans[place].length:
            middle = (before + after) / 2
            wide[place] = Span(middle - length / 2, middle + length / 2)
    return wide


def fitting_size(size: float, lengths: Sequence[float], naturals: Sequence[float]) -> float:
    """The font size, or a smaller one if words would have to be squeezed hard: their boxes are too high then.

    :param lengths: how long the words are, in the unit of ``size``.
    :param naturals: how long they are by their letters, in parts of the size.
    """
    natural = sum(naturals) * size
    return size * min(1.0, sum(lengths) / natural / _MOST_SQUEEZED) if natural > 0 else size
