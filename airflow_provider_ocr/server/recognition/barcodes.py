# SPDX-License-Identifier: Apache-2.0
"""Barcodes: found, decoded, and painted over, because the engine reads their bars as letters."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from airflow_provider_ocr.protocol.barcodes import BarcodeType
from airflow_provider_ocr.server.document import Barcode, Block, BlockType, Box, Projection, enclosing
from airflow_provider_ocr.server.recognition.barcode_areas import dense_areas, read_area
from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask

_TYPES = {
    zxingcpp.BarcodeFormat.Code32: BarcodeType.CODE_32,
    zxingcpp.BarcodeFormat.Code39Ext: BarcodeType.CODE_39_FULL_ASCII,
    zxingcpp.BarcodeFormat.EAN13: BarcodeType.EAN_13,
    zxingcpp.BarcodeFormat.EAN8: BarcodeType.EAN_8,
    zxingcpp.BarcodeFormat.UPCA: BarcodeType.UPC_A,
    zxingcpp.BarcodeFormat.UPCE: BarcodeType.UPC_E,
}
_FAMILIES = {
    zxingcpp.BarcodeFormat.Aztec: BarcodeType.AZTEC,
    zxingcpp.BarcodeFormat.Codabar: BarcodeType.CODABAR,
    zxingcpp.BarcodeFormat.Code128: BarcodeType.CODE_128,
    zxingcpp.BarcodeFormat.Code39: BarcodeType.CODE_39,
    zxingcpp.BarcodeFormat.Code93: BarcodeType.CODE_93,
    zxingcpp.BarcodeFormat.DataMatrix: BarcodeType.DATA_MATRIX,
    zxingcpp.BarcodeFormat.EANUPC: BarcodeType.EAN_13,
    zxingcpp.BarcodeFormat.ITF: BarcodeType.INTERLEAVED_25,
    zxingcpp.BarcodeFormat.MaxiCode: BarcodeType.MAXICODE,
    zxingcpp.BarcodeFormat.PDF417: BarcodeType.PDF_417,
    zxingcpp.BarcodeFormat.QRCode: BarcodeType.QR_CODE,
}
_GS1_CODE_128 = "]C1"
_FINE_ENOUGH_DPI = 250.0  # below, codes may be too small to read as they are
_MARGIN = 0.03  # inches painted over around a code
_SAME_BARS = 0.3  # of a code's length: what is read so close to it, and is part of it, are its own bars
_SURER_LEVEL = frozenset({BarcodeType.PDF_417})
"""Of which the decoder, where they lie askew, may take rows of modules for other ones."""
_REACH = 0.5  # inches that bars may go on beyond the box that the decoder gives


def find_barcodes(grey: Grey, *, dpi: float) -> list[Block]:
    """Every barcode on the page that decodes, as barcode blocks.

    :param grey: the page, 0 is black.
    :param dpi: its pixels per inch.
    """
    found = _blocks(zxingcpp.read_barcodes(grey), Projection())
    if not found and dpi < _FINE_ENOUGH_DPI:
        enlarged = cv2.resize(grey, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        found = _blocks(zxingcpp.read_barcodes(enlarged), Projection(xx=0.5, yy=0.5))
    for area in dense_areas(grey):
        there = [block for block in found if _meet(area.box, block.box)]
        if all(_barcode(block).kind in _SURER_LEVEL for block in there):
            level = _blocks(*read_area(grey, area))
            found = [block for block in found if not level or block not in there] + level
    return _each_once(found)


def _blocks(codes: list[zxingcpp.Barcode], back: Projection) -> list[Block]:
    """The codes as blocks.

    :param back: from where they were read to the page.
    """
    return [
        Block(BlockType.BARCODE, back.box(_box(code.position)), barcode=Barcode(_type(code), _text(code)))
        for code in codes
        if code.valid
    ]


def _each_once(blocks: list[Block]) -> list[Block]:
    """The blocks without those that show a code for the second time, or only a part of it."""
    kept: list[Block] = []
    for block in sorted(blocks, key=lambda one: len(_barcode(one).text), reverse=True):
        if not any(_is_part(block, other) for other in kept):
            kept.append(block)
    return [block for block in blocks if block in kept]


def _is_part(block: Block, whole: Block) -> bool:
    """Whether a code is another one, or of bars of which the decoder has left out the first or last."""
    if _meet(block.box, whole.box):
        return True
    one, other = _barcode(block), _barcode(whole)
    # Of bars the decoder tells the row that it has read, and may read another one.
    reach = round(_SAME_BARS * max(whole.box.width, whole.box.height))
    left, top, right, bottom = whole.box
    around = Box(left - reach, top - reach, right + reach, bottom + reach)
    return one.kind == other.kind and one.text in other.text and _meet(block.box, around)


def _barcode(block: Block) -> Barcode:
    if block.barcode is None:
        raise ValueError("the block is no barcode")
    return block.barcode


def _meet(one: Box, other: Box) -> bool:
    across = max(one.left, other.left) < min(one.right, other.right)
    return across and max(one.top, other.top) < min(one.bottom, other.bottom)


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


def _type(code: zxingcpp.Barcode) -> BarcodeType:
    if code.symbology_identifier == _GS1_CODE_128:
        return BarcodeType.UCC_128
    if _is_upc_a(code):
        return BarcodeType.UPC_A
    return _TYPES.get(code.format) or _FAMILIES.get(code.symbology, BarcodeType.UNKNOWN)


def _text(code: zxingcpp.Barcode) -> str:
    """What the code says, as it is printed below it."""
    if code.format == zxingcpp.BarcodeFormat.UPCE:
        return str(
            cast("dict[str, str]", code.extra)["UPCE"]
        )  # the decoder shows the EAN-13 that it stands for
    return str(code.text[1:] if _is_upc_a(code) else code.text)


def _is_upc_a(code: zxingcpp.Barcode) -> bool:
    """Whether it is an EAN-13 that starts with 0, which is how the decoder shows a UPC-A."""
    return code.format == zxingcpp.BarcodeFormat.EAN13 and code.text.startswith("0")


def _box(position: zxingcpp.Position) -> Box:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    return enclosing([Box(corner.x, corner.y, corner.x + 1, corner.y + 1) for corner in corners])
