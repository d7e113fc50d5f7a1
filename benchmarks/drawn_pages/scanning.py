# SPDX-License-Identifier: Apache-2.0
"""How a sheet becomes an image: scanned, coarsely, askew or turned, or photographed from the side."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from PIL import Image

from benchmarks.drawn_pages.sheet import DPI
from benchmarks.drawn_pages.truth import Matrix, Truth

_POOR_DPI = (70, 130)
_TABLE_GREY = 90
_TABLE_SHARE = 0.06
_TILT_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class _Lens:
    """The least and the most blur, in pixels of the image, and grain, in levels of grey."""

    blur: tuple[float, float]
    grain: tuple[float, float]


_GOOD = _Lens(blur=(0.5, 1.0), grain=(3.0, 12.0))
_POOR = _Lens(blur=(0.6, 1.6), grain=(8.0, 28.0))


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """An image of a page, its resolution and what stands on it."""

    image: Image.Image
    dpi: int
    truth: Truth


def scanned(
    image: Image.Image,
    truth: Truth,
    chance: Random,
    *,
    dpi: int = DPI,
    skew: float = 0.0,
    quarters: int = 0,
    lens: _Lens = _GOOD,
) -> DrawnPage:
    """The sheet from a flatbed scanner, with grain.

    :param dpi: the scanner's resolution.
    :param skew: degrees that the sheet lay askew, counter-clockwise.
    :param quarters: quarter turns, counter-clockwise.
    :param lens: how sharp and clean its images are.
    """
    width, height = image.size
    small, angle = dpi / DPI, skew + 90 * quarters
    swapped = quarters % 2 == 1
    new = (height, width) if swapped else (width, height)
    size = round(new[0] * small), round(new[1] * small)
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), angle, small), (0, 0, 1)])
    matrix[0, 2] += size[0] / 2 - width / 2
    matrix[1, 2] += size[1] / 2 - height / 2
    return _taken(image, truth, matrix, size, chance, dpi=dpi, around=255, lens=lens)


def poorly_scanned(image: Image.Image, truth: Truth, chance: Random) -> DrawnPage:
    """The sheet as a bad copy of it: coarse, blurred and grainy, some of them beyond reading."""
    return scanned(image, truth, chance, dpi=chance.randint(*_POOR_DPI), lens=_POOR)


def photographed(image: Image.Image, truth: Truth, chance: Random) -> DrawnPage:
    """The sheet on a dark table, from the side, by uneven light."""
    width, height = image.size
    size = round(width * (1 + 2 * _TABLE_SHARE)), round(height * (1 + 2 * _TABLE_SHARE))
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    tilts = [[chance.uniform(-1, 1) * _TILT_SHARE * width for _ in range(2)] for _ in range(4)]
    margin = np.array([size[0] - width, size[1] - height]) / 2
    # Only into the picture: a corner that is cut off would take words with it.
    inward = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * np.abs(np.array(tilts))
    corners_taken = (corners + margin + inward).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, corners_taken).astype(np.float64)
    page = _taken(image, truth, matrix, size, chance, dpi=DPI, around=_TABLE_GREY)
    light = np.linspace(chance.uniform(0.6, 0.8), 1.0, size[0])[None, :]
    lit = np.asarray(page.image) * light * np.linspace(1.0, chance.uniform(0.75, 0.9), size[1])[:, None]
    return DrawnPage(Image.fromarray(lit.astype(np.uint8)), page.dpi, page.truth)


def _taken(
    image: Image.Image,
    truth: Truth,
    matrix: Matrix,
    size: tuple[int, int],
    chance: Random,
    *,
    dpi: int,
    around: int,
    lens: _Lens = _GOOD,
) -> DrawnPage:
    blurred = cv2.GaussianBlur(np.asarray(image), (0, 0), chance.uniform(*lens.blur) * DPI / dpi)
    taken = cv2.warpPerspective(
        blurred, matrix, size, flags=cv2.INTER_AREA | cv2.INTER_LINEAR, borderValue=(around,)
    )
    grain = np.random.default_rng(chance.getrandbits(32)).normal(0, chance.uniform(*lens.grain), taken.shape)
    grained = np.clip(taken + grain, 0, 255).astype(np.uint8)
    return DrawnPage(Image.fromarray(grained), dpi, truth.moved(matrix))
