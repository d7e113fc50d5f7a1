# SPDX-License-Identifier: Apache-2.0
"""Shadows and tinted paper made white, because the engine reads digits worse on grey."""

from __future__ import annotations

import cv2
import numpy as np

from airflow_provider_ocr.server.recognition.ink import Grey

_SHRINK = 4  # light changes slowly, so a sixteenth of the pixels says all about it
_STROKE = 1 / 6  # inches; whatever is thicker than any letter's stroke counts as paper
_DARKEST_PAPER = 0.6  # of the page's lightest; darker ground is print, and light text on it must stay


def evenly_lit(grey: Grey, *, dpi: float) -> Grey:
    """The page as if its paper were white everywhere.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    small = cv2.resize(grey, None, fx=1 / _SHRINK, fy=1 / _SHRINK, interpolation=cv2.INTER_AREA)
    side = max(3, round(dpi * _STROKE / _SHRINK))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    paper = np.maximum(cv2.blur(paper, (side, side)), _DARKEST_PAPER * float(paper.max())).astype(np.uint8)
    paper = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.divide(grey, np.maximum(paper, 1), scale=255).astype(np.uint8, copy=False)
