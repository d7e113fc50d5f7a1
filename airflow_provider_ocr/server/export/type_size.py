# SPDX-License-Identifier: Apache-2.0
"""How large the type of a paragraph is."""

from __future__ import annotations

import statistics

from airflow_provider_ocr.server.document import Paragraph
from airflow_provider_ocr.server.paragraph_text import line_text

_POINTS_PER_INCH = 72
_LINE_HEIGHT = 0.93  # of the type's size: from the top of an h to the foot of a p
_LETTER_WIDTH = 0.5  # of the type's size, on the average of common typefaces


def type_size(paragraph: Paragraph) -> float | None:
    """Points of the type of most of its lines, to the half; None where that is not known."""
    sizes = [line.size for line in paragraph.lines if line.size]
    return round(2 * statistics.median(sizes)) / 2 if sizes else None


def fitting_type_size(paragraph: Paragraph, *, dpi: float) -> float:
    """Points of type in which its lines are about as high, and not longer, than they are.

    :param dpi: pixels per inch of the page.
    """
    heights, widths = [], []
    for line in paragraph.lines:
        heights.append(line.box.height / _LINE_HEIGHT)
        widths.append(line.box.width / max(1, len(line_text(line))) / _LETTER_WIDTH)
    return min(statistics.median(heights), statistics.median(widths)) * _POINTS_PER_INCH / dpi
