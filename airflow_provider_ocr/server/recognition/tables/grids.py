# SPDX-License-Identifier: Apache-2.0
"""The grids that ruled lines draw: columns, rows, and the cells that cover several of either.

A grid is only what has two rows and two columns at least: a frame around text, a line under a heading and the
lines of a form are none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from airflow_provider_ocr.server.document import Box, enclosing
from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask

_NEAR = 0.06  # inches: lines that are closer are one, or touch
_MARGIN = 0.02  # inches next to a line that its own ink may take
_RULED = 0.9  # share of a cell's side that is ink where it is ruled; a row of letters has less
_FEWEST_CELLS, _FEWEST_LINES = 3, 3
_MOST_PLACES = 5000  # what has more is squared paper


class Place(NamedTuple):
    """What a cell covers: its first row and column, and how many there are of each."""

    row: int
    column: int
    row_span: int
    column_span: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Ruled lines that enclose cells.

    :param columns: x of the upright lines, left to right.
    :param rows: y of the level lines, top to bottom.
    :param places: row by row, in each from left to right; together they cover the grid.
    :param rules: the longer of the lines.
    :param sides: where ruled lines between two cells are, as long as one row is high or one column wide.
    """

    columns: tuple[int, ...]
    rows: tuple[int, ...]
    places: tuple[Place, ...]
    rules: tuple[Box, ...]
    sides: tuple[Box, ...]

    @property
    def box(self) -> Box:
        """The whole grid."""
        return Box(self.columns[0], self.rows[0], self.columns[-1], self.rows[-1])

    def box_of(self, place: Place) -> Box:
        """One cell."""
        row, column, row_span, column_span = place
        return Box(
            self.columns[column],
            self.rows[row],
            self.columns[column + column_span],
            self.rows[row + row_span],
        )


def find_grids(grey: Grey, rules: Sequence[Box], *, dpi: float) -> list[Grid]:
    """Every grid on the page, from top to bottom.

    :param grey: the straight page with its ruled lines, 0 is black.
    :param rules: the longer of them.
    :param dpi: its pixels per inch.
    """
    groups = [group for group in _touching(rules, near=round(_NEAR * dpi)) if _crosses(group)]
    if not groups:
        return []
    ink = ink_mask(grey)
    found = [_grid(ink, group, dpi=dpi) for group in groups]
    return sorted((grid for grid in found if grid is not None), key=lambda grid: grid.rows[0])


def _touching(rules: Sequence[Box], *, near: int) -> list[list[Box]]:
    """The rules in groups within which each touches another that runs the other way."""
    groups: list[list[Box]] = []
    for rule in rules:
        joined = [group for group in groups if any(_touches(rule, other, near) for other in group)]
        others = [group for group in groups if not any(group is one for one in joined)]
        groups = [*others, [rule, *itertools.chain.from_iterable(joined)]]
    return groups


def _touches(rule: Box, other: Box, near: int) -> bool:
    return (
        _is_level(rule) != _is_level(other)
        and min(rule.right, other.right) - max(rule.left, other.left) >= -near
        and min(rule.bottom, other.bottom) - max(rule.top, other.top) >= -near
    )


def _crosses(group: Sequence[Box]) -> bool:
    levels = sum(_is_level(rule) for rule in group)
    return levels > 1 and len(group) > levels


def _is_level(rule: Box) -> bool:
    return rule.width >= rule.height


def _grid(ink: Grey, rules: Sequence[Box], *, dpi: float) -> Grid | None:
    near, margin = round(_NEAR * dpi), round(_MARGIN * dpi)
    around = enclosing(list(rules))
    level = [rule for rule in rules if _is_level(rule)]
    rows = _lines([around.top, around.bottom, *((rule.top + rule.bottom) // 2 for rule in level)], near)
    upright = [(rule.left + rule.right) // 2 for rule in rules if not _is_level(rule)]
    bands = [ink[top:bottom, around.left : around.right] for top, bottom in itertools.pairwise(rows)]
    short = [around.left + x for band in bands for x in _upright_lines(band, margin=margin, thickest=near)]
    columns = _lines([around.left, around.right, *upright, *short], near)
    if len(rows) * len(columns) > _MOST_PLACES:
        return None
    sides = _Sides(
        between_rows=_ruled_sides(ink, rows, columns, margin=margin),
        between_columns=_ruled_sides(ink.T, columns, rows, margin=margin),
    )
    places = _places(len(rows) - 1, len(columns) - 1, sides)
    boxes = tuple(_side_boxes(rows, columns, sides, thickness=margin))
    return _compact(rows, columns, places, rules=tuple(rules), sides=boxes)


def _lines(places: Sequence[int], near: int) -> list[int]:
    """Where lines are, of which those that are near each other are one."""
    clusters: list[list[int]] = []
    for place in sorted(places):
        if clusters and place - clusters[-1][-1] <= near:
            clusters[-1].append(place)
        else:
            clusters.append([place])
    return [round(sum(cluster) / len(cluster)) for cluster in clusters]


def _upright_lines(band: Grey, *, margin: int, thickest: int) -> Iterator[int]:
    """Where in a row of cells ink reaches from the line above to the line below."""
    inner = band[margin : len(band) - margin]
    if len(inner) <= 2 * margin:
        return
    reached = np.flatnonzero(_shares(inner.T) >= _RULED)
    for run in np.split(reached, np.flatnonzero(np.diff(reached) > 1) + 1):
        if 0 < len(run) <= thickest:
            yield int(run.mean())


def _shares(strip: Grey) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The share of ink of each row, where a row takes the ink of those next to it."""
    joined = cv2.dilate(np.ascontiguousarray(strip), np.ones((3, 1), np.uint8))
    return np.asarray((joined > 0).mean(axis=1), np.float64)


class _Sides(NamedTuple):
    """Which sides of which cells are ruled.

    :param between_rows: by (line, place in it) the level sides.
    :param between_columns: by (line, place in it) the upright sides.
    """

    between_rows: set[tuple[int, int]]
    between_columns: set[tuple[int, int]]


def _ruled_sides(
    ink: Grey, lines: Sequence[int], across: Sequence[int], *, margin: int
) -> set[tuple[int, int]]:
    """The inner lines' pieces, each between two of ``across``, that are ink.

    :param lines: places of level lines in ``ink``.
    """
    ruled = set()
    for line, place in itertools.product(range(1, len(lines) - 1), range(len(across) - 1)):
        piece = ink[
            max(0, lines[line] - 2 * margin) : lines[line] + 2 * margin,
            across[place] + margin : across[place + 1] - margin,
        ]
        if piece.size and _shares(piece).max() >= _RULED:
            ruled.add((line, place))
    return ruled


def _places(rows: int, columns: int, sides: _Sides) -> list[Place]:
    """The cells: what no side divides is one, and each is a rectangle."""
    owner = {place: {place} for place in itertools.product(range(rows), range(columns))}
    for row, column in list(owner):
        if column + 1 < columns and (column + 1, row) not in sides.between_columns:
            _unite(owner, (row, column), (row, column + 1))
        if row + 1 < rows and (row + 1, column) not in sides.between_rows:
            _unite(owner, (row, column), (row + 1, column))
    while True:
        before = len({id(cell) for cell in owner.values()})
        for cell in list(owner.values()):
            first = min(cell)
            for place in itertools.product(*_ranges(cell)):
                _unite(owner, first, place)
        if len({id(cell) for cell in owner.values()}) == before:
            break
    cells = {id(cell): cell for cell in owner.values()}.values()
    ranges = sorted(((r.start, c.start, len(r), len(c)) for r, c in map(_ranges, cells)))
    return [Place(*numbers) for numbers in ranges]


def _unite(
    owner: dict[tuple[int, int], set[tuple[int, int]]], one: tuple[int, int], two: tuple[int, int]
) -> None:
    if owner[one] is not owner[two]:
        united = owner[one] | owner[two]
        owner.update(dict.fromkeys(united, united))


def _ranges(cell: set[tuple[int, int]]) -> tuple[range, range]:
    """The rows and the columns that a cell reaches over."""
    rows, columns = zip(*cell, strict=True)
    return range(min(rows), max(rows) + 1), range(min(columns), max(columns) + 1)


def _side_boxes(
    rows: Sequence[int], columns: Sequence[int], sides: _Sides, *, thickness: int
) -> Iterator[Box]:
    for line, place in sides.between_rows:
        yield Box(columns[place], rows[line] - thickness, columns[place + 1], rows[line] + thickness)
    for line, place in sides.between_columns:
        yield Box(columns[line] - thickness, rows[place], columns[line] + thickness, rows[place + 1])


def _compact(
    rows: Sequence[int],
    columns: Sequence[int],
    places: Sequence[Place],
    *,
    rules: tuple[Box, ...],
    sides: tuple[Box, ...],
) -> Grid | None:
    """The grid without lines at which no cell ends; None where too little is left."""
    used_rows = sorted({0, *(place.row + place.row_span for place in places)})
    used_columns = sorted({0, *(place.column + place.column_span for place in places)})
    if min(len(used_rows), len(used_columns)) < _FEWEST_LINES or len(places) < _FEWEST_CELLS:
        return None
    row_of = {row: number for number, row in enumerate(used_rows)}
    column_of = {column: number for number, column in enumerate(used_columns)}
    numbered = [
        Place(
            row_of[row],
            column_of[column],
            row_of[row + row_span] - row_of[row],
            column_of[column + column_span] - column_of[column],
        )
        for row, column, row_span, column_span in places
    ]
    return Grid(
        columns=tuple(columns[column] for column in used_columns),
        rows=tuple(rows[row] for row in used_rows),
        places=tuple(numbered),
        rules=rules,
        sides=sides,
    )
