# SPDX-License-Identifier: Apache-2.0
"""Shadows go, text stays, dark or light."""

from __future__ import annotations

import numpy as np

from airflow_provider_ocr.server.recognition.lighting import evenly_lit, full_contrast


def test_a_shadow_becomes_white_and_text_in_it_stays_dark() -> None:
    shadow = np.tile(np.linspace(255, 170, 900).astype(np.uint8), (300, 1))
    shadow[100:130, 400:410] = 20
    lit = evenly_lit(shadow, dpi=300)
    assert lit[20:280, 20:380].min() > 245
    assert lit[110:120, 403:407].max() < 40


def test_light_text_on_a_dark_bar_stays_apart() -> None:
    page = np.full((600, 900), 255, np.uint8)
    page[100:300] = 30
    page[180:220, 400:406] = 255
    lit = evenly_lit(page, dpi=300)
    assert lit[200, 402] - int(lit[200, 300]) > 150


def test_faint_ink_becomes_black_and_paper_stays_white() -> None:
    page = np.full((600, 900), 230, np.uint8)
    page[100:140, 100:108] = 10
    page[400:440, 700:708] = 170
    strong = full_contrast(page, dpi=300)
    assert max(strong[120, 104], strong[420, 704]) < 20
    assert min(strong[300, 450], strong[420, 740]) > 235
