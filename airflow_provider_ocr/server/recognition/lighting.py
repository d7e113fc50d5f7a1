# SPDX-License-Identifier: Apache-2.0
"""Shadows and tinted paper made white, because the engine reads digits worse on grey.

No ink gets fainter against its paper by that. ``full_contrast`` goes further and makes faint ink black, for
a second look at what was not read: with one threshold for the page, black text hides grey text beside it.
"""

from __future__ import annotations

import cv2
import numpy as np

from airflow_provider_ocr.server.recognition.ink import Grey

_SHRINK = 4  # light changes slowly, so a sixteenth of the pixels says all about it
_STROKE = 1 / 6  # inches; whatever is thicker than any letter's stroke counts as paper
_NEIGHBOURHOOD = 0.25  # inches; within it the darkest ink sets what counts as black
_FAINTEST_INK = 48  # levels below its paper that become black; fainter ink becomes grey
_DARKEST_PAPER = 0.6  # of the page's lightest; darker ground is print, and light text on it must stay


def evenly_lit(grey: Grey, *, dpi: float) -> Grey:
    """The page as if its paper were white everywhere.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    paper = _paper(grey, dpi=dpi)
    paper = np.maximum(paper, _DARKEST_PAPER * float(paper.max())).astype(np.uint8)
    paper = _enlarged(paper, grey)
    return cv2.divide(grey, np.maximum(paper, 1), scale=255).astype(np.uint8, copy=False)


def full_contrast(grey: Grey, *, dpi: float) -> Grey:
    """The page with its paper white and the darkest ink of every place black, however faint it is.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    paper = _paper(grey, dpi=dpi)
    darkest = cv2.erode(grey, np.ones((_SHRINK, _SHRINK), np.uint8))
    darkest = cv2.resize(darkest, paper.shape[::-1], interpolation=cv2.INTER_NEAREST)
    side = max(3, round(dpi * _NEIGHBOURHOOD / _SHRINK))
    contrast = cv2.dilate(cv2.subtract(paper, darkest), np.ones((side, side), np.uint8))
    contrast = np.maximum(cv2.blur(contrast, (side, side)), _FAINTEST_INK)
    ink = cv2.subtract(_enlarged(paper, grey), grey)
    return 255 - cv2.divide(ink, _enlarged(contrast.astype(np.uint8), grey), scale=255).astype(
        np.uint8, copy=False
    )


def _enlarged(small: Grey, grey: Grey) -> Grey:
    """``small`` at the size of ``grey``."""
    return cv2.resize(small, grey.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _paper(grey: Grey, *, dpi: float) -> Grey:
    """The level of the paper, a ``_SHRINK``-th of the page's size."""
    size = max(1, grey.shape[1] // _SHRINK), max(1, grey.shape[0] // _SHRINK)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    side = max(3, round(dpi * _STROKE / _SHRINK))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    return cv2.blur(paper, (side, side)).astype(np.uint8, copy=False)
