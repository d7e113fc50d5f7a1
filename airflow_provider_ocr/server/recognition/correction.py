# SPDX-License-Identifier: Apache-2.0
"""By how much a page's lines slope."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from airflow_provider_ocr.server.recognition.ink import Grey, letter_marks

MAX_SKEW = 12.0  # degrees; what slopes more was not put on a scanner
MIN_SKEW = 0.15  # degrees; less moves a line by no more than a few pixels and is not worth resampling

_COARSE_STEP, _FINE_STEP = 0.5, 0.05
_PROFILE_ROWS = 1400  # resolution of the profile: a line of text is several rows high
_MIN_LETTERS = 20
_MIN_CONTRAST = 1.3  # how much sharper lines are than no lines: text has 1.5 and more, specks 1.2 and less


def find_skew(grey: Grey) -> float:
    """Degrees to turn the page counter-clockwise so that its lines run level; 0 where that is unclear.

    Projects the feet of all marks that have the size of a letter on the page's edge: where the lines
    run level, they fall on few places.

    :param grey: the page, 0 is black.
    """
    feet = letter_marks(grey) * (_PROFILE_ROWS / max(grey.shape))
    if len(feet) < _MIN_LETTERS:
        return 0.0
    coarse = np.arange(-MAX_SKEW, MAX_SKEW + _COARSE_STEP / 2, _COARSE_STEP)
    sharpness = [_sharpness(feet, degrees) for degrees in coarse]
    if max(sharpness) < _MIN_CONTRAST * float(np.median(sharpness)):
        return 0.0
    near = coarse[int(np.argmax(sharpness))]
    fine = np.arange(near - _COARSE_STEP, near + _COARSE_STEP, _FINE_STEP)
    best = float(max(fine, key=lambda degrees: _sharpness(feet, degrees)))
    return best if abs(best) >= MIN_SKEW else 0.0


def _sharpness(feet: npt.NDArray[np.float64], degrees: float) -> float:
    radians = math.radians(degrees)
    heights = feet[:, 1] * math.cos(radians) - feet[:, 0] * math.sin(radians)
    counts = np.bincount((heights - heights.min()).astype(np.intp))
    # Neighbouring rows count together: noise spreads a line's feet over two or three.
    return float(np.square(np.convolve(counts, (1, 2, 1))).sum())
