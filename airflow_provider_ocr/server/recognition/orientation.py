# SPDX-License-Identifier: Apache-2.0
"""Which way up a page lies. The engine looks at letter after letter; a hundred tell as much as all of them.

What a hundred letters do not tell beyond doubt, the whole page is asked for; and if that is in doubt, too,
a page is turned only if it can then be read better.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Block
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.ink import Grey, letter_marks

MIN_CONFIDENCE = 2.0  # upright pages of poor quality score below 1, real turns above 10

_ENOUGH = 90  # marks of letter size in the part that is looked at
_SURE = 3.5  # confidence; such a part of an ordinary page scores 4 and more
_BEYOND_DOUBT = 8.0  # of a whole page; grainy, coarse pages that stand upright score up to 3


def find_rotation(grey: Grey, *, engine: Engine, dpi: float, settings: ProcessingSettings) -> int:
    """Degrees (0, 90, 180, 270) to turn the page clockwise to stand upright; 0 where that is unclear.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    :param settings: how it will be read.
    """
    part = _densest_part(grey, letter_marks(grey))
    rotation, confidence = engine.orientation(part, dpi=dpi)
    if confidence >= _SURE:
        return rotation
    if part.size < grey.size:
        rotation, confidence = engine.orientation(grey, dpi=dpi)
    if not rotation or confidence < MIN_CONFIDENCE:
        return 0
    if confidence >= _BEYOND_DOUBT:
        return rotation
    upright, turned = (
        _certainty(engine.read(page, dpi=dpi, settings=settings))
        for page in (grey, np.ascontiguousarray(np.rot90(grey, k=-rotation // 90)))
    )
    return rotation if turned > upright else 0


def _certainty(blocks: list[Block]) -> float:
    """The mean confidence in the words' characters."""
    words = [word for block in blocks for line in block.lines for word in line.words]
    characters = sum(word.count for word in words)
    return sum(word.confidence * word.count for word in words) / max(1, characters)


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
