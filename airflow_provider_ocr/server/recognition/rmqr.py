# SPDX-License-Identifier: Apache-2.0
"""rMQR codes, module by module: their modules are counted off between the corners, and drawn anew.

The decoder loses its way along so long and low a code unless its modules are large or run quite level.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from airflow_provider_ocr.server.document import Projection
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.view import View

_RMQR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.RMQRCode])
_WIDTHS = (27, 43, 59, 77, 99, 139)  # modules
_HEIGHTS = (7, 9, 11, 13, 15, 17)
_NARROW = (27, (11, 13))  # modules: the one width that has not every height
_SAME_SHAPE = 0.08  # of the ratio of width to height, by which two neighbouring sizes differ more
_MODULE = 4  # pixels, in the code drawn anew
_QUIET = 4  # modules of paper around it

Corners = npt.NDArray[np.float64]


def read_rmqr(seen: Grey) -> tuple[list[zxingcpp.Barcode], Projection]:
    """The rMQR code that the ink is, if it is one, and the way from where it was read back to ``seen``.

    :param seen: a picture of nothing but the code, which may lie a little askew, or upside down.
    """
    for corners, columns, rows in _guesses(seen):
        grid = _grid(corners, columns, rows)
        modules = cv2.threshold(
            View(columns, rows, grid).resampled(seen), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
        )[1]
        framed = np.pad(modules, _QUIET, constant_values=255)
        drawn = cv2.resize(framed, None, fx=_MODULE, fy=_MODULE, interpolation=cv2.INTER_NEAREST)
        codes = zxingcpp.read_barcodes(drawn, formats=_RMQR, is_pure=True)
        if any(code.valid for code in codes):
            to_modules = Projection(xx=1 / _MODULE, x0=-_QUIET, yy=1 / _MODULE, y0=-_QUIET)
            return codes, to_modules.then(grid)
    return [], Projection()


def _guesses(seen: Grey) -> Iterator[tuple[Corners, int, int]]:
    """Upper left, upper right and lower left corner, columns and rows of what the ink may be."""
    _, ink = cv2.threshold(seen, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    dark = cv2.findNonZero(ink)
    if dark is None:
        return
    middle, (across, along), degrees = cv2.minAreaRect(dark)
    # The rectangle goes through the middles of the pixels: there is half of one around it.
    outer = cv2.boxPoints((middle, (across + 1, along + 1), degrees)).astype(np.float64) + 0.5
    first, second, third, _ = outer
    if np.linalg.norm(second - first) < np.linalg.norm(third - second):
        outer = np.roll(outer, -1, axis=0)
    width, height = np.linalg.norm(outer[1] - outer[0]), np.linalg.norm(outer[2] - outer[1])
    for columns, rows in _sizes():
        if abs(width * rows / (height * columns) - 1) <= _SAME_SHAPE:
            yield outer[[0, 1, 3]], columns, rows
            yield outer[[2, 3, 1]], columns, rows


def _sizes() -> Iterator[tuple[int, int]]:
    for columns in _WIDTHS:
        for rows in _HEIGHTS:
            if columns != _NARROW[0] or rows in _NARROW[1]:
                yield columns, rows


def _grid(corners: Corners, columns: int, rows: int) -> Projection:
    """From modules to pixels."""
    start, right, down = corners
    (xx, yx), (xy, yy) = (right - start) / columns, (down - start) / rows
    return Projection(
        xx=float(xx),
        xy=float(xy),
        x0=float(start[0]),
        yx=float(yx),
        yy=float(yy),
        y0=float(start[1]),
    )
