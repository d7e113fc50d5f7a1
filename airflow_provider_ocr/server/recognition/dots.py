# SPDX-License-Identifier: Apache-2.0
"""The dots of a dot matrix printer joined to strokes, which is all that the engine knows as letters."""

from __future__ import annotations

import cv2
import numpy as np

from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask, searchable

_PITCH = 1 / 72  # inches from needle to needle of a printer with nine
_SPREAD = 0.6  # of a dot's width: standard deviation of the blur, with which neighbours flow into one
_LEAST, _MOST = 0.4, 1.0  # of the pitch; what is estimated beyond is no dot of text
_FEWEST_DOTS = 100
_SMALLEST = 4  # pixels; what is smaller is grain


def with_joined_dots(grey: Grey, *, dpi: float) -> Grey:
    """The page with its dots blurred so far that they touch.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    return cv2.GaussianBlur(grey, (0, 0), _SPREAD * _dot(grey, dpi=dpi)).astype(np.uint8, copy=False)


def _dot(grey: Grey, *, dpi: float) -> float:
    """Pixels that a dot is wide; as wide as those of most printers where too few stand alone."""
    pitch = _PITCH * dpi
    ink, divisor = searchable(ink_mask(grey))
    _, _, parts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    width, height, area = (
        parts[1:, column] for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
    )
    limit = 2 * pitch / divisor
    dots = (width <= limit) & (height <= limit) & (area >= _SMALLEST)
    if np.count_nonzero(dots) < _FEWEST_DOTS:
        return pitch
    found = divisor * 2 * float(np.sqrt(np.median(area[dots]) / np.pi))
    return min(max(found, _LEAST * pitch), _MOST * pitch)
