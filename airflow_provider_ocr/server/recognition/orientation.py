# SPDX-License-Identifier: Apache-2.0
"""Which way up a page lies. The engine looks at letter after letter; a hundred tell as much as all of them.

What a hundred letters do not tell beyond doubt, the whole page is asked for; and if that is in doubt, too,
a page is turned only if it can then be read better.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.ink import Grey, letter_marks
from airflow_provider_ocr.server.recognition.quality import LOW_WORD_CONFIDENCE

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
    return _read_best(grey, (0, rotation), engine=engine, dpi=dpi, settings=settings)


def surer_way_up(
    grey: Grey, rotation: int, *, engine: Engine, dpi: float, settings: ProcessingSettings
) -> int:
    """Of ``rotation`` and its opposite the one with which more letters are read well.

    The letters of machines look to the engine as if they stood on their heads, and it is sure of that.

    :param grey: the page, 0 is black.
    :param rotation: degrees (0, 90, 180, 270) clockwise.
    :param dpi: its pixels per inch.
    :param settings: how it is to be read.
    """
    turns = sorted({rotation, (rotation + 180) % 360})
    return _read_best(grey, turns, engine=engine, dpi=dpi, settings=settings)


def _read_best(
    grey: Grey, turns: Sequence[int], *, engine: Engine, dpi: float, settings: ProcessingSettings
) -> int:
    """The first of the turns, in degrees clockwise, with which most letters are read well."""

    def letters_read(turn: int) -> int:
        turned = np.ascontiguousarray(np.rot90(grey, -turn // 90))
        blocks = engine.read(turned, dpi=dpi, settings=settings)
        words = [word for block in blocks for line in block.lines for word in line.words]
        return sum(word.count for word in words if word.confidence >= LOW_WORD_CONFIDENCE)

    return max(turns, key=letters_read)


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
