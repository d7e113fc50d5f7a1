# SPDX-License-Identifier: Apache-2.0
"""Light text on dark ground, turned into dark text on white: the engine and the clean-up expect that.

An area of dark ground is turned only where marks that are lighter than it clearly outnumber those that
are darker, so pictures, bold type and dark text on tinted paper stay as they are. What lies outside of
such areas is returned unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from airflow_provider_ocr.server.recognition.ink import Grey

_SHRINK = 4  # ground is flat, so a sixteenth of the pixels says all about it
_Places = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
_GROUND = 0.2  # inches: in a window of that size letters cover less than the ground between them
_DARKER = 40  # levels below the lightest ground or text: tinted paper is lighter
_SAME_LEVEL = 24  # levels: neighbouring ground that differs more is another area
_PLAIN_PERCENT = 50  # of the pixels around
_MARK = 40  # levels that a mark stands out from its ground
_LOWEST_MARK, _TALLEST_MARK = 0.03, 1.0  # inches
_FEWEST_MARKS = 5  # a bold B has two light holes


def dark_on_light(grey: Grey, *, dpi: float) -> Grey:
    """The page with its light text on dark ground turned to dark text on white.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    height, width = grey.shape
    size = max(1, width // _SHRINK), max(1, height // _SHRINK)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    side = max(3, round(_GROUND * dpi / _SHRINK)) | 1
    ground = cv2.medianBlur(small, side).astype(np.uint8, copy=False)
    dark = (ground < int(np.percentile(small, 99.5)) - _DARKER) & _plain(grey, ground, side=side)
    if not dark.any():
        return grey
    turned = np.zeros_like(small)
    for area in _turned_areas(small, ground, dark, side=side, dpi=dpi / _SHRINK):
        turned |= area
    return _turn(grey, ground, turned) if turned.any() else grey


def _plain(grey: Grey, ground: Grey, *, side: int) -> npt.NDArray[np.bool_]:
    """Where most pixels have the level of the ground: not in photos and noise."""
    rows, columns = ground.shape
    pixels = grey[::_SHRINK, ::_SHRINK][:rows, :columns]
    alike = (cv2.absdiff(pixels, ground) < _SAME_LEVEL).astype(np.uint8) * 100
    return cv2.blur(alike, (side, side)) >= _PLAIN_PERCENT


def _turned_areas(
    small: Grey, ground: Grey, dark: npt.NDArray[np.bool_], *, side: int, dpi: float
) -> Iterator[Grey]:
    """255 where the ground of light text is, once for each area of one level."""
    square = np.ones((3, 3), np.uint8)
    level = cv2.morphologyEx(ground, cv2.MORPH_GRADIENT, square) < _SAME_LEVEL
    # Against all ground nearby, so that the gaps of bold type are joined to the paper and are no marks.
    reach = np.ones((side, side), np.uint8)
    light_marks = _marks(cv2.subtract(small, cv2.erode(ground, reach)) > _MARK, dpi=dpi)
    dark_marks = _marks(cv2.subtract(cv2.dilate(ground, reach), small) > _MARK, dpi=dpi)
    count, labels = cv2.connectedComponents((dark & level).astype(np.uint8), connectivity=4)
    lights = np.bincount(labels[light_marks], minlength=count)
    darks = np.bincount(labels[dark_marks], minlength=count)
    for label in range(1, count):
        if lights[label] < _FEWEST_MARKS or lights[label] <= 2 * darks[label]:
            continue
        area = (labels == label).astype(np.uint8)
        at = int(np.median(ground[area > 0]))
        # The ground is blurred at its corners and beside large letters; its own pixels are not.
        alike = cv2.inRange(small, max(0, at - _SAME_LEVEL), min(255, at + _SAME_LEVEL))
        near = cv2.dilate(area, reach)
        area = np.where((near > 0) & (alike > 0), 255, area * 255).astype(np.uint8)
        yield _closed(area, side=2 * side + 1)


def _closed(area: Grey, *, side: int) -> Grey:
    """The area without holes of a letter's size."""
    # As if the page went on without it: closing would otherwise stretch it to the page's edge.
    around = cv2.copyMakeBorder(area, side, side, side, side, cv2.BORDER_CONSTANT, value=(0,))
    closed = cv2.morphologyEx(around, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return closed[side:-side, side:-side].astype(np.uint8, copy=False)


def _marks(standing_out: npt.NDArray[np.bool_], *, dpi: float) -> _Places:
    """Row and column of the centre of each mark of letter size."""
    _, _, parts, centres = cv2.connectedComponentsWithStats(standing_out.astype(np.uint8), connectivity=8)
    height = parts[:, cv2.CC_STAT_HEIGHT]
    letters = (height >= max(2, _LOWEST_MARK * dpi)) & (height <= _TALLEST_MARK * dpi)
    letters[0] = False
    columns, rows = centres[letters].astype(np.intp).T
    return rows, columns


def _turn(grey: Grey, ground: Grey, turned: Grey) -> Grey:
    """The turned areas with white ground; on their edges whatever is lighter, so that no frame appears."""
    size = grey.shape[::-1]
    square = np.ones((3, 3), np.uint8)
    inside = cv2.resize(cv2.erode(turned, square), size, interpolation=cv2.INTER_NEAREST) > 0
    within = cv2.resize(cv2.dilate(turned, square), size, interpolation=cv2.INTER_NEAREST) > 0
    paper = 255 - cv2.resize(ground, size, interpolation=cv2.INTER_LINEAR)
    negative = cv2.divide(255 - grey, np.maximum(paper, 1), scale=255)
    result = np.where(inside, negative, np.where(within, np.maximum(grey, negative), grey))
    return result.astype(np.uint8, copy=False)
