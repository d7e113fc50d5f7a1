# SPDX-License-Identifier: Apache-2.0
"""Which lines of a page stand at the same height, whichever blocks or columns they belong to."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from airflow_provider_ocr.server.document import Line


def rows(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines as rows from top to bottom, each row in no particular order."""
    found: list[list[Line]] = []
    for line in sorted(lines, key=middle):
        row = next((row for row in reversed(found) if _fits(line, row)), None)
        if row is None:
            found.append([line])
        else:
            row.append(line)
    return sorted(found, key=lambda row: statistics.mean(map(middle, row)))


def level(line: Line, other: Line) -> bool:
    """Whether both stand at the same height."""
    return abs(middle(line) - middle(other)) < max(_height(line), _height(other)) / 2


def middle(line: Line) -> float:
    """How far down the page the line stands, in pixels; a single tall letter does not move it."""
    return statistics.median((word.box.top + word.box.bottom) / 2 for word in line.words)


def _height(line: Line) -> float:
    return statistics.median(word.box.height for word in line.words)


def _fits(line: Line, row: list[Line]) -> bool:
    taken = [word.box for other in row for word in other.words]
    return all(level(line, other) for other in row) and all(
        word.box.left >= box.right or word.box.right <= box.left for word in line.words for box in taken
    )
