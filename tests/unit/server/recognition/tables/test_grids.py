# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from airflow_provider_ocr.server.document import Box
from airflow_provider_ocr.server.recognition.rules import without_rules
from airflow_provider_ocr.server.recognition.tables.grids import Grid, Place, find_grids
from airflow_provider_ocr.server.recognition.tables.sides import without_sides
from tests.unit.server.recognition.tables.drawn_tables import DPI, drawn_table

Lines = list[tuple[int, int, int, int]]


def grids_of(image: Image.Image) -> list[Grid]:
    grey = np.asarray(image)
    return find_grids(grey, without_rules(grey, dpi=DPI).rules, dpi=DPI)


def drawn(lines: Lines) -> Image.Image:
    image = Image.new("L", (1500, 1200), 255)
    for line in lines:
        ImageDraw.Draw(image).line(line, fill=0, width=3)
    return image


def grid_lines(columns: list[int], rows: list[int]) -> Lines:
    level = [(columns[0], y, columns[-1], y) for y in rows]
    return level + [(x, rows[0], x, rows[-1]) for x in columns]


@pytest.mark.parametrize("rule", [2, 3, 6])
@pytest.mark.parametrize("seed", range(8))
def test_the_cells_of_a_ruled_table_are_found_with_their_spans(seed: int, rule: int) -> None:
    table = drawn_table(seed, rule=rule)
    (grid,) = grids_of(table.image)
    assert {tuple(place) for place in grid.places} == set(table.cells)


def test_a_cell_is_where_its_lines_are() -> None:
    (grid,) = grids_of(drawn(grid_lines([100, 500, 900], [100, 200, 300])))
    assert grid.places == ((0, 0, 1, 1), (0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 1, 1))
    places = zip(grid.box_of(Place(1, 0, 1, 1)), Box(100, 200, 500, 300), strict=True)
    assert all(abs(found - drawn) <= 3 for found, drawn in places)


def test_lines_without_the_outermost_uprights_are_a_grid_all_the_same() -> None:
    lines = grid_lines([100, 500, 900], [100, 200, 300])
    outer = [(100, 100, 100, 300), (900, 100, 900, 300)]
    (grid,) = grids_of(drawn([line for line in lines if line not in outer]))
    assert len(grid.places) == 4


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="nothing"),
        pytest.param([(100, 100, 900, 100), (100, 300, 900, 300)], id="level lines"),
        pytest.param(grid_lines([100, 900], [100, 300]), id="a frame"),
        pytest.param(grid_lines([100, 900], [100, 300, 500]), id="two frames"),
        pytest.param(grid_lines([100, 500, 900], [100, 300]), id="a row of boxes"),
        pytest.param(grid_lines(list(range(30, 1480, 18)), list(range(30, 1180, 18))), id="squared paper"),
    ],
)
def test_other_lines_are_no_grid(lines: Lines) -> None:
    assert grids_of(drawn(lines)) == []


def test_two_tables_are_two_grids() -> None:
    lines = grid_lines([100, 300, 600], [100, 200, 300]) + grid_lines([100, 400, 900], [600, 700, 800, 900])
    assert [len(grid.places) for grid in grids_of(drawn(lines))] == [4, 6]


def test_of_erased_lines_nothing_is_left_between_the_cells() -> None:
    image = drawn(grid_lines([100, 500, 900], [100, 180, 260]))
    grey = np.asarray(image)
    unruled = without_rules(grey, dpi=DPI)
    grids = find_grids(grey, unruled.rules, dpi=DPI)
    assert without_sides(unruled.grey, grids).min() > 128
