# SPDX-License-Identifier: Apache-2.0
"""The sheet that a page of flowing text is laid out on."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_ocr.server.document import Page, Table

_MILLIMETRES = 25.4  # to an inch
_SHORTEST_SIDE, _LONGEST_SIDE = 1.0, 22.0  # inches; Word takes no other pages
_WIDEST_MARGIN = 0.75  # inches
_MARGIN = 1 / 12  # of the shorter side


@dataclass(frozen=True, slots=True)
class Paper:
    """A size of paper, to a millimetre: scans of one size differ by some pixels.

    :param width: millimetres.
    :param height: the same.
    """

    width: int
    height: int

    @property
    def margin(self) -> float:
        """Inches that are left free on every side."""
        return min(_WIDEST_MARGIN, _MARGIN * min(self.width, self.height) / _MILLIMETRES)

    @property
    def text_width(self) -> float:
        """Inches between the margins."""
        return self.width / _MILLIMETRES - 2 * self.margin

    @property
    def text_height(self) -> float:
        """The same from top to bottom."""
        return self.height / _MILLIMETRES - 2 * self.margin

    @property
    def is_landscape(self) -> bool:
        """Whether it is wider than it is high."""
        return self.width > self.height


def paper_of(page: Page) -> Paper:
    """What ``page`` was scanned from, or what of it a word processor takes."""
    sides = [side / page.dpi for side in (page.width, page.height)]
    scale = min(1.0, _LONGEST_SIDE / max(sides))
    return Paper(*(round(_MILLIMETRES * max(_SHORTEST_SIDE, side * scale)) for side in sides))


def column_widths(table: Table, *, dpi: float, most: float) -> list[float]:
    """Inches of each column of ``table``, all of them together at most ``most``."""
    pixels = [right - left for left, right in zip(table.columns, table.columns[1:], strict=False)]
    whole = max(sum(pixels) / dpi, most)
    return [width / dpi * most / whole for width in pixels]


def picture_size(width: int, height: int, *, dpi: float, paper: Paper) -> tuple[float, float]:
    """Inches of a picture's width and height between the margins of ``paper``.

    :param width: pixels.
    :param height: the same.
    :param dpi: of the page that it is part of.
    """
    scale = min(1 / dpi, paper.text_width / width, paper.text_height / height)
    return width * scale, height * scale
