# SPDX-License-Identifier: Apache-2.0
"""Tables on drawn pages: with lines about their cells, with lines above and below the head, or with none."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from random import Random

from benchmarks.drawn_pages.sheet import MARGIN, WIDTH, Sheet, pixels
from benchmarks.drawn_pages.table_cells import table_cells
from benchmarks.drawn_pages.truth import Cell, Word

_PADDING = 20
_POINTS = 11.0
_RULED_PITCH = 2.0  # of the size of the type, from row to row
_UNRULED_PITCHES = (1.3, 1.5, 2.0)
_LIKE_COLUMN_SHARE = 0.7  # of tables whose heads stand over numbers as these do


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How a table is set.

    :param columns: x of their edges, one more than there are columns.
    :param top: y of the first row.
    :param height: pixels from row to row.
    :param heads_to_the_right: whether heads over numbers end where these end.
    :param ruled: whether its cells have lines about them.
    """

    columns: tuple[int, ...]
    top: int
    height: int
    heads_to_the_right: bool
    ruled: bool

    def edge(self, row: int) -> int:
        """Where a row begins, in pixels down the page."""
        return self.top + row * self.height


def print_table(sheet: Sheet, chance: Random, *, top: int, language: str, ruled: bool) -> int:
    """Print a table no wider than the text; gives where it ends.

    :param top: where it begins, in pixels.
    :param language: of its words and numbers, English or German.
    :param ruled: whether its cells have lines about them.
    """
    cells = table_cells(chance, language, ruled=ruled)
    columns = 1 + max(cell.column for cell in cells)
    width = WIDTH - 2 * MARGIN if ruled else round((WIDTH - 2 * MARGIN) * chance.uniform(0.75, 1.0))
    look = _Look(
        columns=tuple(MARGIN + round(number * width / columns) for number in range(columns + 1)),
        top=top,
        height=round(pixels(_POINTS) * (_RULED_PITCH if ruled else chance.choice(_UNRULED_PITCHES))),
        heads_to_the_right=not ruled and chance.random() < _LIKE_COLUMN_SHARE,
        ruled=ruled,
    )
    of_numbers = {cell.column for cell in cells if cell.text[:1].isdigit()}
    for row, of_row in itertools.groupby(cells, key=lambda cell: cell.row):
        baseline = look.edge(row) + look.height // 2 + pixels(_POINTS) // 3
        printed: list[Word] = []
        for cell in of_row:
            printed += _print_cell(sheet, cell, look, baseline, of_numbers)
        sheet.note_row(printed)
    thickness = chance.choice([2, 3, 4, 6])
    if ruled:
        _rule_cells(sheet, cells, look, thickness=thickness)
    elif chance.random() < 1 / 2:
        _rule_head(sheet, cells, look, thickness=thickness)
    sheet.note_table(cells)
    return look.edge(1 + max(cell.row for cell in cells))


def _print_cell(
    sheet: Sheet, cell: Cell, look: _Look, baseline: int, of_numbers: set[int]
) -> tuple[Word, ...]:
    start, end = look.columns[cell.column], look.columns[cell.column + cell.column_span]
    left, length = float(start + _PADDING), sheet.length(cell.text, _POINTS)
    is_head = not cell.text[:1].isdigit()
    if cell.column_span > 1 and not look.ruled:
        left = (start + end - length) / 2
    elif cell.column in of_numbers and (look.heads_to_the_right or not is_head):
        left = end - _PADDING - length
    return sheet.line(cell.text.split(), left=round(left), baseline=baseline, points=_POINTS)


def _rule_cells(sheet: Sheet, cells: list[Cell], look: _Look, *, thickness: int) -> None:
    for cell in cells:
        left, right = look.columns[cell.column], look.columns[cell.column + cell.column_span]
        upper, lower = look.edge(cell.row), look.edge(cell.row + cell.row_span)
        for y in (upper, lower):
            sheet.rule((left, y), (right, y), thickness=thickness)
        for x in (left, right):
            sheet.rule((x, upper), (x, lower), thickness=thickness)


def _rule_head(sheet: Sheet, cells: list[Cell], look: _Look, *, thickness: int) -> None:
    """Lines above the head, below it, and at the table's end."""
    first = min(cell.row for cell in cells if cell.text[:1].isdigit())
    for row in (0, first, 1 + max(cell.row for cell in cells)):
        y = look.edge(row)
        sheet.rule((look.columns[0], y), (look.columns[-1], y), thickness=thickness)
