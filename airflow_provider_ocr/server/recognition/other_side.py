# SPDX-License-Identifier: Apache-2.0
"""Print of the other side of the sheet: pale, and read only by who looks at it mirrored."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import cv2
import numpy as np

from airflow_provider_ocr.server.document import Block, Line
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.plain_ink import is_bare, plain_ink
from airflow_provider_ocr.server.recognition.witness import well_read, whiten_word

_SURE = 80.0  # mean confidence of a line; mirrored print is taken for words of 40 to 50
_LETTERS_OF_LINE = 8  # from which on a line is no chance
_LETTERS_OF_SIDE = 30  # fewer may look the same mirrored: A, H, I, M, O, 8
_BLUR = 0.005  # inches: what shines through is no sharper than that


def without_grain(grey: Grey, *, dpi: float) -> Grey:
    """The page blurred as much as takes nothing from print that shines through.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    return cv2.GaussianBlur(grey, (0, 0), _BLUR * dpi).astype(np.uint8, copy=False)


def has_sure_line(blocks: Sequence[Block]) -> bool:
    """Whether a line has been read beyond doubt, so that it stands on this side."""
    return any(_is_sure(line) for block in blocks for line in block.lines)


def is_all_of_other_side(mirrored: Grey, blocks: Sequence[Block], *, dpi: float) -> bool:
    """Whether there is nothing on the page but what can be read mirrored.

    :param mirrored: the page, upright as the other side would be.
    :param blocks: what was read of that.
    :param dpi: its pixels per inch.
    """
    words = [word for block in well_read(blocks) for line in block.lines for word in line.words]
    if not has_sure_line(blocks) or sum(word.count for word in words) < _LETTERS_OF_SIDE:
        return False
    rest = mirrored.copy()
    for word in words:
        whiten_word(rest, word)
    return is_bare(plain_ink(rest, dpi=dpi))


def _is_sure(line: Line) -> bool:
    letters = sum(word.count for word in line.words)
    return letters >= _LETTERS_OF_LINE and statistics.fmean(word.confidence for word in line.words) >= _SURE
