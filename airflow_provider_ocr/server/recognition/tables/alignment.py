# SPDX-License-Identifier: Apache-2.0
"""How text stands in its cell, and how the cells of a column without ruled lines are aligned."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from airflow_provider_ocr.server.document import Alignment, Box, Line

_EVEN = 0.5  # of a line's height, by which edges may differ that are said to be aligned


def column_alignment(lines: Sequence[Line]) -> tuple[Alignment, float]:
    """How most of a column's lines are aligned, and the share of them that are.

    :param lines: at least one, each of a cell of its own.
    """
    even = _EVEN * statistics.median(line.box.height for line in lines)
    places: dict[Alignment, list[float]] = {
        Alignment.LEFT: [line.box.left for line in lines],
        Alignment.RIGHT: [line.box.right for line in lines],
        Alignment.CENTER: [(line.box.left + line.box.right) / 2 for line in lines],
    }
    shares = {
        alignment: sum(abs(place - statistics.median_low(found)) <= even for place in found) / len(found)
        for alignment, found in places.items()
    }
    # Of equal shares the first.
    best = max(shares, key=lambda alignment: shares[alignment])
    return best, shares[best]


def cell_alignment(lines: Sequence[Line], cell: Box) -> Alignment:
    """How the text of a cell with ruled lines about it is aligned; to the left where nothing tells otherwise.

    :param lines: at least one.
    """
    height = statistics.median(line.box.height for line in lines)
    before = min(line.box.left for line in lines) - cell.left
    behind = cell.right - max(line.box.right for line in lines)
    if before <= behind + height:
        centred = before > height and abs(before - behind) <= _EVEN * height
        return Alignment.CENTER if centred else Alignment.LEFT
    return Alignment.RIGHT
