# SPDX-License-Identifier: Apache-2.0
"""The sheet on a photo is found by its edges; where there is none, none is made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.sheet import find_sheet, flat_view, is_tilted
from tests.unit.server.photos import ASKEW, FROM_ABOVE, corners_on, photo_of


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("table", [40, 90, 130])
def test_the_corners_of_a_sheet_are_found_to_half_a_per_cent(
    draw: Callable[..., Any], mode: str, table: int
) -> None:
    photo = photo_of(draw().image, table=table).convert(mode)
    corners = find_sheet(photo)
    assert corners is not None
    assert np.abs(corners - corners_on(photo)).max() < 0.005 * photo.width
    assert is_tilted(corners)


def test_a_sheet_seen_from_straight_above_is_not_tilted(draw: Callable[..., Any]) -> None:
    photo = photo_of(draw().image, FROM_ABOVE)
    corners = find_sheet(photo)
    assert corners is not None
    assert not is_tilted(corners)


def test_a_turned_sheet_is_found_as_it_lies(draw: Callable[..., Any]) -> None:
    photo = photo_of(draw().image).transpose(Image.Transpose.ROTATE_90)
    corners = find_sheet(photo)
    assert corners is not None
    assert corners[:, 0].argsort().tolist()[:2] in ([0, 3], [3, 0])
    assert corners[:, 1].argsort().tolist()[:2] in ([0, 1], [1, 0])


def test_a_corner_that_the_photo_does_not_show_is_where_the_edges_would_meet(
    draw: Callable[..., Any],
) -> None:
    cut = ((0.12, 0.10), (0.90, 0.15), (1.01, 0.90), (0.06, 0.86))
    photo = photo_of(draw().image, cut)
    corners = find_sheet(photo)
    assert corners is not None
    assert np.abs(corners - corners_on(photo, cut)).max() < 0.01 * photo.width


def test_no_sheet_is_seen_on_a_scan(draw: Callable[..., Any]) -> None:
    scan = draw().image
    assert find_sheet(scan) is None
    assert find_sheet(scan.rotate(3, expand=True, fillcolor=255)) is None
    assert find_sheet(scan.convert("1")) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (900, 3), (40, 40)])
def test_no_sheet_is_seen_where_there_is_nothing_to_see(size: tuple[int, int]) -> None:
    assert find_sheet(Image.new("RGB", size, (90, 40, 10))) is None
    noise = np.random.default_rng(3).integers(0, 255, (size[1], size[0], 3), np.uint8)
    assert find_sheet(Image.fromarray(noise)) is None


def test_a_sheet_of_which_an_edge_lies_outside_of_the_photo_is_not_guessed(draw: Callable[..., Any]) -> None:
    assert find_sheet(photo_of(draw().image, ((0.1, 0.1), (1.3, 0.0), (1.3, 1.0), (0.1, 0.9)))) is None


def test_a_flat_sheet_has_its_corners_in_those_of_the_image() -> None:
    corners = np.array(ASKEW) * (1000, 700)
    view = flat_view(corners, 1000, 700)
    ends = [(0, 0), (view.width, 0), (view.width, view.height), (0, view.height)]
    assert np.array([view.back.point(*end) for end in ends]) == pytest.approx(corners, abs=0.01)


@pytest.mark.parametrize(("tilt", "pan"), [(35, 0), (20, 0), (0, 25), (30, 20), (-15, 25)])
def test_a_flat_sheet_has_the_proportions_of_the_real_one(tilt: float, pan: float) -> None:
    focal_length = 850
    sheet = np.array([(-100, -150, 0), (100, -150, 0), (100, 150, 0), (-100, 150, 0)], float)
    a, b = np.radians((tilt, pan))
    nod = np.array([(1, 0, 0), (0, np.cos(a), -np.sin(a)), (0, np.sin(a), np.cos(a))])
    shake = np.array([(np.cos(b), 0, -np.sin(b)), (0, 1, 0), (np.sin(b), 0, np.cos(b))])
    placed = sheet @ nod.T @ shake.T + (0, 0, 500)
    seen = focal_length * placed[:, :2] / placed[:, 2:] + (500, 400)
    view = flat_view(seen, 1000, 800)
    assert view.width / view.height == pytest.approx(2 / 3, rel=0.05)
