# SPDX-License-Identifier: Apache-2.0
"""Photos of sheets, drawn: a camera held askew, a table, uneven light and noise."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from PIL import Image

ASKEW = ((0.12, 0.10), (0.90, 0.15), (0.84, 0.93), (0.06, 0.86))
"""Where on a photo the corners of a sheet are, as shares of its width and height."""

FROM_ABOVE = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))


def corners_on(photo: Image.Image, places: Any = ASKEW) -> Any:
    """The corners in pixels."""
    return np.array(places) * np.array(photo.size)


def photo_of(sheet: Image.Image, places: Any = ASKEW, *, table: int = 90, shadow: float = 0.4) -> Image.Image:
    """A colour photo of a sheet.

    :param sheet: mode ``L``.
    :param places: of its corners.
    :param table: level of what it lies on.
    :param shadow: how much darker the lower right of the photo is.
    """
    width, height = round(sheet.width * 1.4), round(sheet.height * 1.4)
    flat = np.array([(0, 0), (sheet.width, 0), sheet.size, (0, sheet.height)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, (np.array(places) * (width, height)).astype(np.float32))
    # Twice as large and shrunk again, as a lens blurs letters and does not make them ragged.
    larger = np.diag([2.0, 2.0, 1.0]) @ matrix
    size = 2 * width, 2 * height
    ink = cv2.warpPerspective(np.asarray(sheet), larger, size, flags=cv2.INTER_LINEAR, borderValue=(255,))
    covered = cv2.warpPerspective(np.full_like(np.asarray(sheet), 255), larger, size)
    paper = cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA)[..., None] / 255 * (235, 232, 225)
    cover = cv2.resize(covered, (width, height), interpolation=cv2.INTER_AREA)[..., None] / 255
    noise = np.random.default_rng(7).normal(0, 3, (height, width, 3))
    light = 1 - shadow * np.add.outer(np.arange(height) / height, np.arange(width) / width)[..., None] / 2
    shown = (cover * paper + (1 - cover) * np.array((table + 25, table, table - 30))) * light + noise
    return Image.fromarray(shown.clip(0, 255).astype(np.uint8))
