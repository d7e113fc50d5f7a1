# SPDX-License-Identifier: Apache-2.0
"""Whether rows with gutters between their parts are a table at all; in doubt they are none."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence

from airflow_provider_ocr.server.recognition.paragraphs import begins_item
from airflow_provider_ocr.server.recognition.tables.alignment import column_alignment
from airflow_provider_ocr.server.recognition.tables.gutters import FEWEST_ROWS, Column
from airflow_provider_ocr.server.recognition.tables.table_rows import Part, TableRow

_FILLED = 0.5  # share of the places that have something in them
_EVEN = 0.8  # share of the rows that stand on one baseline
_ALIGNED = 0.6  # share of a column's cells that are aligned with each other
_NUMBERS = 0.6  # share of a column's cells that are numbers, for it to be a column of numbers
_WORDY = 4  # words to a cell: running text
_FEWEST_ROWS_OF_WORDS, _FEWEST_COLUMNS_OF_WORDS = 6, 3
_LEADER = re.compile(r"[.·…_\-]{3,}|…")
_LED = 0.3  # share of the rows that have leaders
_MARKED = 0.5  # share of the rows that begin with the mark of an item
_STANDS_OUT = 1.0  # of the size of the type, on either side of the columns


def is_table(rows: Sequence[TableRow], columns: Sequence[Column]) -> bool:
    """Whether the rows are a table with these columns."""
    return (
        len(rows) >= FEWEST_ROWS
        and sum(row.is_even for row in rows) >= _EVEN * len(rows)
        and _is_filled(rows, len(columns))
        and not _stands_out(rows, columns)
        and not _has_leaders(rows)
        and not _is_list(rows)
        and _has_cells(rows, len(columns))
    )


def _is_filled(rows: Sequence[TableRow], columns: int) -> bool:
    filled = sum(len({column for part in row.parts for column in part.columns}) for row in rows)
    return filled >= _FILLED * len(rows) * columns


def _stands_out(rows: Sequence[TableRow], columns: Sequence[Column]) -> bool:
    return any(
        part.line.box.left < columns[0].left - _STANDS_OUT * row.em
        or part.line.box.right > columns[-1].right + _STANDS_OUT * row.em
        for row in rows
        for part in row.parts
    )


def _has_leaders(rows: Sequence[TableRow]) -> bool:
    led = sum(any(_LEADER.search(word.text) for line in row.lines for word in line.words) for row in rows)
    return led > _LED * len(rows)


def _is_list(rows: Sequence[TableRow]) -> bool:
    """Whether most rows begin with the mark of an item."""
    marked = sum(begins_item(min(row.lines, key=lambda line: line.box.left)) for row in rows)
    return marked > _MARKED * len(rows)


def _has_cells(rows: Sequence[TableRow], columns: int) -> bool:
    """Whether the columns hold what cells hold: numbers, or few words, aligned with each other."""
    cells = [
        [part for row in rows for part in row.parts if part.columns == range(n, n + 1)]
        for n in range(columns)
    ]
    if not all(cells):
        return False
    of_numbers = [_is_of_numbers(column) for column in cells]
    wordy = sum(_words(column) >= _WORDY for column in cells)
    if wordy > (columns > 2):  # noqa: PLR2004 - a description is one column of several
        return False
    if not all(column_alignment([part.line for part in column])[1] >= _ALIGNED for column in cells):
        return False
    if columns == 2:  # noqa: PLR2004 - the least, and what letterheads and forms have, too
        return of_numbers[1]
    return any(of_numbers) or (
        len(rows) >= _FEWEST_ROWS_OF_WORDS and columns >= _FEWEST_COLUMNS_OF_WORDS and not wordy
    )


def _cells(rows: Sequence[TableRow], column: int) -> list[Part]:
    """The lines of the cells that cover this column alone."""
    only = range(column, column + 1)
    return [part for row in rows for part in row.parts if part.columns == only]


def _is_of_numbers(column: Sequence[Part]) -> bool:
    return sum(part.is_number for part in column) >= _NUMBERS * len(column)


def _words(column: Sequence[Part]) -> float:
    return statistics.median(len(part.line.words) for part in column)
