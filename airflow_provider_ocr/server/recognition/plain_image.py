# SPDX-License-Identifier: Apache-2.0
"""Pixels of every kind that files have as black and white, shades of grey or RGB of eight bits."""

from __future__ import annotations

import numpy as np
from PIL import Image

_WIDE_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
_PLAIN = ("1", "L", "RGB")
_FULL_WHITE = (1.0, 255.0, 1023.0, 4095.0, 65535.0)  # of numbers from 0 to 1, and of 8, 10, 12 and 16 bits
_EIGHT_BITS = 255.0
_PHOTOMETRIC = 262  # the TIFF tag that tells whether 0 is black
_WHITE_IS_ZERO = 0


def plain(image: Image.Image, *, inverted: bool = False) -> Image.Image:
    """The image in mode 1, L or RGB, what is transparent on white.

    :param image: decoded, in any mode.
    :param inverted: whether 0 is white where a pixel has more than eight bits.
    """
    if image.mode in _WIDE_GREY:
        return _eight_bits(image, inverted=inverted)
    if image.has_transparency_data:
        above = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(above, mask=above.getchannel("A"))
    return image if image.mode in _PLAIN else image.convert("RGB")


def is_inverted(opened: Image.Image) -> bool:
    """Whether 0 is white, which Pillow sees to up to eight bits only.

    :param opened: a file, at the frame in question.
    """
    tags = opened.tag_v2 if opened.format == "TIFF" else {}  # type: ignore[attr-defined]  # TIFF's own attribute
    return bool(tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO)


def _eight_bits(image: Image.Image, *, inverted: bool) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    highest = values.max(initial=0.0)
    full = next((white for white in _FULL_WHITE if highest <= white), _FULL_WHITE[-1])
    grey = (values.clip(0, full) * (_EIGHT_BITS / full)).astype(np.uint8)
    return Image.fromarray(255 - grey if inverted else grey)
