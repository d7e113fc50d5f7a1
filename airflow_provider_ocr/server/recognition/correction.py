# SPDX-License-Identifier: Apache-2.0
"""By how much a page's lines slope, and pages turned upright and straight, with the way back."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from airflow_provider_ocr.server.document import Projection
from airflow_provider_ocr.server.recognition.ink import Grey, letter_marks

MAX_SKEW = 12.0  # degrees; what slopes more was not put on a scanner
MIN_SKEW = 0.15  # degrees; less moves a line by no more than a few pixels and is not worth resampling

_COARSE_STEP, _FINE_STEP = 0.5, 0.05
_PROFILE_ROWS = 1400  # resolution of the profile: a line of text is several rows high
_MIN_LETTERS = 20
_MIN_CONTRAST = 1.3  # how much sharper lines are than no lines: text has 1.5 and more, specks 1.2 and less
_GREY_LEVEL = 128

_TURNS = {
    90: Image.Transpose.ROTATE_270,  # Pillow counts the other way round
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def find_skew(grey: Grey) -> float:
    """Degrees to turn the page counter-clockwise so that its lines run level; 0 where that is unclear.

    Projects the feet of all marks that have the size of a letter on the page's edge: where the lines
    run level, they fall on few places.

    :param grey: the page, 0 is black.
    """
    feet = letter_marks(grey) * (_PROFILE_ROWS / max(grey.shape))
    if len(feet) < _MIN_LETTERS:
        return 0.0
    coarse = np.arange(-MAX_SKEW, MAX_SKEW + _COARSE_STEP / 2, _COARSE_STEP)
    sharpness = [_sharpness(feet, degrees) for degrees in coarse]
    if max(sharpness) < _MIN_CONTRAST * float(np.median(sharpness)):
        return 0.0
    near = coarse[int(np.argmax(sharpness))]
    fine = np.arange(near - _COARSE_STEP, near + _COARSE_STEP, _FINE_STEP)
    best = float(max(fine, key=lambda degrees: _sharpness(feet, degrees)))
    return best if abs(best) >= MIN_SKEW else 0.0


def _sharpness(feet: npt.NDArray[np.float64], degrees: float) -> float:
    radians = math.radians(degrees)
    heights = feet[:, 1] * math.cos(radians) - feet[:, 0] * math.sin(radians)
    counts = np.bincount((heights - heights.min()).astype(np.intp))
    # Neighbouring rows count together: noise spreads a line's feet over two or three.
    return float(np.square(np.convolve(counts, (1, 2, 1))).sum())


def turned(image: Image.Image, clockwise: int) -> tuple[Image.Image, Projection]:
    """The image turned by a multiple of 90 degrees, and the way from its pixels back to ``image``'s."""
    width, height = image.size
    back = {
        0: Projection(),
        90: Projection(xx=0, xy=1, x0=0, yx=-1, yy=0, y0=height),
        180: Projection(xx=-1, xy=0, x0=width, yx=0, yy=-1, y0=height),
        270: Projection(xx=0, xy=-1, x0=width, yx=1, yy=0, y0=0),
    }[clockwise]
    return (image.transpose(_TURNS[clockwise]) if clockwise else image), back


def corrected(image: Image.Image, *, rotation: int, skew: float) -> tuple[Image.Image, Projection]:
    """The image turned upright, then straight, and the way back.

    :param rotation: degrees (0, 90, 180, 270), clockwise.
    :param skew: degrees, counter-clockwise.
    """
    upright, to_source = turned(image, rotation)
    straight, to_upright = straightened(upright, skew)
    return straight, to_upright.then(to_source)


def straightened(image: Image.Image, degrees: float) -> tuple[Image.Image, Projection]:
    """The image turned counter-clockwise on a canvas that grows with it, and the way back.

    What the canvas gains at the corners is white.
    """
    if not degrees:
        return image, Projection()
    pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    across, along = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * across + height * along), round(width * along + height * across)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    rotated = cv2.warpAffine(
        pixels,
        matrix,
        size,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(255, 255, 255),
    )
    back = Projection(*(float(value) for value in cv2.invertAffineTransform(matrix).ravel()))
    result = Image.fromarray(rotated)
    if image.mode == "1":
        result = result.point(lambda level: 255 if level >= _GREY_LEVEL else 0).convert("1")
    return result, back
