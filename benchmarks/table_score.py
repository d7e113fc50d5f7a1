# SPDX-License-Identifier: Apache-2.0
"""How well the tables of files agree with those that were drawn, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.libreoffice import Grid

Place = tuple[int, int, int, int]
"""Of a cell: its row and column, and how many of each it covers."""

Cells = Mapping[Place, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What tables have in common.

    :param expected: cells that were drawn.
    :param found: cells that the file has.
    :param exact: those whose place and text are those of a drawn one.
    :param digits: how many were drawn.
    :param wrong_digits: how many of them are missing, or are others, or are too many.
    """

    expected: int = 0
    found: int = 0
    exact: int = 0
    digits: int = 0
    wrong_digits: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            expected=self.expected + other.expected,
            found=self.found + other.found,
            exact=self.exact + other.exact,
            digits=self.digits + other.digits,
            wrong_digits=self.wrong_digits + other.wrong_digits,
        )

    @property
    def precision(self) -> float:
        """The share of the found cells that are exact."""
        return self.exact / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of the drawn cells that are exact."""
        return self.exact / self.expected if self.expected else 0.0

    @property
    def wrong_digit_share(self) -> float:
        """Of the drawn digits."""
        return self.wrong_digits / self.digits if self.digits else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return 2 * self.exact / (self.found + self.expected) if self.exact else 0.0


def total(scores: Iterable[Score]) -> Score:
    """All of them together."""
    return sum(scores, Score())


def score(drawn: Cells, tables: Sequence[Cells]) -> Score:
    """The table of a page against those that were found on it: the best counts, all others are too many."""
    best = max(tables, key=lambda cells: _exact(drawn, cells), default={})
    starts = {(row, column): text for (row, column, _, _), text in best.items()}
    numbers = [((row, column), _digits(text)) for (row, column, _, _), text in drawn.items()]
    return Score(
        expected=len(drawn),
        found=sum(map(len, tables)),
        exact=_exact(drawn, best),
        digits=sum(len(digits) for _, digits in numbers),
        wrong_digits=sum(_distance(digits, _digits(starts.get(at, ""))) for at, digits in numbers),
    )


def placed(grid: Grid) -> Cells:
    """The cells of a grid by their places."""
    cells: dict[Place, str] = {}
    taken: set[tuple[int, int]] = set()
    for row, of_row in enumerate(grid):
        column = 0
        for text, column_span, row_span in of_row:
            while (row, column) in taken:
                column += 1
            cells[row, column, row_span, column_span] = text
            taken |= {
                (row + down, column + right) for down in range(row_span) for right in range(column_span)
            }
    return cells


def tables_of_sheet(grid: Grid) -> list[Cells]:
    """The tables on a sheet: empty rows divide it, and what stands in the first column alone is text."""
    cells = placed(grid)
    used: set[int] = set()
    for (row, _, row_span, _), text in cells.items():
        used |= set(range(row, row + row_span)) if text else set()
    sections: list[list[int]] = []
    for row in sorted(used):
        if sections and row == sections[-1][-1] + 1:
            sections[-1].append(row)
        else:
            sections.append([row])
    parts = [
        {
            (row - rows[0], column, row_span, column_span): text
            for (row, column, row_span, column_span), text in cells.items()
            if row in rows
        }
        for rows in sections
    ]
    return [part for part in parts if _has_columns(part)]


def _has_columns(cells: Cells) -> bool:
    return any(text and (column or span > 1) for (_, column, _, span), text in cells.items())


def _exact(drawn: Cells, found: Cells) -> int:
    return sum(found.get(place) == text for place, text in drawn.items())


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _distance(one: str, two: str) -> int:
    """How many insertions, deletions and replacements lead from one text to the other."""
    costs = list(range(len(two) + 1))
    for row, letter in enumerate(one, start=1):
        diagonal, costs[0] = costs[0], row
        for column, other in enumerate(two, start=1):
            diagonal, costs[column] = (
                costs[column],
                min(costs[column] + 1, costs[column - 1] + 1, diagonal + (letter != other)),
            )
    return costs[-1]
