# SPDX-License-Identifier: Apache-2.0
"""Coarse pages are enlarged for the engine, and what it finds comes back to where it stands on the page."""

from __future__ import annotations

import numpy as np
import pytest

from airflow_provider_ocr.server.document import Box
from airflow_provider_ocr.server.recognition.scale import Scale, legible, reduced
from airflow_provider_ocr.server.recognition.text_types import TextReading

NORMAL = TextReading(codes=("eng",))
FINE_AND_WIDE = TextReading(codes=("eng",), dpi=150, widening=1.2)


@pytest.mark.parametrize(
    ("dpi", "pixels", "scale"),
    [
        (300, 8_700_000, Scale()),
        (140, 1_900_000, Scale()),
        (100, 970_000, Scale(2.0, 2.0)),
        (72, 970_000, Scale(200 / 72, 200 / 72)),
        (72, 2_000_000, Scale(2.0, 2.0)),  # a photo that says nothing true of its resolution
        (72, 12_000_000, Scale()),
    ],
)
def test_a_coarse_page_is_enlarged_as_far_as_it_remains_a_page(dpi: int, pixels: int, scale: Scale) -> None:
    assert legible(NORMAL, dpi=dpi, pixels=pixels) == scale


def test_a_text_type_that_is_read_small_and_wide_is_so_from_a_fine_page() -> None:
    assert reduced(FINE_AND_WIDE, dpi=300) == Scale(0.6, 0.5)
    assert legible(FINE_AND_WIDE, dpi=300, pixels=8_700_000) == Scale(0.6, 0.5)


def test_nothing_is_enlarged_where_only_less_is_asked_for() -> None:
    assert reduced(FINE_AND_WIDE, dpi=100) == Scale(1.2, 1.0)


@pytest.mark.parametrize("scale", [Scale(), Scale(2.0, 2.0), Scale(0.6, 0.5)])
def test_a_box_is_shown_and_found_again(scale: Scale) -> None:
    box = Box(10, 20, 110, 60)
    shown = scale.shown(box)
    assert scale.edges((shown.left, shown.top, shown.right, shown.bottom)) == (10, 20, 110, 60)
    page = np.full((100, 200), 255, np.uint8)
    page[box.top : box.bottom, box.left : box.right] = 0
    dark = np.argwhere(scale.of(page) < 128)
    assert np.abs(dark.min(axis=0) - (shown.top, shown.left)).max() <= 1
    assert np.abs(dark.max(axis=0) + 1 - (shown.bottom, shown.right)).max() <= 1
