# SPDX-License-Identifier: Apache-2.0
"""Skew is found, and nothing is taken for it that is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.correction import find_skew


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
