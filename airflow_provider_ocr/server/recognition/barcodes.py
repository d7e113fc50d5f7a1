# SPDX-License-Identifier: Apache-2.0
"""Barcodes: found, decoded, and painted over, because the engine reads their bars as letters."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from airflow_provider_ocr.server.document import Barcode, Block, BlockType, Box, enclosing
from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask

_KINDS = {
    zxingcpp.BarcodeFormat.Aztec: "AZTEC",
    zxingcpp.BarcodeFormat.Codabar: "CODABAR",
    zxingcpp.BarcodeFormat.Code128: "CODE128",
    zxingcpp.BarcodeFormat.Code32: "CODE32",
    zxingcpp.BarcodeFormat.Code39: "CODE39",
    zxingcpp.BarcodeFormat.Code93: "CODE93",
    zxingcpp.BarcodeFormat.DataMatrix: "DATAMATRIX",
    zxingcpp.BarcodeFormat.EAN13: "EAN13",
    zxingcpp.BarcodeFormat.EAN8: "EAN8",
    zxingcpp.BarcodeFormat.ITF: "INTERLEAVED25",
    zxingcpp.BarcodeFormat.MaxiCode: "MAXICODE",
    zxingcpp.BarcodeFormat.PDF417: "PDF417",
    zxingcpp.BarcodeFormat.QRCode: "QRCODE",
    zxingcpp.BarcodeFormat.UPCA: "UPCA",
    zxingcpp.BarcodeFormat.UPCE: "UPCE",
}
_UNKNOWN = "Unknown"  # the result XML's word for a type that it has no name for
_GS1_CODE_128 = "]C1"
_FINE_ENOUGH_DPI = 250.0  # below, codes may be too small to read as they are
_MARGIN = 0.03  # inches painted over around a code
_REACH = 0.3  # inches that bars may go on beyond the box that the decoder gives


def find_barcodes(grey: Grey, *, dpi: float) -> list[Block]:
    """Every barcode on the page that decodes, as barcode blocks.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    found = zxingcpp.read_barcodes(grey)
    scale = 1
    if not found and dpi < _FINE_ENOUGH_DPI:
        scale = 2
        enlarged = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        found = zxingcpp.read_barcodes(enlarged)
    return [
        Block(BlockType.BARCODE, _box(code.position, scale), barcode=Barcode(_kind(code), code.text))
        for code in found
    ]


def without_barcodes(grey: Grey, blocks: list[Block], *, dpi: float) -> Grey:
    """The page with white in place of the barcodes of ``blocks``."""
    if not blocks:
        return grey
    clean, margin, reach = grey.copy(), round(_MARGIN * dpi), round(_REACH * dpi)
    for box in (block.box for block in blocks):
        around = _around(clean, box, reach)
        around[_bars(around, box, reach=reach)] = 255
        _around(clean, box, margin)[:] = 255
    return clean


def _around(grey: Grey, box: Box, margin: int) -> Grey:
    """The part of the page within ``margin`` of the box, as a view of it."""
    top, left = max(0, box.top - margin), max(0, box.left - margin)
    return grey[top : box.bottom + margin, left : box.right + margin]


def _bars(around: Grey, box: Box, *, reach: int) -> npt.NDArray[np.bool_]:
    """All ink that is joined to ink within the code: some bars are longer than what the decoder looks at."""
    _, labels = cv2.connectedComponents(ink_mask(around), connectivity=8)
    top, left = min(reach, box.top), min(reach, box.left)
    within = np.unique(labels[top : top + box.height, left : left + box.width])
    joined = np.isin(labels, within[within > 0]).astype(np.uint8)
    return cv2.dilate(joined, np.ones((3, 3), np.uint8)) > 0


def _kind(code: zxingcpp.Barcode) -> str:
    return "UCC128" if code.symbology_identifier == _GS1_CODE_128 else _KINDS.get(code.format, _UNKNOWN)


def _box(position: zxingcpp.Position, scale: int) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    points = np.array([(corner.x, corner.y) for corner in corners]) // scale
    return enclosing([Box(int(x), int(y), int(x) + 1, int(y) + 1) for x, y in points])
