# SPDX-License-Identifier: Apache-2.0
"""Where things of a page stand in the image that a result file speaks of: as it came, or as corrected."""

from __future__ import annotations

import math
from dataclasses import dataclass

from airflow_provider_ocr.server.document import Box, Line, Page, Projection, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinates:
    """Leads from pixels of the corrected page to those of one image.

    :param width: pixels of that image.
    :param height: the same, from top to bottom.
    :param dpi: its pixels per inch.
    :param projection: from the corrected page to it.
    """

    width: int
    height: int
    dpi: float
    projection: Projection

    @classmethod
    def of_original(cls, page: Page) -> Coordinates:
        """Those of the image as it came."""
        return cls(
            width=page.original_width,
            height=page.original_height,
            dpi=page.original_dpi,
            projection=page.to_original,
        )

    @classmethod
    def of_corrected(cls, page: Page) -> Coordinates:
        """Those of the image turned upright and straightened."""
        return cls(width=page.width, height=page.height, dpi=page.dpi, projection=Projection())

    def box(self, box: Box) -> Box:
        """The part within the image of the upright box around where ``box`` lands."""
        left, top, right, bottom = self.projection.box(box)
        return Box(
            _within(left, self.width),
            _within(top, self.height),
            _within(right, self.width),
            _within(bottom, self.height),
        )

    def point(self, x: float, y: float) -> tuple[int, int]:
        """The pixel where the point lands."""
        x, y = self.projection.point(x, y)
        return round(x), round(y)

    def size(self, box: Box) -> tuple[int, int]:
        """How wide and how high ``box`` is there for who reads its text upright, however it lies."""
        middle_x, middle_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        left, right = (self.projection.point(x, middle_y) for x in (box.left, box.right))
        top, bottom = (self.projection.point(middle_x, y) for y in (box.top, box.bottom))
        return round(math.dist(left, right)), round(math.dist(top, bottom))


def space_between(before: Word, after: Word, line: Line) -> Box:
    """Where the space between two neighbours on ``line`` stands, which the engine does not tell."""
    first, last = sorted((before.box, after.box))  # text may run from right to left
    left, right = sorted((first.right, last.left))
    return Box(left, line.box.top, right, line.box.bottom)


def _within(place: int, end: int) -> int:
    return min(max(0, place), end)
