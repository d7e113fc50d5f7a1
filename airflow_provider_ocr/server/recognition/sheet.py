# SPDX-License-Identifier: Apache-2.0
"""The sheet of paper on a photo: its corners, found by its edges, and how it looks from straight above.

A sheet is light, has four straight edges, and lies on something darker. Where one of its edges cannot be
seen, because it lies outside of the photo or on something as light, no sheet is found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from airflow_provider_ocr.server.document import Projection
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.view import View

Corners = npt.NDArray[np.float64]
"""x and y of the upper left, upper right, lower right and lower left corner of a sheet, in pixels."""

_Vector = npt.NDArray[np.float64]

_CORNERS = 4
_SEARCH_SIDE = 800  # pixels: a sheet's edges are seen, letters hardly
_LETTERS = 1 / 50  # of that side; what is smaller is no sheet
_LEVELS = (0.2, 0.35, 0.5, 0.65, 0.8)  # where between the darkest and the lightest ground paper may begin
_SMALLEST = 0.2  # of the photo; a smaller sheet is not what it was taken of
_STEP = 10.0  # levels that paper is lighter than what it lies on
_BESIDE = 4  # pixels between two places on either side of an edge
_REACH = 8  # pixels that an edge may be off the outline
_PLACES, _FEWEST_PLACES = 100, 20  # at which an edge is looked at, and must be clear to be fitted
_SEEN = 0.75  # of the edge that is seen least
_SHARPEST, _BLUNTEST = 50.0, 130.0  # degrees of a corner
_STRAIGHT_DOWN = 1.5  # degrees that a corner may differ from a right angle on a scan
_BEYOND = 0.1  # of the photo's longest side: where a corner that it does not show may be
_FOCAL_LENGTHS, _USUAL_FOCAL_LENGTH = (0.5, 3.0), 0.8  # of that side; the usual one is a telephone's
_SAME_PROPORTIONS = 1.5  # between those that the perspective tells and those of the outline


def find_sheet(image: Image.Image) -> Corners | None:
    """The corners of the sheet that an image shows with something else around it, or None.

    :param image: mode ``L`` or ``RGB``. What is black and white is no photo, and has no sheet.
    """
    if image.mode == "1":
        return None
    scale = min(1.0, _SEARCH_SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = np.asarray(image.resize(size, Image.Resampling.BOX, reducing_gap=2.0))
    if not _lies_on_something_darker(small):
        return None
    side = round(_LETTERS * max(size)) | 1
    ground = cv2.medianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)), 5)
    colours = ground.astype(np.uint8, copy=False).reshape(*small.shape[:2], -1)
    # Paper has much of all colours, so the faintest one tells it best from a table's wood.
    channels: tuple[Grey, ...] = (colours.min(axis=2), colours.max(axis=2))
    found = [
        (_seen(channel, corners), corners)
        for channel in channels
        for outline in _outlines(channel)
        if _is_sheet(corners := _fitted(channel, outline), *size)
    ]
    seen, best = max(found, key=lambda one: one[0], default=(0.0, None))
    if best is None or seen < _SEEN:
        return None
    enlarged: Corners = best * (np.array(image.size) / np.array(size))
    return enlarged


def is_tilted(corners: Corners) -> bool:
    """Whether a sheet with these corners was not seen from straight above."""
    return max(abs(angle - 90) for angle in _angles(corners)) > _STRAIGHT_DOWN


def flat_view(corners: Corners, width: int, height: int) -> View:
    """The sheet seen from straight above, as large as where it is largest on the photo.

    :param corners: of the sheet.
    :param width: pixels of the photo.
    :param height: pixels of the photo.
    """
    upper, right, lower, left = (
        _length(corners[(place + 1) % _CORNERS] - corners[place]) for place in range(_CORNERS)
    )
    across, down = max(upper, lower), max(left, right)
    told = _proportions(corners, width, height) / (across / down)
    if 1 / _SAME_PROPORTIONS < told < _SAME_PROPORTIONS:
        across, down = across * max(1.0, told), down * max(1.0, 1 / told)
    size = round(across), round(down)
    flat = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    return View(*size, Projection(*(float(value) for value in matrix.ravel()[:8])))


def _lies_on_something_darker(small: Grey) -> bool:
    """Whether the border of the image differs from what is lightest on it; that of most scans does not."""
    faintest = small.reshape(*small.shape[:2], -1).min(axis=2)
    border = np.concatenate([faintest[0], faintest[-1], faintest[:, 0], faintest[:, -1]])
    return bool(np.median(border) <= np.percentile(faintest, 90) - _STEP)


def _outlines(ground: Grey) -> Iterator[Corners]:
    """Quadrilaterals around what is light and large."""
    darkest, lightest = np.percentile(ground, (2, 98))
    for level in _LEVELS:
        light = (ground > darkest + level * (lightest - darkest)).astype(np.uint8)
        light = cv2.morphologyEx(light, cv2.MORPH_OPEN, np.ones((_BESIDE, _BESIDE), np.uint8))
        shapes, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for shape in shapes:
            if cv2.contourArea(shape) >= _SMALLEST * ground.size:
                outline = cv2.approxPolyN(shape, _CORNERS).reshape(-1, 2).astype(np.float64)
                if len(outline) == _CORNERS:
                    yield _in_order(outline)


def _fitted(ground: Grey, outline: Corners) -> Corners:
    """The outline with its sides where the ground changes most; not numbers where two of them do not meet."""
    lines = [_edge(ground, outline[place - 1], outline[place]) for place in range(_CORNERS)]
    met = np.array(
        [np.cross(line, following) for line, following in zip(lines, lines[1:] + lines[:1], strict=True)]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        corners: Corners = met[:, :2] / met[:, 2:]
    return corners


def _edge(ground: Grey, start: _Vector, end: _Vector) -> _Vector:
    """The line, in homogeneous coordinates, through the steepest places near an outline's side."""
    places, outward = _along(start, end), _outward(start, end)
    offsets = np.arange(-_REACH, _REACH + 1)
    levels = _levels(ground, places[:, None] + offsets[:, None] * outward)
    steep = levels[:, :-_BESIDE] - levels[:, _BESIDE:]
    clear = steep.max(axis=1) >= _STEP
    if np.count_nonzero(clear) < _FEWEST_PLACES:
        return np.cross([*start, 1.0], [*end, 1.0])
    middles = steep.argmax(axis=1) + _BESIDE / 2 - _REACH
    points = (places + middles[:, None] * outward)[clear].astype(np.float32)
    across, down, x, y = cv2.fitLine(points, cv2.DIST_HUBER, 0, 0.01, 0.01).ravel().tolist()
    return np.cross([x, y, 1.0], [x + across, y + down, 1.0])


def _seen(ground: Grey, corners: Corners) -> float:
    """The share of the least seen edge along which the sheet is lighter than what is beside it."""
    shares = []
    for place in range(_CORNERS):
        places = _along(corners[place - 1], corners[place])
        beside = _BESIDE * _outward(corners[place - 1], corners[place])
        steps = _levels(ground, places - beside) - _levels(ground, places + beside)
        shares.append(float(np.mean(steps >= _STEP)))
    return min(shares)


def _is_sheet(corners: Corners, width: int, height: int) -> bool:
    beyond = _BEYOND * max(width, height)
    within = (corners > -beyond) & (corners < np.array([width, height]) + beyond)  # not where not numbers
    return bool(within.all()) and all(_SHARPEST < angle < _BLUNTEST for angle in _angles(corners))


def _angles(corners: Corners) -> list[float]:
    """Degrees at each corner."""
    angles = []
    for place in range(_CORNERS):
        back, onward = corners[place - 1] - corners[place], corners[(place + 1) % _CORNERS] - corners[place]
        cosine = float(back @ onward) / max(_length(back) * _length(onward), 1e-9)
        angles.append(math.degrees(math.acos(max(-1.0, min(1.0, cosine)))))
    return angles


def _in_order(corners: Corners) -> Corners:
    """The corners clockwise from the upper left one, which is the nearest to the image's."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(*(corners - middle).T[::-1]))]
    return np.roll(around, -int(around.sum(axis=1).argmin()), axis=0)


def _along(start: _Vector, end: _Vector) -> _Vector:
    """Places on an edge, its ends left out, where corners may be bent."""
    shares = np.linspace(0.03, 0.97, _PLACES)[:, None]
    return start + shares * (end - start)


def _outward(start: _Vector, end: _Vector) -> _Vector:
    """One pixel away from a sheet whose edges go around it clockwise."""
    across, down = (end - start) / max(_length(end - start), 1e-9)
    return np.array([down, -across])


def _levels(ground: Grey, places: _Vector) -> _Vector:
    """What is at the places; beyond the image, what is at its border."""
    height, width = ground.shape
    columns = np.clip(np.rint(places[..., 0]), 0, width - 1).astype(np.intp)
    rows = np.clip(np.rint(places[..., 1]), 0, height - 1).astype(np.intp)
    return ground[rows, columns].astype(np.float64)


def _proportions(corners: Corners, width: int, height: int) -> float:
    """Width by height of the sheet, seen by a camera that looked at the photo's middle."""
    m1, m2, m4, m3 = (np.array([x, y, 1.0]) for x, y in corners - np.array([width / 2, height / 2]))
    across = np.cross(m1, m4) @ m3 / (np.cross(m2, m4) @ m3) * m2 - m1
    down = np.cross(m1, m4) @ m2 / (np.cross(m3, m4) @ m2) * m3 - m1
    # The sheet's right angles tell the focal length, unless it is tilted in one direction only.
    told = -float(across[:2] @ down[:2]) / (float(across[2] * down[2]) or math.inf)
    longest = max(width, height)
    believable = (_FOCAL_LENGTHS[0] * longest) ** 2 < told < (_FOCAL_LENGTHS[1] * longest) ** 2
    depth = np.array([1.0, 1.0, math.sqrt(told) if believable else _USUAL_FOCAL_LENGTH * longest])
    return _length(across * depth) / _length(down * depth)


def _length(vector: _Vector) -> float:
    return math.hypot(*vector)
