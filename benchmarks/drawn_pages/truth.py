# SPDX-License-Identifier: Apache-2.0
"""What stands on a drawn page."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and the box of its ink in pixels of the page's image: left, top, right, bottom."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its place, how many rows and columns it covers, and its text, which may be empty."""

    row: int
    column: int
    row_span: int
    column_span: int
    text: str


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands on a page.

    :param lines: the words of each line, in reading order; a table's row is a line.
    :param tables: the cells of each table.
    """

    lines: tuple[tuple[Word, ...], ...]
    tables: tuple[tuple[Cell, ...], ...] = ()

    @property
    def text(self) -> str:
        """The words in reading order, a line for each line."""
        return "\n".join(" ".join(word.text for word in line) for line in self.lines)

    def moved(self, matrix: Matrix) -> Truth:
        """The same on an image made from the page's.

        :param matrix: 3 x 3; takes homogeneous points of the page's image to the new one.
        """
        lines = [[replace(word, box=_moved(word.box, matrix)) for word in line] for line in self.lines]
        return replace(self, lines=tuple(tuple(line) for line in lines))


def _moved(box: Box, matrix: Matrix) -> Box:
    left, top, right, bottom = box
    corners = matrix @ np.array([(left, right, right, left), (top, top, bottom, bottom), (1, 1, 1, 1)])
    xs, ys = corners[0] / corners[2], corners[1] / corners[2]
    return float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())
