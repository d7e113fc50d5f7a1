# SPDX-License-Identifier: Apache-2.0
"""Images as they are worked on: turned, straightened and flattened in one step, with the way back.

One step, because every resampling takes sharpness from small letters; where pixels only change places, none
is resampled.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from airflow_provider_ocr.server.document import Projection

_TURNS = {
    90: Image.Transpose.ROTATE_270,  # Pillow counts the other way round
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
_SAME = 1e-6  # of a pixel's place, by the rounding of floating point numbers
_GREY_LEVEL = 128


class View(NamedTuple):
    """A corrected image before it is made.

    :param width: pixels.
    :param height: pixels.
    :param back: from its pixels to those of the image that it is made of.
    """

    width: int
    height: int
    back: Projection = Projection()

    def turned(self, clockwise: int) -> View:
        """The view turned by a multiple of 90 degrees."""
        width, height, back = _turned(self.width, self.height, clockwise)
        return View(width, height, back.then(self.back))

    def straightened(self, degrees: float) -> View:
        """The view turned counter-clockwise on a canvas that grows with it."""
        if not degrees:
            return self
        along, across = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        width = round(self.width * along + self.height * abs(across))
        height = round(self.width * abs(across) + self.height * along)
        x0 = (self.width - width * along + height * across) / 2
        y0 = (self.height - width * across - height * along) / 2
        back = Projection(xx=along, xy=-across, x0=x0, yx=across, yy=along, y0=y0)
        return View(width, height, back.then(self.back))

    def of(self, image: Image.Image) -> Image.Image:
        """The view of ``image``, in its mode; white where the view reaches beyond it."""
        for clockwise in (0, *_TURNS):
            turned = _turned(*image.size, clockwise)
            if turned[:2] == self[:2] and np.allclose(turned.back, self.back, rtol=_SAME, atol=_SAME):
                return image.transpose(_TURNS[clockwise]) if clockwise else image
        pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
        seen = Image.fromarray(self.resampled(pixels))
        if image.mode == "1":
            seen = seen.point(lambda level: 255 if level >= _GREY_LEVEL else 0).convert("1")
        return seen

    def resampled(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The view of ``pixels``, height x width or height x width x colours."""
        matrix = np.reshape([*self.back, 1.0], (3, 3))
        # A pixel's place is its upper left corner for us, its middle for the warp.
        to_middle, to_corner = np.eye(3), np.eye(3)
        to_middle[:2, 2], to_corner[:2, 2] = -0.5, 0.5
        seen = cv2.warpPerspective(
            pixels,
            to_middle @ matrix @ to_corner,
            (self.width, self.height),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(255, 255, 255),
        )
        return seen.astype(np.uint8, copy=False)


def _turned(width: int, height: int, clockwise: int) -> View:
    if clockwise % 180:
        width, height = height, width
    back = {
        0: Projection(),
        90: Projection(xx=0, xy=1, x0=0, yx=-1, yy=0, y0=width),
        180: Projection(xx=-1, xy=0, x0=width, yx=0, yy=-1, y0=height),
        270: Projection(xx=0, xy=-1, x0=height, yx=1, yy=0, y0=0),
    }[clockwise]
    return View(width, height, back)
