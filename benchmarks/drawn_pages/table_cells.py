# SPDX-License-Identifier: Apache-2.0
"""What stands in the cells of drawn tables: words and numbers, some cells empty, some over several places."""

from __future__ import annotations

from random import Random

from benchmarks.drawn_pages.prose import phrase
from benchmarks.drawn_pages.truth import Cell

_EMPTY_SHARE = 0.1
_WIDE_HEAD_SHARE = 0.5
_TALL_SHARE = 0.15
_LARGEST = 20_000
_DECIMALS = (0, 1, 2, 2, 2)


def table_cells(chance: Random, language: str, *, ruled: bool) -> list[Cell]:
    """The cells of a table of words and, in its last columns, numbers; row by row.

    :param language: of its words and numbers, English or German.
    :param ruled: whether lines will show what each cell covers. Without them a head may stand over two
        columns that have heads of their own, and no cell covers several rows.
    """
    rows, columns = chance.randint(5, 12), chance.randint(3, 5)
    of_numbers = columns - chance.randint(1, columns - 1)
    heads = _heads(chance, language, columns, of_numbers, ruled=ruled)
    first = 1 + max(cell.row for cell in heads)
    tall = _tall_cells(chance, rows, first) if ruled else set()
    written = [chance.choice(_DECIMALS) for _ in range(columns)]
    body = []
    for row in range(first, rows):
        for column in range(columns):
            if column == 0 and row - 1 in tall:
                continue
            decimals = written[column] if column >= of_numbers else None
            text = _content(chance, language, column=column, decimals=decimals)
            body.append(Cell(row, column, 2 if column == 0 and row in tall else 1, 1, text))
    return heads + body


def _heads(chance: Random, language: str, columns: int, of_numbers: int, *, ruled: bool) -> list[Cell]:
    if ruled:
        wide = chance.randint(2, columns - 1)
        heads = [Cell(0, 0, 1, wide, phrase(language, chance, min(wide, 2)))]
        return heads + [Cell(0, column, 1, 1, phrase(language, chance, 1)) for column in range(wide, columns)]
    if columns - of_numbers == 1 or chance.random() >= _WIDE_HEAD_SHARE:
        return [Cell(0, column, 1, 1, phrase(language, chance, 1)) for column in range(columns)]
    wide = chance.randint(of_numbers, columns - 2)
    above = [Cell(0, column, 1, 1, "") for column in range(columns) if column not in (wide, wide + 1)]
    above.insert(wide, Cell(0, wide, 1, 2, phrase(language, chance, 3)))
    return above + [Cell(1, column, 1, 1, phrase(language, chance, 1)) for column in range(columns)]


def _tall_cells(chance: Random, rows: int, first: int) -> set[int]:
    """The rows in which the first column's cell covers the next row too."""
    tall: set[int] = set()
    for row in range(first, rows - 1):
        if row - 1 not in tall and chance.random() < _TALL_SHARE:
            tall.add(row)
    return tall


def _content(chance: Random, language: str, *, column: int, decimals: int | None) -> str:
    """What stands in a cell of the body: a number with so many decimals, or words."""
    if column and chance.random() < _EMPTY_SHARE:
        return ""
    if decimals is None:
        return phrase(language, chance, chance.randint(1, 2))
    text = f"{chance.uniform(1, _LARGEST):,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "German" else text
