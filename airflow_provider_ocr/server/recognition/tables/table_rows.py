# SPDX-License-Identifier: Apache-2.0
"""The rows of a table without ruled lines: the heads above them, too, and cells of several lines as one."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from airflow_provider_ocr.server.document import Line
from airflow_provider_ocr.server.recognition.tables.gutters import (
    FEWEST_ROWS,
    Column,
    Gutters,
    covered,
    in_order,
    touched,
)
from airflow_provider_ocr.server.recognition.tables.numbers import is_number
from airflow_provider_ocr.server.recognition.tables.set_rows import SetRow

_MOST_HEADS = 3
_CLOSER = 1.3  # times: from here on two distances of rows are said to differ
_BESIDE = 1.0  # of the size of the type: how far a head may stand out of its table
_HEADED = 0.5  # share of the columns, above which a row has to stand to be their head


@dataclass(frozen=True, slots=True)
class Part:
    """A line of a cell.

    :param columns: which the cell covers.
    :param height: number of the set row that it belongs to.
    """

    line: Line
    columns: range
    height: int

    @property
    def is_number(self) -> bool:
        """Whether it is mostly digits."""
        return is_number(self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of cells.

    :param lines: as the engine read them.
    :param em: size of the type, in pixels.
    :param is_even: whether each of its lines of cells stands on one baseline.
    """

    parts: tuple[Part, ...]
    lines: tuple[Line, ...]
    em: float
    is_even: bool


def table_rows(run: Sequence[SetRow], gutters: Gutters) -> tuple[range, list[TableRow]]:
    """Which rows of the run are the table, with the heads above it, and the rows that they make."""
    columns = gutters.columns
    placed = [
        [Part(part, touched(part, columns, em=row.em), number) for part in row.parts]
        for number, row in enumerate(run)
    ]
    first, end = gutters.first, gutters.end
    while first and gutters.first - first < _MOST_HEADS:
        head = _head(run[first - 1], columns, first - 1)
        if head is None:
            break
        first -= 1
        placed[first] = head
    end += _is_last_line(run, placed, gutters)
    chosen = range(first, end)
    together = _together([run[number] for number in chosen], [placed[number] for number in chosen])
    rows = [
        _row([run[first + number] for number in numbers], [placed[first + number] for number in numbers])
        for numbers in together
    ]
    return chosen, rows


def _row(rows: Sequence[SetRow], placed: Sequence[list[Part]]) -> TableRow:
    return TableRow(
        parts=tuple(part for parts in placed for part in parts),
        lines=tuple(line for row in rows for line in row.lines),
        em=statistics.median(row.em for row in rows),
        is_even=all(row.is_even for row in rows),
    )


def _head(row: SetRow, columns: Sequence[Column], height: int) -> list[Part] | None:
    """What a row above the table is as its head, None where it is none."""
    parts = [Part(part, covered(part, columns, em=row.em), height) for part in row.parts]
    slack = _BESIDE * row.em
    if row.parts[0].box.left < columns[0].left - slack or row.parts[-1].box.right > columns[-1].right + slack:
        return None
    apart = all(one.columns.stop <= two.columns.start for one, two in pairwise(parts))
    if not apart:
        if len(parts) > len(columns):
            return None
        places = in_order(row.parts, columns)
        parts = [
            Part(part, range(place, place + 1), height) for part, place in zip(row.parts, places, strict=True)
        ]
    below = {column for part in parts for column in part.columns}
    if len(parts) == 1:  # a title stands above the first column, too
        return parts if 0 not in below and len(below) > 1 else None
    return parts if len(below) >= _HEADED * len(columns) else None


def _is_last_line(run: Sequence[SetRow], placed: Sequence[list[Part]], gutters: Gutters) -> bool:
    """Whether the row behind the table is the second line of a cell of its last row."""
    end = gutters.end
    if end == len(run) or len(placed[end]) > 1 or len(placed[end][0].columns) > 1:
        return False
    pitches = [below.foot - above.foot for above, below in pairwise(run[gutters.first : end])]
    return _CLOSER * (run[end].foot - run[end - 1].foot) <= statistics.median(pitches)


def _together(rows: Sequence[SetRow], placed: Sequence[list[Part]]) -> list[list[int]]:
    """The numbers of the set rows that are one row of the table: closer to each other than to the rest."""
    alone = [[number] for number in range(len(rows))]
    pitches = [below.foot - above.foot for above, below in pairwise(rows)]
    ordered = sorted(pitches)
    ratio, farthest = max(((two / max(one, 1.0), two) for one, two in pairwise(ordered)), default=(0.0, 0.0))
    if ratio < _CLOSER:
        return alone
    together = [[0]]
    for number, pitch in enumerate(pitches, start=1):
        if pitch < farthest:
            together[-1].append(number)
        else:
            together.append([number])
    contradicted = any(_contradict([placed[number] for number in numbers]) for numbers in together)
    return alone if contradicted or len(together) < FEWEST_ROWS else together


def _contradict(placed: Sequence[list[Part]]) -> bool:
    """Whether set rows cannot be one: numbers below each other, full rows, or what covers columns."""
    for one, two in _pairs(placed):
        numbers = [{part.columns for part in parts if part.is_number} for parts in (one, two)]
        places = {part.columns for part in [*one, *two]}
        both_full = min(len(one), len(two)) > max(1, len(places) // 2)
        if numbers[0] & numbers[1] or both_full:
            return True
    return len(placed) > 1 and any(len(part.columns) > 1 for parts in placed for part in parts)


def _pairs(placed: Sequence[list[Part]]) -> Iterator[tuple[list[Part], list[Part]]]:
    return ((one, two) for number, one in enumerate(placed) for two in placed[number + 1 :])
