# SPDX-License-Identifier: Apache-2.0
"""Pixels per inch: declared, or estimated by paper and text."""

from __future__ import annotations

import random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.server.recognition.resolution import Resolution, believable, of_size, of_text


@pytest.mark.parametrize(
    ("declared", "size", "expected"),
    [
        ((300, 300), (2480, 3508), (300, 300)),
        ((204, 98), (1728, 1145), (204, 98)),
        ((204, 391), (1728, 4500), (204, 391)),
        ((204, 196), (1728, 2291), (196, 196)),
        ((640, 480), (2480, 3508), (480, 480)),
        ((72, 72), (595, 842), (72, 72)),
        ((72, 72), (4000, 3000), None),
        ((0, 300), (2480, 3508), None),
        ((1, 1), (2480, 3508), None),
        ((3000, 3000), (2480, 3508), None),
        (None, (2480, 3508), None),
    ],
)
def test_a_declared_resolution_is_believed_unless_absurd(
    declared: tuple[float, float] | None, size: tuple[int, int], expected: tuple[float, float] | None
) -> None:
    found = believable(declared and Resolution(*declared), width=size[0], height=size[1])
    assert found == expected


@pytest.mark.parametrize(
    ("size", "dpi"),
    [
        ((2480, 3508), 300),
        ((2479, 3509), 300),
        ((3508, 2480), 300),
        ((1654, 2339), 200),
        ((4960, 7016), 600),
        ((827, 1169), 100),
        ((595, 842), 72),
        ((2550, 3300), 300),
        ((1700, 2200), 200),
        ((2550, 4200), 300),
        ((3508, 4961), 300),
        ((1748, 2480), 300),
        ((3000, 4000), 342.2),
        ((100, 100), 50),
    ],
)
def test_a_page_without_one_has_that_of_paper_of_its_size_or_is_as_long_as_a4(
    size: tuple[int, int], dpi: float
) -> None:
    assert of_size(*size).across == pytest.approx(dpi, abs=0.1)
    assert of_size(*size).down == of_size(*size).across


def drawn(size: tuple[int, int], *, dpi: int, points: float, dark: bool = False) -> Image.Image:
    """A page full of words."""
    words = ["harbour", "office", "Invoice", "window", "number", "Shipment", "copper", "Weather", "4711"]
    chosen = random.Random(7)
    image = Image.new("L", size, 20 if dark else 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=points * dpi / 72)
    line = round(points * dpi / 72 * 1.3)
    for top in range(line, size[1] - 2 * line, line):
        text = " ".join(chosen.choice(words) for _ in range(40))
        draw.text((line, top), text, font=font, fill=255 if dark else 0)
    return image


@pytest.mark.parametrize("turned", [False, True], ids=["upright", "sideways"])
@pytest.mark.parametrize("dark", [False, True], ids=["dark on light", "light on dark"])
@pytest.mark.parametrize(
    ("inches", "dpi"),
    [((3.5, 2.0), 300), ((3.5, 2.0), 600), ((4.0, 6.0), 200), ((8.0, 4.0), 96), ((16.5, 23.4), 150)],
    ids=["card at 300", "card at 600", "postcard at 200", "part of a screen", "poster"],
)
def test_what_is_no_whole_page_is_measured_by_its_text(
    inches: tuple[float, float], dpi: int, *, dark: bool, turned: bool
) -> None:
    page = drawn((round(inches[0] * dpi), round(inches[1] * dpi)), dpi=dpi, points=10.5, dark=dark)
    if turned:
        page = page.transpose(Image.Transpose.ROTATE_90)
    estimated = of_text(np.asarray(page), width=page.width, height=page.height)
    assert estimated == pytest.approx(dpi, rel=0.25)


@pytest.mark.parametrize("points", [7.5, 10, 13])
def test_a_whole_page_is_as_long_as_a4(points: float) -> None:
    page = drawn((1754, 2200), dpi=200, points=points)
    assert of_text(np.asarray(page), width=1754, height=2200) == pytest.approx(2200 / 11.69)


@pytest.mark.parametrize("size", [(600, 400), (1, 1), (3, 4000)])
def test_a_page_with_nothing_on_it_is_as_long_as_a4(size: tuple[int, int]) -> None:
    blank = np.full(size[::-1], 255, np.uint8)
    assert of_text(blank, width=size[0], height=size[1]) == pytest.approx(max(50, max(size) / 11.69))
