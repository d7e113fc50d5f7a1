# SPDX-License-Identifier: Apache-2.0
"""Ruled lines go; what stands near them or crosses them stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from airflow_provider_ocr.server.document import Box
from airflow_provider_ocr.server.recognition.rules import without_rules


def paper() -> Any:
    return np.full((900, 1500), 255, np.uint8)


@pytest.mark.parametrize("box", [Box(100, 300, 1400, 304), Box(200, 50, 205, 850)])
def test_a_rule_is_erased_and_reported(box: Box) -> None:
    page = paper()
    page[box.top : box.bottom, box.left : box.right] = 0
    result = without_rules(page, dpi=300)
    assert result.rules == (box,)
    assert result.grey.min() == 255


def test_a_stroke_that_crosses_a_rule_stays_whole() -> None:
    page = paper()
    page[300:304, 100:1400] = 0
    page[280:330, 700:706] = 0
    grey = without_rules(page, dpi=300).grey
    assert grey[280:330, 702].max() == 0
    assert grey[302, 200] == 255


def test_letters_and_pictures_are_no_rules(draw: Callable[..., Any]) -> None:
    page = np.asarray(draw(("A HEADING", "and smaller text")).image).copy()
    page[500:800, 200:1200] = 40
    result = without_rules(page, dpi=300)
    assert result.rules == ()
    assert (result.grey == page).all()


@pytest.mark.parametrize(("size", "blur"), [(24, 2.0), (28, 2.5), (32, 3.0)])
def test_words_whose_letters_run_together_on_a_coarse_page_are_no_rules(
    draw: Callable[..., Any], size: int, blur: float
) -> None:
    lines = ("minimum immune summer murmur", "communication mountain", "never was summer warmer")
    fine = draw(lines, size=size).image.filter(ImageFilter.GaussianBlur(blur))
    page = np.asarray(fine.resize((500, 300), Image.Resampling.BOX))
    assert without_rules(page, dpi=100).rules == ()


def test_a_short_rule_on_a_coarse_page_is_one() -> None:
    page = np.full((300, 500), 230, np.uint8)
    page[150:153, 100:220] = 60
    assert without_rules(page, dpi=100).rules == (Box(100, 150, 220, 153),)


def test_bands_of_dark_ground_between_light_letters_are_no_rules() -> None:
    page = paper()
    page[200:700, 100:1400] = 30
    for top in range(230, 630, 40):
        for left in range(130, 1380, 30):
            page[top : top + 28, left : left + 8] = 255
    result = without_rules(page, dpi=300)
    assert result.rules == ()
    assert (result.grey == page).all()
