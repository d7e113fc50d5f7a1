# SPDX-License-Identifier: Apache-2.0
"""Where things of a page lie on a page of a PDF file, in points."""

from __future__ import annotations

from airflow_provider_ocr.server.document import Page

_POINTS_PER_INCH = 72
_SHORTEST_SIDE, _LONGEST_SIDE = 3.0, 14_400.0  # points; readers refuse other pages


def points_per_pixel(page: Page) -> float:
    """By what the page's pixels are to be multiplied."""
    return min(_POINTS_PER_INCH / page.dpi, _LONGEST_SIDE / max(page.width, page.height))


def size_in_points(page: Page) -> tuple[float, float]:
    """The page's width and height."""
    scale = points_per_pixel(page)
    return max(_SHORTEST_SIDE, page.width * scale), max(_SHORTEST_SIDE, page.height * scale)
