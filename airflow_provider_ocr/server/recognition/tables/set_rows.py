# SPDX-License-Identifier: Apache-2.0
"""The rows of a page as they are set, each cut where a gap is too wide to be the space between two words.

Rows that have several such parts, one row below the other, may be a table: see ``gutters``.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from airflow_provider_ocr.server.document import Line
from airflow_provider_ocr.server.recognition.line_pieces import Piece, height_of_baseline, line_of, pieces_of
from airflow_provider_ocr.server.rows import rows

_POINTS_PER_INCH = 72
_WORD_GAP = 0.8  # of the size of the type; the space between two words is a third of it
_FARTHEST = 3.5  # of the size of the type, from foot to foot: what is farther is no next row
_MOST_LONE_WORDS = 6  # of a row without a gap within a table; running text has more
_MOST_LONE_ROWS = 3  # in succession


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRow:
    """What stands at one height of the page.

    :param lines: as the engine read them.
    :param parts: their words, from left to right, those together between which there is no wide gap.
    :param em: size of the type, in pixels.
    """

    lines: tuple[Line, ...]
    parts: tuple[Line, ...]
    em: float

    @property
    def foot(self) -> float:
        """How far down the page its letters stand, in pixels."""
        return statistics.median(map(height_of_baseline, self.lines))

    @property
    def is_even(self) -> bool:
        """Whether all of it stands on one baseline, as neighbouring blocks of text hardly ever do."""
        feet = [height_of_baseline(line) for line in self.lines]
        return max(feet) - min(feet) <= self.em / 4


def set_rows(lines: Iterable[Line], *, dpi: float) -> list[SetRow]:
    """The rows from top to bottom.

    :param lines: of the page's text.
    :param dpi: its pixels per inch.
    """
    return [_set_row(row, dpi=dpi) for row in rows(lines)]


def runs(found: Sequence[SetRow]) -> list[list[SetRow]]:
    """Rows below each other that may be of one table: most have several parts, none is a line of prose."""
    together: list[list[SetRow]] = [[]]
    for row in found:
        if not _may_be_tabular(row) or (together[-1] and not _is_next(together[-1], row)):
            together.append([])
        if _may_be_tabular(row):
            together[-1].append(row)
    return [run for run in together if len(run) > 1]


def _set_row(lines: Sequence[Line], *, dpi: float) -> SetRow:
    sizes = [line.size * dpi / _POINTS_PER_INCH for line in lines if line.size]
    em = statistics.median(sizes) if sizes else float(max(line.box.height for line in lines))
    pieces = [(piece, line) for line in lines for piece in pieces_of(line)]
    pieces.sort(key=lambda one: one[0][0].box.left)
    parts: list[list[tuple[Piece, Line]]] = []
    right = 0
    for piece, line in pieces:
        if not parts or piece[0].box.left - right > _WORD_GAP * em:
            parts.append([])
        parts[-1].append((piece, line))
        right = max(right, piece[0].box.right)
    return SetRow(lines=tuple(lines), parts=tuple(map(_part, parts)), em=em)


def _part(pieces: Sequence[tuple[Piece, Line]]) -> Line:
    baseline = round(statistics.median(height_of_baseline(line) for _, line in pieces))
    made = line_of([piece for piece, _ in pieces], baseline=baseline)
    return replace(made, size=statistics.median(line.size for _, line in pieces))


def _may_be_tabular(row: SetRow) -> bool:
    leftward = any(_runs_to_the_left(line) for line in row.lines)
    return not leftward and (len(row.parts) > 1 or len(row.parts[0].words) <= _MOST_LONE_WORDS)


def _runs_to_the_left(line: Line) -> bool:
    return any(before.box.left > after.box.left for before, after in pairwise(line.words))


def _is_next(run: Sequence[SetRow], row: SetRow) -> bool:
    lone = all(len(one.parts) == 1 for one in [*run[-_MOST_LONE_ROWS:], row])
    near = row.foot - run[-1].foot <= _FARTHEST * max(row.em, run[-1].em)
    return near and not (lone and len(run) >= _MOST_LONE_ROWS)
