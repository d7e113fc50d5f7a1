# SPDX-License-Identifier: Apache-2.0
"""Ink that stands out from its paper: not the paper's grain, nor what shines through from the other side.

The engine has no such notion: where a page has little ink, it takes grain for pictures and for text.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from airflow_provider_ocr.server.recognition.ink import Grey

_DPI = 150.0  # at which strokes of small type keep their darkness, and grain is averaged
_SHRINK = 8  # of the paper's own level, which changes slowly
_PAPER_SIDE = 9  # of that: half an inch, in which paper outweighs letters
_LEAST = 32  # levels below its paper: print that shines through is lighter, or can be read mirrored
_PALE, _DARK_PERCENT = 90, 99  # levels below its paper that so many of a page's inked pixels keep to
_MOST = 90  # likewise: where grain is darker than that, it is a picture's
_GRAIN = 6.0  # standard deviations: no two neighbours are so dark by chance
_PAPER_PERCENT, _PAPER_DEVIATIONS = 70, 0.52  # of normal values so many are less than so much above the mean
_DUSTY = 0.001  # of a page, which dust takes at most
_FULL_STOP = 5  # pixels of small type's
_AROUND = 5  # pixels of the small image around ink that belong to its letters


def plain_ink(grey: Grey, *, dpi: float) -> Grey:
    """255 where there is plain ink, 0 elsewhere, at 150 pixels per inch or fewer.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    darker = _darker(grey, dpi=dpi)
    standing_out = darker > min(_MOST, max(_LEAST, _GRAIN * _grain(darker)))
    return np.where(standing_out, np.uint8(255), np.uint8(0))


def is_pale(grey: Grey, ink: Grey, *, dpi: float) -> bool:
    """Whether no ink is so dark that it must be on this side of the sheet.

    :param ink: what ``plain_ink`` has found.
    """
    levels = _darker(grey, dpi=dpi)[ink > 0]
    return bool(levels.size) and float(np.percentile(levels, _DARK_PERCENT)) <= _PALE


def is_bare(ink: Grey) -> bool:
    """Whether that is the ink of bare paper: none, or only a few specks smaller than a full stop."""
    areas = _areas(ink)
    return not (areas >= _FULL_STOP).any() and areas.sum() <= _DUSTY * ink.size


def is_texture(ink: Grey) -> bool:
    """Whether that is the ink of a pattern or a photo: specks, more of them than a dusty page has."""
    areas = _areas(ink)
    return bool(areas.sum() > _DUSTY * ink.size and 2 * areas[areas < _FULL_STOP].sum() > areas.sum())


def with_plain_ink_only(grey: Grey, ink: Grey) -> Grey:
    """The page, white but for its plain ink and what is right beside it.

    :param ink: what ``plain_ink`` has found.
    """
    near = cv2.dilate(ink, np.ones((_AROUND, _AROUND), np.uint8))
    large = cv2.resize(near, grey.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(large > 0, grey, np.uint8(255))


def _darker(grey: Grey, *, dpi: float) -> Grey:
    """How much darker than its paper each pixel is, 0 where it is lighter, as ``plain_ink`` is to see it."""
    scale = min(1.0, _DPI / dpi)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(
        np.uint8, copy=False
    )
    height, width = small.shape
    shrunk = max(1, width // _SHRINK), max(1, height // _SHRINK)
    coarse = cv2.resize(small, shrunk, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    paper = cv2.resize(cv2.medianBlur(coarse, _PAPER_SIDE), (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.subtract(paper, small).astype(np.uint8, copy=False)


def _grain(darker: Grey) -> float:
    """The standard deviation of the paper's levels.

    :param darker: how much darker than its paper each pixel is, 0 where it is lighter.
    """
    return float(np.percentile(darker[::4, ::4], _PAPER_PERCENT)) / _PAPER_DEVIATIONS


def _areas(ink: Grey) -> npt.NDArray[np.int32]:
    """How many pixels each part of the ink has."""
    _, _, parts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    return parts[1:, cv2.CC_STAT_AREA].astype(np.int32)
