# SPDX-License-Identifier: Apache-2.0
"""Barcodes that cannot be read as they lie: areas as dense as a code, turned level, enlarged, and read again.

A decoder follows rows of small modules only while they run level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import zxingcpp

from airflow_provider_ocr.server.document import Box, Projection
from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask
from airflow_provider_ocr.server.recognition.rmqr import read_rmqr
from airflow_provider_ocr.server.recognition.view import View

_QUARTER = 90.0  # degrees
_GAP = 25  # pixels: what is closer belongs together; four modules of six pixels, but no two lines of text
_LOWEST, _LONGEST = 15, 1500  # pixels; a film edge code is six modules high
_LEAST_INK = 0.25  # of an area; tables have less
_RECTANGULAR = 0.8  # share of the rectangle around it that an area fills
_MOST_AREAS = 20  # a page with more shows something else than barcodes
_ENLARGED = 2
_QUIET = 30  # pixels of paper around an area that the decoder gets to see
_ALONE = zxingcpp.BarcodeFormats(
    [
        zxingcpp.BarcodeFormat.MicroPDF417,
        zxingcpp.BarcodeFormat.MaxiCode,
    ]
)
"""Types that the decoder finds better where it is told that there is nothing else. All correct errors."""
_WAYS_UP = (0, 90, 180, 270)  # of which the decoder knows only the first where there is nothing else


class Area(NamedTuple):
    """A rectangle as dense as a barcode.

    :param view: the area as the decoder gets to see it.
    :param box: around it, in pixels of the page.
    """

    view: View
    box: Box


def dense_areas(grey: Grey) -> Iterator[Area]:
    """Where a barcode may be.

    :param grey: the page, 0 is black.
    """
    ink = ink_mask(grey)
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((_GAP, _GAP), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((_LOWEST // 2, _LOWEST // 2), np.uint8))
    joined = opened.astype(np.uint8, copy=False)
    shapes, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    areas = []
    for shape in shapes:
        middle, (width, height), degrees = cv2.minAreaRect(shape)
        left, top, wide, tall = cv2.boundingRect(shape)
        box = Box(left, top, left + wide, top + tall)
        rectangular = cv2.contourArea(shape) >= _RECTANGULAR * width * height
        sized = min(width, height) >= _LOWEST and max(width, height) <= _LONGEST
        if sized and rectangular and _ink_share(ink, joined, box) >= _LEAST_INK:
            areas.append(Area(_view(middle, (width, height), degrees), box))
    return iter(areas if len(areas) <= _MOST_AREAS else ())


def read_area(grey: Grey, area: Area) -> tuple[list[zxingcpp.Barcode], Projection]:
    """The barcodes of an area, and the way from where they were read back to the page.

    :param grey: the page.
    """
    found = zxingcpp.read_barcodes(area.view.resampled(grey))
    if found:
        return found, area.view.back
    for clockwise in _WAYS_UP:
        view = area.view.turned(clockwise)
        found = zxingcpp.read_barcodes(view.resampled(grey), formats=_ALONE, is_pure=True)
        if any(code.valid for code in found):
            return found, view.back
    codes, back = read_rmqr(area.view.resampled(grey))
    return codes, back.then(area.view.back)


def _ink_share(ink: Grey, joined: Grey, box: Box) -> float:
    """The share of an area that is dark."""
    there = np.s_[box.top : box.bottom, box.left : box.right]
    return int(np.count_nonzero(ink[there])) / max(1, int(np.count_nonzero(joined[there])))


def _view(middle: Sequence[float], size: Sequence[float], degrees: float) -> View:
    """The rectangle turned level by less than 45 degrees, with paper around it."""
    across, along = size
    turn = (degrees + _QUARTER / 2) % _QUARTER - _QUARTER / 2
    if round((degrees - turn) / _QUARTER) % 2:
        across, along = along, across
    width, height = round(_ENLARGED * (across + 2 * _QUIET)), round(_ENLARGED * (along + 2 * _QUIET))
    x, y = middle
    scale = 1 / _ENLARGED
    centred = Projection(xx=scale, x0=-scale * width / 2, yy=scale, y0=-scale * height / 2)
    cosine, sine = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return View(width, height, centred.then(Projection(cosine, -sine, x, sine, cosine, y)))
