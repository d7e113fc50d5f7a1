# SPDX-License-Identifier: Apache-2.0
"""How large the engine is shown a page, and the way back to the page from what it saw.

The engine knows letters of some size best. A coarse page is enlarged for it, which saves two of three errors;
enlarging a finer one saves none, and costs time by the square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from airflow_provider_ocr.server.document import Box
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.text_types import TextReading

_COARSE_DPI, _READABLE_DPI = 140.0, 200.0
_MOST_PIXELS = 8e6  # A3 at the readable resolution; a large photo that claims a screen's 72 dpi has as many


@dataclass(frozen=True, slots=True)
class Scale:
    """How much larger than the page is what the engine is shown.

    :param across: of widths.
    :param down: of heights.
    """

    across: float = 1.0
    down: float = 1.0

    def of(self, grey: Grey) -> Grey:
        """The page in the size in which it is shown."""
        if self == Scale():
            return grey
        # A sharper way of enlarging joins letters, and the engine passes over lines of joined letters.
        way = cv2.INTER_AREA if self.down <= 1 else cv2.INTER_LINEAR
        resized = cv2.resize(grey, None, fx=self.across, fy=self.down, interpolation=way)
        return resized.astype(np.uint8, copy=False)

    def shown(self, box: Box) -> Box:
        """A box of the page, as the engine sees it."""
        return Box(
            *(
                round(edge * scale)
                for edge, scale in zip((box.left, box.top, box.right, box.bottom), self._edges, strict=True)
            )
        )

    def edges(self, shown: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of what the engine sees, on the page."""
        if self == Scale():
            return shown
        left, top, right, bottom = (
            round(edge / scale) for edge, scale in zip(shown, self._edges, strict=True)
        )
        return left, top, right, bottom

    @property
    def _edges(self) -> tuple[float, float, float, float]:
        return self.across, self.down, self.across, self.down


def reduced(reading: TextReading, *, dpi: float) -> Scale:
    """What a text type asks for. Nothing is enlarged, but letters may be widened.

    :param reading: how the text type is read.
    :param dpi: the page's pixels per inch.
    """
    down = min(1.0, (reading.dpi or dpi) / dpi)
    return Scale(down * reading.widening, down)


def legible(reading: TextReading, *, dpi: float, pixels: int) -> Scale:
    """What a text type asks for, or the enlargement that a coarse page needs.

    :param reading: how the text type is read.
    :param dpi: the page's pixels per inch.
    :param pixels: how many it has.
    """
    if dpi >= _COARSE_DPI:
        return reduced(reading, dpi=dpi)
    down = max(1.0, min(_READABLE_DPI / dpi, math.sqrt(_MOST_PIXELS / pixels)))
    return Scale(down * reading.widening, down)
