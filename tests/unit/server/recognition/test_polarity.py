# SPDX-License-Identifier: Apache-2.0
"""Light text on dark ground is turned, everything else stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.server.recognition.polarity import dark_on_light


def test_a_white_on_black_page_is_turned_whole(draw: Callable[..., Any]) -> None:
    page = np.asarray(draw().image)
    assert (dark_on_light(255 - page, dpi=300) == page).mean() > 0.99


@pytest.mark.parametrize("ground", [0, 90, 180])
def test_a_dark_box_is_turned_and_leaves_no_frame(ground: int) -> None:
    image = Image.new("L", (1200, 700), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=44)
    pen.text((100, 60), "Dark text above the box", font=font, fill=0)
    above = np.asarray(image)[:200].copy()
    pen.rectangle((60, 240, 1100, 600), fill=ground)
    pen.text((100, 300), "Light text within the box", font=font, fill=255)
    turned = dark_on_light(np.asarray(image), dpi=300)
    assert (turned[:200] == above).all()
    assert turned[300:350, 100:600].min() < 20
    assert turned[400:].min() > 235


def bold(pen: ImageDraw.ImageDraw) -> None:
    font = ImageFont.load_default(size=120)
    pen.text((60, 300), "MINIMUM B", font=font, fill=0, stroke_width=8, stroke_fill=0)


@pytest.mark.parametrize(
    "add",
    [
        bold,
        lambda pen: pen.rectangle((60, 300, 1100, 600), fill=40),
        lambda pen: pen.rectangle((60, 300, 1100, 600), outline=0, width=40),
    ],
    ids=["bold type", "plain dark box", "thick frame"],
)
def test_dark_print_without_light_text_stays(
    draw: Callable[..., Any], add: Callable[[ImageDraw.ImageDraw], None]
) -> None:
    image = draw(("Some text above",)).image
    add(ImageDraw.Draw(image))
    page = np.asarray(image)
    assert (dark_on_light(page, dpi=300) == page).all()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_stays(seed: int) -> None:
    page = np.random.default_rng(seed).integers(0, 255, (700, 1600), np.uint8)
    assert (dark_on_light(page, dpi=300) == page).all()
