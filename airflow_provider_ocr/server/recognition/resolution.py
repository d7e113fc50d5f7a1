# SPDX-License-Identifier: Apache-2.0
"""How many pixels of a page make an inch: what its file says where that can be, else what its size and its
text speak for.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask

BELIEVABLE_DPI = (50.0, 2400.0)

_A4_LENGTH = 11.69  # inches
_BELIEVABLE_LENGTH = 48.0  # inches, a little over A0; what is longer is a photo that claims a screen's 72 dpi
_FAX_RATIO = (1.8, 2.2)  # faxes and some printers have half as many pixels down as across, or twice as many
_PAPERS = ((8.27, 11.69), (8.5, 11.0), (8.5, 14.0), (11.69, 16.54), (5.83, 8.27))  # the commonest first
_SCANNED_AT = (300, 200, 600, 150, 400, 100, 240, 72, 96)
_ROUNDING = 0.002  # share of a side by which scanners differ from the paper's size

_BODY_TEXT = (6.0, 14.5)  # points; what most of a page's text is set in
_USUAL_TEXT = 10.5  # points
_MARK_OF_TEXT = 0.56  # height of a middling letter as a share of its type's size
_FEWEST_MARKS = 40
_SLENDEREST_LETTER = 2  # times as tall as wide; what is more so are strokes, or several letters
_SEARCH_SIDE = 2000  # pixels of the shorter side: letters of a whole page are a dozen high
_HEIGHTS = (4, 200)  # pixels at that size; what is smaller is dust
_POINTS_PER_INCH = 72


class Resolution(NamedTuple):
    """Pixels per inch in each direction."""

    across: float
    down: float

    def swapped(self) -> Resolution:
        """What it is once the page is turned by a quarter."""
        return Resolution(self.down, self.across)


def believable(declared: Resolution | None, *, width: int, height: int) -> Resolution | None:
    """What a file declares, unless it is absurd: then None.

    Pixels that are not square are believed where their sides are those of faxes.

    :param declared: what the file says, if anything.
    :param width: pixels.
    :param height: pixels.
    """
    if declared is None:
        return None
    lowest, highest = min(declared), max(declared)
    if not (BELIEVABLE_DPI[0] <= lowest and highest <= BELIEVABLE_DPI[1]):
        return None
    if not _FAX_RATIO[0] <= highest / lowest <= _FAX_RATIO[1]:
        declared = Resolution(lowest, lowest)
    longest = max(width / declared.across, height / declared.down)
    return declared if longest <= _BELIEVABLE_LENGTH else None


def of_paper(width: int, height: int) -> float | None:
    """Pixels per inch of a page that has a common paper's size at a resolution that is common.

    :param width: pixels.
    :param height: pixels.
    """
    sides = sorted((width, height))
    for paper in _PAPERS:
        for dpi in _SCANNED_AT:
            if all(
                abs(side - inches * dpi) <= max(1.5, _ROUNDING * side)
                for side, inches in zip(sides, paper, strict=True)
            ):
                return float(dpi)
    return None


def of_size(width: int, height: int) -> Resolution:
    """That of a page of which only the size is known.

    :param width: pixels.
    :param height: pixels.
    """
    dpi = of_paper(width, height) or _as_if_a4(width, height)
    return Resolution(dpi, dpi)


def _as_if_a4(width: int, height: int) -> float:
    return _within_belief(max(width, height) / _A4_LENGTH)


def _within_belief(dpi: float) -> float:
    return float(np.clip(dpi, *BELIEVABLE_DPI))


def of_text(grey: Grey, *, width: int, height: int) -> float:
    """Pixels per inch of a page that does not say: as if it were A4, unless its text were far too large or
    too small then; in that case as if its text had the usual size.

    :param grey: the page, 0 is black, not much larger than needed.
    :param width: pixels of the original.
    :param height: pixels of the original.
    """
    assumed = _as_if_a4(width, height)
    mark = _middling_mark(grey)
    if mark is None:
        return assumed
    type_size = mark * width / grey.shape[1] / _MARK_OF_TEXT  # pixels of the original
    if _BODY_TEXT[0] <= type_size / assumed * _POINTS_PER_INCH <= _BODY_TEXT[1]:
        return assumed
    return _within_belief(type_size * _POINTS_PER_INCH / _USUAL_TEXT)


def _middling_mark(grey: Grey) -> float | None:
    """How tall, in pixels, a letter in the middle of all letters is; None where there are too few.

    Each mark counts by its height, so that dust and dots do not.
    """
    scale = min(1.0, _SEARCH_SIDE / min(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ink = ink_mask(small.astype(np.uint8, copy=False))
    if np.count_nonzero(ink) > ink.size / 2:  # light text on dark ground
        ink = 255 - ink
    _, _, parts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    short, long = np.sort(parts[1:, 2:4], axis=1).T
    # On a page that lies on its side, too, a letter is as tall as its longer side, and several that touch
    # are as tall as their shorter one.
    tall = np.where(long <= _SLENDEREST_LETTER * short, long, short)
    letters = np.sort(tall[(tall >= _HEIGHTS[0]) & (tall <= _HEIGHTS[1])])
    if len(letters) < _FEWEST_MARKS:
        return None
    weights = np.cumsum(letters)
    middle = np.searchsorted(weights, weights[-1] / 2)
    return float(letters[middle]) / float(scale)
