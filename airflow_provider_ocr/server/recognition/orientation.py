# SPDX-License-Identifier: Apache-2.0
"""Which way up a page lies. The engine looks at letter after letter; a hundred tell as much as all of them.

What a hundred letters do not tell beyond doubt, the whole page is asked for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.ink import Grey, letter_marks

MIN_CONFIDENCE = 2.0  # upright pages of poor quality score below 1, real turns above 10

_ENOUGH = 90  # marks of letter size in the part that is looked at
_SURE = 3.5  # confidence; such a part of an ordinary page scores 4 and more


def find_rotation(grey: Grey, *, engine: Engine, dpi: float) -> int:
    """Degrees (0, 90, 180, 270) to turn the page clockwise to stand upright; 0 where that is unclear.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    part = _densest_part(grey, letter_marks(grey))
    rotation, confidence = engine.orientation(part, dpi=dpi)
    if confidence < _SURE and part.size < grey.size:
        rotation, confidence = engine.orientation(grey, dpi=dpi)
    return rotation if confidence >= MIN_CONFIDENCE else 0


def _densest_part(grey: Grey, marks: npt.NDArray[np.float64]) -> Grey:
    """The page halved, and the fuller half again, for as long as enough marks are left."""
    height, width = grey.shape
    axis = int(height > width)  # of the marks' x and y, where the longer side is
    middle = max(grey.shape) // 2
    before = marks[:, axis] < middle
    fuller = before if 2 * np.count_nonzero(before) >= len(marks) else ~before
    if np.count_nonzero(fuller) < _ENOUGH:
        return grey
    half = slice(0, middle) if fuller is before else slice(middle, None)
    origin = np.array((0, half.start) if axis else (half.start, 0))
    return _densest_part(grey[half] if axis else grey[:, half], marks[fuller] - origin)
