# SPDX-License-Identifier: Apache-2.0
"""Images are turned, straightened and flattened without loss, and every pixel finds its way back."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.view import View


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_a_turned_pixel_finds_its_way_back(clockwise: int) -> None:
    image = Image.new("L", (30, 20), 255)
    image.putpixel((4, 7), 0)
    view = View(30, 20).turned(clockwise)
    result = view.of(image)
    rows, columns = np.nonzero(np.asarray(result) == 0)
    assert view.back.point(columns[0] + 0.5, rows[0] + 0.5) == (4.5, 7.5)


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_straightened_mark_finds_its_way_back(mode: str) -> None:
    image = Image.new("L", (400, 300), 255)
    image.paste(0, (300, 200, 310, 210))
    view = View(400, 300).straightened(5.0)
    result = view.of(image.convert(mode))
    rows, columns = np.nonzero(np.asarray(result.convert("L")) < 128)
    assert result.mode == mode
    assert result.width > 400
    assert view.back.point(float(columns.mean()) + 0.5, float(rows.mean()) + 0.5) == pytest.approx(
        (305, 205), abs=1
    )


def test_an_image_seen_as_it_is_is_the_image_itself() -> None:
    image = Image.new("1", (40, 30), 1)
    assert View(40, 30).turned(0).straightened(0.0).of(image) is image


@pytest.mark.parametrize("clockwise", [90, 180, 270])
def test_two_turns_that_make_none_lose_no_pixel(clockwise: int) -> None:
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 30), np.uint8))
    assert View(30, 20).turned(clockwise).turned(360 - clockwise).of(image) is image


def test_a_turned_and_straightened_image_is_resampled_only_once() -> None:
    image = Image.new("L", (400, 300), 255)
    image.paste(0, (300, 200, 310, 210))
    view = View(400, 300).turned(90).straightened(5.0).turned(270).straightened(-5.0)
    middle = view.back.inverted().point(305, 205)
    seen = view.of(image)
    x, y = round(middle[0]), round(middle[1])
    assert seen.crop((x - 4, y - 4, x + 4, y + 4)).getextrema() == (0, 0)
    assert seen.crop((x - 7, y - 7, x + 7, y + 7)).getextrema()[1] == 255
