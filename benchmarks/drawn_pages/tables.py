# SPDX-License-Identifier: Apache-2.0
"""Tables on drawn pages: words and numbers in cells, some empty, a heading that covers several columns."""

from __future__ import annotations

import itertools
from random import Random

from benchmarks.drawn_pages.prose import phrase
from benchmarks.drawn_pages.sheet import MARGIN, WIDTH, Sheet, pixels
from benchmarks.drawn_pages.truth import Cell, Word

_EMPTY_SHARE = 0.1
_PADDING = 20
_POINTS = 11.0


def print_table(sheet: Sheet, chance: Random, *, top: int, language: str, ruled: bool) -> int:
    """Print a table as wide as the text; gives where it ends.

    :param top: where it begins, in pixels.
    :param language: of its words and numbers, English or German.
    :param ruled: whether its cells have lines about them; where not, no cell covers several columns.
    """
    rows, columns = chance.randint(5, 12), chance.randint(3, 5)
    lefts = [MARGIN + round(number * (WIDTH - 2 * MARGIN) / columns) for number in range(columns + 1)]
    height = pixels(_POINTS) * 2
    cells = _cells(chance, rows, columns, language, spans=ruled)
    for row, of_row in itertools.groupby(cells, key=lambda cell: cell.row):
        baseline = top + row * height + height // 2 + pixels(_POINTS) // 3
        printed: list[Word] = []
        for cell in of_row:
            printed += _print_cell(sheet, cell, lefts, baseline)
        sheet.note_row(printed)
    if ruled:
        _rule(sheet, cells, lefts, top, height, thickness=chance.choice([2, 3, 4, 6]))
    sheet.note_table(cells)
    return top + rows * height


def _cells(chance: Random, rows: int, columns: int, language: str, *, spans: bool) -> list[Cell]:
    first = chance.randint(2, columns - 1) if spans else 1
    of_numbers = columns - chance.randint(1, columns - 1)
    heading = [Cell(0, 0, 1, first, phrase(language, chance, min(first, 2)))]
    heading += [Cell(0, column, 1, 1, phrase(language, chance, 1)) for column in range(first, columns)]
    body = [
        Cell(
            row,
            column,
            1,
            1,
            _content(chance, language, number=column >= of_numbers, first=column == 0),
        )
        for row in range(1, rows)
        for column in range(columns)
    ]
    return heading + body


def _content(chance: Random, language: str, *, number: bool, first: bool) -> str:
    if not first and chance.random() < _EMPTY_SHARE:
        return ""
    if not number:
        return phrase(language, chance, chance.randint(1, 2))
    text = f"{chance.uniform(1, 20_000):,.2f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "German" else text


def _print_cell(sheet: Sheet, cell: Cell, lefts: list[int], baseline: int) -> tuple[Word, ...]:
    left = lefts[cell.column] + _PADDING
    if cell.text[:1].isdigit():
        left = round(lefts[cell.column + cell.column_span] - _PADDING - sheet.length(cell.text, _POINTS))
    return sheet.line(cell.text.split(), left=left, baseline=baseline, points=_POINTS)


def _rule(
    sheet: Sheet, cells: list[Cell], lefts: list[int], top: int, height: int, *, thickness: int
) -> None:
    for cell in cells:
        left, right = lefts[cell.column], lefts[cell.column + cell.column_span]
        upper, lower = top + cell.row * height, top + (cell.row + 1) * height
        for y in (upper, lower):
            sheet.rule((left, y), (right, y), thickness=thickness)
        for x in (left, right):
            sheet.rule((x, upper), (x, lower), thickness=thickness)
