# SPDX-License-Identifier: Apache-2.0
"""Marks of letter size on which the engine's layout analysis put no word: mostly short cells of tables."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import cv2
import numpy as np

from airflow_provider_ocr.server.document import Block, BlockType, Box, Word
from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask, searchable

MOST_REGIONS = 200  # a page with more is no text that was overlooked but a picture

_SMALLEST, _LARGEST = 0.55, 2.0  # of the height of the words that were read
_WORD_GAP = 0.7  # of that height: what is closer belongs to the same region
_MARGIN = 0.3  # of that height, which the engine needs around letters
_TALLEST_REGION = 2.5  # of that height; a taller region is not one line


def unread_regions(grey: Grey, blocks: Sequence[Block]) -> list[Box]:
    """Where single lines of text seem to stand that no block covers, from top to bottom.

    :param grey: the page as the engine got it.
    :param blocks: what it made of it; without a word there is nothing to compare marks with.
    """
    words = [word for block in blocks for line in block.lines for word in line.words]
    if not words:
        return []
    height = statistics.median(word.box.height for word in words)
    ink = ink_mask(grey)
    for box in _covered(words, blocks, margin=round(_MARGIN * height)):
        ink[max(0, box.top) : box.bottom, max(0, box.left) : box.right] = 0
    small, divisor = searchable(ink, height=height)
    regions = [Box(*(divisor * edge for edge in box)) for box in _regions(small, height / divisor)]
    regions = [box for box in regions if box.height <= _TALLEST_REGION * height]
    regions = [box for box in regions if not any(_beside(box, word.box, height) for word in words)]
    return regions if len(regions) <= MOST_REGIONS else []


def _covered(words: list[Word], blocks: Sequence[Block], *, margin: int) -> list[Box]:
    """What needs no second look: words with the dots and strokes around them, and pictures."""
    around = [
        Box(box.left - margin, box.top - margin, box.right + margin, box.bottom + margin)
        for box in (word.box for word in words)
    ]
    return around + [block.box for block in blocks if block.type is BlockType.PICTURE]


def _beside(region: Box, word: Box, height: float) -> bool:
    """Whether the region is part of a word, whose box the engine sometimes draws too small."""
    level = min(region.bottom, word.bottom) - max(region.top, word.top) > _SMALLEST * height
    return level and max(region.left, word.left) - min(region.right, word.right) < _WORD_GAP * height


def _regions(ink: Grey, height: float) -> list[Box]:
    _, labels, parts, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    tall = (parts[:, 3] >= _SMALLEST * height) & (parts[:, 3] <= _LARGEST * height)
    letters = tall & (parts[:, 2] <= 2 * _LARGEST * height)
    letters[0] = False
    if not letters.any():
        return []
    gap = max(1, round(_WORD_GAP * height))
    joined = cv2.dilate(letters[labels].astype(np.uint8), np.ones((1, 2 * gap + 1), np.uint8))
    _, _, found, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    margin, (bottom, right) = round(_MARGIN * height), ink.shape
    return [
        Box(
            # Joining widens a mark by the gap, but at the page's edge by less.
            max(0, left + gap - margin) if left else 0,
            max(0, top - margin),
            min(right, left + width - gap + margin) if left + width < right else right,
            min(bottom, top + tallness + margin),
        )
        for left, top, width, tallness, _ in found[1:].tolist()
    ]
