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
_GUTTERS = (0.6, 3.0)  # of the size of the type, besides the padding: from the narrowest to the widest
_LIKE_COLUMN_SHARE = 0.7  # of tables whose heads stand over numbers as these do


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How a table is set.

    :param columns: x of their edges, one more than there are columns.
    :param top: y of the first row.
    :param height: pixels from row to row.
    :param points: size of the type.
    :param heads_to_the_right: whether heads over numbers end where these end.
    :param ruled: whether its cells have lines about them.
    """

    columns: tuple[int, ...]
    top: int
    height: int
    points: float
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
    text_width = WIDTH - 2 * MARGIN
    least = text_width / (1 + max(cell.column for cell in cells)) if ruled else 0.0
    gutter = 0.0 if ruled else pixels(_POINTS) * chance.uniform(*_GUTTERS)
    widths = _widths(sheet, cells, gutter=gutter, least=least)
    points = _POINTS * min(1.0, text_width / sum(widths))
    shrunk = (width * points / _POINTS for width in widths)
    look = _Look(
        columns=tuple(round(edge) for edge in itertools.accumulate(shrunk, initial=MARGIN)),
        top=top,
        height=round(pixels(points) * (_RULED_PITCH if ruled else chance.choice(_UNRULED_PITCHES))),
        points=points,
        heads_to_the_right=not ruled and chance.random() < _LIKE_COLUMN_SHARE,
        ruled=ruled,
    )
    of_numbers = {cell.column for cell in cells if cell.text[:1].isdigit()}
    for row, of_row in itertools.groupby(cells, key=lambda cell: cell.row):
        baseline = look.edge(row) + look.height // 2 + pixels(points) // 3
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


def _widths(sheet: Sheet, cells: list[Cell], *, gutter: float, least: float) -> list[float]:
    """Columns as wide as their widest cells.

    :param gutter: pixels between two columns, besides the padding.
    :param least: pixels that each column is wide at least.
    """
    columns = 1 + max(cell.column for cell in cells)
    widths = []
    for column in range(columns):
        own = (cell.text for cell in cells if (cell.column, cell.column_span) == (column, 1))
        longest = max((sheet.length(text, _POINTS) for text in own), default=0.0)
        widths.append(max(least, longest + 2 * _PADDING + gutter))
    for wide in (cell for cell in cells if cell.column_span > 1):
        covered = sum(widths[wide.column : wide.column + wide.column_span])
        missing = sheet.length(wide.text, _POINTS) + 2 * _PADDING + gutter - covered
        widths[wide.column + wide.column_span - 1] += max(0.0, missing)
    return widths


def _print_cell(
    sheet: Sheet, cell: Cell, look: _Look, baseline: int, of_numbers: set[int]
) -> tuple[Word, ...]:
    start, end = look.columns[cell.column], look.columns[cell.column + cell.column_span]
    left, length = float(start + _PADDING), sheet.length(cell.text, look.points)
    is_head = not cell.text[:1].isdigit()
    if cell.column_span > 1 and not look.ruled:
        left = (start + end - length) / 2
    elif cell.column in of_numbers and (look.heads_to_the_right or not is_head):
        left = end - _PADDING - length
    return sheet.line(cell.text.split(), left=round(left), baseline=baseline, points=look.points)


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
