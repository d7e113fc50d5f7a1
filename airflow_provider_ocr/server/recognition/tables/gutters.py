# SPDX-License-Identifier: Apache-2.0
"""Columns without ruled lines: what stands between gutters that run down through three rows at least."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from airflow_provider_ocr.server.document import Line
from airflow_provider_ocr.server.recognition.tables.set_rows import SetRow

FEWEST_ROWS = 3

_GUTTER = 1.0  # of the size of the type
_SUPPORT = 0.25  # share of the rows in which a column has to have something
_CROSSES = 0.3  # of the size of the type, by which what covers two columns reaches into both


class Column(NamedTuple):
    """From where to where all of a column's cells stand, in pixels."""

    left: int
    right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gutters:
    """A run of rows, and the columns that its gutters leave.

    :param first: its first row's number among those that it was found in.
    :param end: one behind its last row's number.
    """

    first: int
    end: int
    columns: tuple[Column, ...]


def find_gutters(run: Sequence[SetRow]) -> Gutters | None:
    """The rows of ``run`` that have most gutters in common, None where no three rows have one.

    Rows of one part do not count: they may be what covers several columns, or what a cell has besides.
    """
    best, most = None, 0
    for first in range(len(run)):
        columns: list[Column] = []
        counted = 0
        for last in range(first, len(run)):
            parts = run[last].parts
            if len(parts) == 1:
                if last == first:
                    break
                continue
            counted += 1
            gutter = _GUTTER * statistics.median(row.em for row in run[first : last + 1])
            columns = _with_parts(columns, parts, gutter)
            if len(columns) == 1:
                break
            worth = counted * (len(columns) - 1)
            if worth > most and counted >= FEWEST_ROWS and _are_supported(columns, run[first : last + 1]):
                best, most = Gutters(first=first, end=last + 1, columns=tuple(columns)), worth
    return best


def covered(part: Line, columns: Sequence[Column], *, em: float) -> range:
    """The columns that a part reaches into: as far as the middle of the gutters beside it, and over it.

    :param em: size of the type, in pixels.
    """
    middles = [(one.right + two.left) / 2 for one, two in pairwise(columns)]
    slack = _CROSSES * em
    first = sum(part.box.left + slack > middle for middle in middles)
    last = sum(part.box.right - slack > middle for middle in middles)
    return range(first, max(first, last) + 1)


def touched(part: Line, columns: Sequence[Column], *, em: float) -> range:
    """The columns that a part stands in; a part between two columns is in the nearer one.

    :param em: size of the type, in pixels.
    """
    slack = _CROSSES * em
    inside = [
        number
        for number, column in enumerate(columns)
        if part.box.left + slack < column.right and part.box.right - slack > column.left
    ]
    if not inside:
        (nearest,) = in_order([part], columns)
        return range(nearest, nearest + 1)
    return range(inside[0], inside[-1] + 1)


def in_order(parts: Sequence[Line], columns: Sequence[Column]) -> list[int]:
    """A column for each part, of which there are no more than columns: the nearest that keep their order."""
    # For each column in turn: the least that it costs to have placed so many parts up to it, and where.
    costs: list[tuple[float, list[int]]] = [(0.0, []), *([(float("inf"), [])] * len(parts))]
    for number, column in enumerate(columns):
        for count in range(len(parts), 0, -1):
            cost, placed = costs[count - 1]
            with_this = cost + _distance(parts[count - 1], column)
            if with_this < costs[count][0]:
                costs[count] = (with_this, [*placed, number])
    return costs[-1][1]


def _distance(part: Line, column: Column) -> float:
    apart = max(part.box.left - column.right, column.left - part.box.right, 0)
    return apart + abs(part.box.left + part.box.right - column.left - column.right) / 1000


def _with_parts(columns: Sequence[Column], parts: Sequence[Line], gutter: float) -> list[Column]:
    joined: list[Column] = []
    for left, right in sorted([*columns, *((part.box.left, part.box.right) for part in parts)]):
        if joined and left - joined[-1].right < gutter:
            joined[-1] = Column(joined[-1].left, max(joined[-1].right, right))
        else:
            joined.append(Column(left, right))
    return joined


def _are_supported(columns: Sequence[Column], run: Sequence[SetRow]) -> bool:
    of_several = [row for row in run if len(row.parts) > 1]
    return all(
        sum(any(column.left <= part.box.left <= column.right for part in row.parts) for row in of_several)
        >= max(2, _SUPPORT * len(of_several))
        for column in columns
    )
