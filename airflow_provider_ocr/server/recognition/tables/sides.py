# SPDX-License-Identifier: Apache-2.0
"""The short ruled lines of a grid, erased: those that are a row high or a column wide, and no longer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask
from airflow_provider_ocr.server.recognition.tables.grids import Grid

_RULED = 0.6  # share of a side that is ink where a line is left; letters that touch it have less
_HALO = 2  # pixels of grey that scanning leaves on either side of a line


def without_sides(grey: Grey, grids: Sequence[Grid]) -> Grey:
    """The page without what is left of ruled lines between the cells of ``grids``.

    :param grey: the page without its longer ruled lines, 0 is black.
    """
    if not grids:
        return grey
    clean, ink = grey.copy(), ink_mask(grey)
    for side in (side for grid in grids for side in grid.sides):
        part = slice(side.top, side.bottom), slice(side.left, side.right)
        upright = side.height > side.width
        lines = np.flatnonzero((ink[part] > 0).mean(axis=0 if upright else 1) >= _RULED)
        if len(lines):
            ruled = slice(max(0, int(lines[0]) - _HALO), int(lines[-1]) + _HALO + 1)
            clean[part][(slice(None), ruled) if upright else ruled] = 255
    return clean
