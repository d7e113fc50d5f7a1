# SPDX-License-Identifier: Apache-2.0
"""Ruled lines go; what stands near them or crosses them stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

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


def test_bands_of_dark_ground_between_light_letters_are_no_rules() -> None:
    page = paper()
    page[200:700, 100:1400] = 30
    for top in range(230, 630, 40):
        for left in range(130, 1380, 30):
            page[top : top + 28, left : left + 8] = 255
    result = without_rules(page, dpi=300)
    assert result.rules == ()
    assert (result.grey == page).all()
