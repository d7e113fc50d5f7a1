# SPDX-License-Identifier: Apache-2.0
"""How large a document is and what it is billed as, from the headers of its files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_ocr.server.recognition.input import Document

_A4_INCHES = 8.27 * 11.69  # square
_TOLERANCE = 1.01  # a sheet of two A4 pages is a little less than twice that, by the rounding of scanners


def measure(images: Sequence[Path], *, password: str = "") -> tuple[int, int]:
    """How many pages the document in ``images`` has, and how many A4 pages they are billed as.

    :param password: opens protected PDF files.
    :raises RecognitionError: if it cannot be opened, or a page is beyond a limit already by its size.
    """
    with Document(images, password=password) as document:
        numbers = range(1, document.pages + 1)
        return document.pages, sum(billed_pages(*document.inches(number)) for number in numbers)


def billed_pages(width: float, height: float) -> int:
    """As how many A4 pages a page is billed: by its area, at least one.

    :param width: inches.
    :param height: inches.
    """
    return max(1, math.floor(width * height / _A4_INCHES * _TOLERANCE))
