# SPDX-License-Identifier: Apache-2.0
"""What on a page could be letters, found without reading it: the independent witness for what is read."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from airflow_provider_ocr.server.document import Box, enclosing

Grey = npt.NDArray[np.uint8]
"""An image of height x width, 0 is black."""

_SEARCH_WIDTH = 1000  # pixels: letters are still apart, and a page takes a few hundredths of a second
_HEIGHTS = (3, 60)  # pixels at the search's width; what is smaller is dust, larger a picture or a rule
_MOST_SEARCHED = 20_000_000  # pixels; A3 at 300 dpi has 17 million
_HEIGHT_ENOUGH = 32  # pixels of a letter, for its size to be known well enough
_PAPER_CONTRAST = 24  # levels; a page whose darkest and lightest parts are closer is bare paper


def ink_mask(grey: Grey) -> Grey:
    """255 where there is ink, 0 elsewhere."""
    low, high = np.percentile(grey[::4, ::4], (0.01, 99.0))
    if high - low < _PAPER_CONTRAST:
        return np.zeros_like(grey)
    return cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)[1].astype(
        np.uint8, copy=False
    )


def searchable(ink: Grey, *, height: float = 0.0) -> tuple[Grey, int]:
    """The ink at a size at which finding its parts, which takes eight bytes a pixel, takes little memory.

    :param ink: not 0 where there is ink.
    :param height: pixels of the marks that are looked for; large ones are found in a small picture, too.
    :return: halved until it is small enough, 1 where any of a pixel's own had ink; and what it was divided
        by.
    """
    divisor = 1
    while ink.size > _MOST_SEARCHED or height > divisor * _HEIGHT_ENOUGH:
        down, across = (side // 2 * 2 for side in ink.shape)
        rows = np.maximum(ink[0:down:2, :across], ink[1:down:2, :across])
        ink = np.maximum(rows[:, 0::2], rows[:, 1::2])
        divisor *= 2
    return (ink > 0).astype(np.uint8), divisor


def letter_marks(grey: Grey) -> npt.NDArray[np.float64]:
    """Where the bottom centre of everything is that has the size of a letter.

    :param grey: the page, 0 is black.
    :return: one row of x and y per mark, in pixels of ``grey``.
    """
    scale = min(1.0, _SEARCH_WIDTH / min(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, _, parts, _ = cv2.connectedComponentsWithStats(ink_mask(small.astype(np.uint8)), connectivity=8)
    left, top, width, height, _ = parts[1:].T
    lowest, highest = _HEIGHTS
    letters = (height >= lowest) & (height <= highest) & (width <= 4 * highest)
    feet: npt.NDArray[np.float64] = np.column_stack((left + width / 2, top + height))[letters] / scale
    return feet


def large_marks(grey: Grey) -> Box | None:
    """The box of all that is larger than letters and words, and is no shadow along the page's edge."""
    scale = min(1.0, _SEARCH_WIDTH / min(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
    _, _, parts, _ = cv2.connectedComponentsWithStats(ink_mask(small), connectivity=8)
    left, top, width, height, _ = parts[1:].T
    across, down = small.shape[1], small.shape[0]
    inside = (left > 0) & (top > 0) & (left + width < across) & (top + height < down)
    large = inside & ((height > _HEIGHTS[1]) | (width > 4 * _HEIGHTS[1]))
    found = [Box(x, y, x + w, y + h) for x, y, w, h, _ in parts[1:][large].tolist()]
    return Box(*(round(edge / scale) for edge in enclosing(found))) if found else None
