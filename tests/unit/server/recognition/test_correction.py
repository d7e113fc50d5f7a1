# SPDX-License-Identifier: Apache-2.0
"""Skew is found, pages are turned, and every pixel finds its way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.server.document import Projection
from airflow_provider_ocr.server.recognition.correction import find_skew, straightened, turned


@pytest.mark.parametrize("degrees", [-7.0, -2.5, -0.5, 0.5, 3.0, 9.0])
def test_skew_is_found_to_a_tenth_of_a_degree(draw: Callable[..., Any], degrees: float) -> None:
    skewed = draw().image.rotate(-degrees, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert find_skew(np.asarray(skewed)) == pytest.approx(degrees, abs=0.11)


@pytest.mark.parametrize(
    "page",
    [
        np.full((500, 700), 255, np.uint8),
        np.random.default_rng(1).integers(0, 255, (500, 700), np.uint8),
    ],
    ids=["blank", "noise"],
)
def test_a_page_without_lines_is_left_alone(page: Any) -> None:
    assert find_skew(page) == 0.0


def test_a_straight_page_is_left_alone(draw: Callable[..., Any]) -> None:
    assert find_skew(np.asarray(draw().image)) == 0.0


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_a_turned_pixel_finds_its_way_back(clockwise: int) -> None:
    image = Image.new("L", (30, 20), 255)
    image.putpixel((4, 7), 0)
    result, back = turned(image, clockwise)
    rows, columns = np.nonzero(np.asarray(result) == 0)
    assert back.point(columns[0] + 0.5, rows[0] + 0.5) == (4.5, 7.5)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_straightened_mark_finds_its_way_back(mode: str) -> None:
    image = Image.new("L", (400, 300), 255)
    image.paste(0, (300, 200, 310, 210))
    result, back = straightened(image.convert(mode), 5.0)
    rows, columns = np.nonzero(np.asarray(result.convert("L")) < 128)
    assert result.mode == mode
    assert result.width > 400
    assert back.point(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5) == pytest.approx(
        (305, 205), abs=1
    )


def test_nothing_is_done_to_a_page_without_skew() -> None:
    image = Image.new("1", (40, 30), 1)
    assert straightened(image, 0.0) == (image, Projection())
