# SPDX-License-Identifier: Apache-2.0
"""Ruled lines, found and erased before recognition: beside one the engine loses letters without saying so.

A ruled line is thin, dark, longer than any letter's stroke, and has paper on both sides: bands of dark ground
between light letters stay. It is as dark all along: the letters of a coarse scan run into one another, but
what joins them is paler than they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from airflow_provider_ocr.server.document import Box
from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask

_SHORTEST = 0.4  # inches; strokes of letters up to some 40 points are shorter
_THICKEST = 0.05  # inches
_LONG_FOR_ITS_WIDTH = 20  # times; letters' strokes are stouter
_MOST_INK_AROUND = 0.5  # share; a dark band with more of it around is ground between light letters
_LONGER_THAN_WORDS = 2.0  # inches
_MOST_UNEVEN = 0.15  # of its contrast; measured: rules up to 0.07, words from 0.20 on
_HALO = 2  # pixels of grey that scanning leaves on either side of a line


@dataclass(frozen=True, slots=True)
class Unruled:
    """A page without its ruled lines, and where they were."""

    grey: Grey
    rules: tuple[Box, ...]


def without_rules(grey: Grey, *, dpi: float) -> Unruled:
    """Erase ruled lines; strokes of letters that cross one stay.

    :param grey: the straight page, 0 is black.
    :param dpi: its pixels per inch.
    """
    ink = ink_mask(grey)
    level, level_rules = _rules(grey, ink, dpi=dpi)
    upright, upright_rules = _rules(grey.T, np.ascontiguousarray(ink.T), dpi=dpi)
    rules = [*level_rules, *(Box(box.top, box.left, box.bottom, box.right) for box in upright_rules)]
    if not rules:
        return Unruled(grey, ())
    thickest = round(_THICKEST * dpi)
    level_wide, upright_wide = _widened(level), np.ascontiguousarray(_widened(upright).T)
    del level, upright
    letters = ink & ~(level_wide | upright_wide)
    crossing = _bridged(letters, height=thickest) & level_wide
    # Each mask of a large page is 40 MB: none is kept for longer than it is needed.
    letters = _bridged(np.ascontiguousarray(letters.T), height=thickest)
    letters = np.ascontiguousarray(letters.T)
    crossing |= np.bitwise_and(letters, upright_wide, out=letters)
    del letters
    erased = (level_wide | upright_wide) & ~(crossing & ink)
    del crossing, level_wide, upright_wide
    paper = int(np.median(grey[::2, ::2][ink[::2, ::2] == 0]))
    return Unruled(np.where(erased > 0, np.uint8(paper), grey), tuple(rules))


def _rules(grey: Grey, ink: Grey, *, dpi: float) -> tuple[Grey, list[Box]]:
    """The level rules of a page: their pixels, and their boxes."""
    shortest = round(_SHORTEST * dpi) | 1  # an even one would move what it finds by a pixel
    runs = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, shortest), np.uint8))
    rules, boxes = np.zeros_like(ink), []
    # Outlines, and not labels: these take four bytes for each pixel of the page.
    for outline in cv2.findContours(runs, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
        left, top, width, height = cv2.boundingRect(outline)
        box = Box(left, top, left + width, top + height)
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, [outline], -1, 255, cv2.FILLED, offset=(-left, -top))
        run = cv2.bitwise_and(inside, runs[box.top : box.bottom, box.left : box.right])
        area = int(np.count_nonzero(run))
        thickness = area / width
        thin = thickness <= _THICKEST * dpi and width >= _LONG_FOR_ITS_WIDTH * thickness
        margin = round(_THICKEST * dpi)
        if thin and _on_paper(ink, box, area=area, margin=margin) and _is_even(grey, box, dpi=dpi):
            rules[box.top : box.bottom, box.left : box.right][run > 0] = 255
            boxes.append(box)
    return rules, boxes


def _on_paper(ink: Grey, box: Box, *, area: int, margin: int) -> bool:
    """Whether there is more paper than ink above and below the level rule."""
    around = ink[max(0, box.top - margin) : box.bottom + margin, box.left : box.right]
    return bool(np.count_nonzero(around) - area <= _MOST_INK_AROUND * (around.size - area))


def _is_even(grey: Grey, box: Box, *, dpi: float) -> bool:
    """Whether a level rule is as dark all along, where it is short enough to be a word."""
    if box.width >= _LONGER_THAN_WORDS * dpi:
        return True
    darkness = grey[box.top : box.bottom, box.left : box.right].min(axis=0)
    dark, middle, pale = np.percentile(darkness, (25, 50, 75))
    around = grey[max(0, box.top - box.width // 2) : box.bottom + box.width // 2, box.left : box.right]
    return bool(pale - dark <= _MOST_UNEVEN * max(1.0, float(np.percentile(around, 90)) - middle))


def _widened(level: Grey) -> Grey:
    kernel = np.ones((2 * _HALO + 1, 2 * _HALO + 1), np.uint8)
    return cv2.dilate(level, kernel).astype(np.uint8, copy=False)


def _bridged(letters: Grey, *, height: int) -> Grey:
    """Ink that a level rule may have cut: the gaps between ink above and ink below it, filled."""
    kernel = np.ones((height + 2 * _HALO + 1, 1), np.uint8)
    return cv2.morphologyEx(letters, cv2.MORPH_CLOSE, kernel).astype(np.uint8, copy=False)
