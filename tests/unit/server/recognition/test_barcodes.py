# SPDX-License-Identifier: Apache-2.0
"""Barcodes are decoded, named as the result XML names them, and painted over."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import zxingcpp

from airflow_provider_ocr.server.document import Barcode, BlockType
from airflow_provider_ocr.server.recognition.barcodes import find_barcodes, without_barcodes


def page_with(kind: str, text: str, *, scale: int = 4, degrees: float = 0) -> Any:
    if kind == "MaxiCode":  # its hexagons are drawn twice as large; by its standard it is an inch wide
        scale //= 2
    code = np.asarray(
        zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind)).to_image(scale=scale)
    )
    page = np.full((1000, 1000), 255, np.uint8)
    top, left = 500 - code.shape[0] // 2, 500 - code.shape[1] // 2
    page[top : top + code.shape[0], left : left + code.shape[1]] = code
    matrix = cv2.getRotationMatrix2D((500, 500), degrees, 1)
    return cv2.warpAffine(page, matrix, (1000, 1000), flags=cv2.INTER_CUBIC, borderValue=(255,))


CODES = [
    ("Aztec", "Parcel 42", "AZTEC", "Parcel 42"),
    ("AztecCode", "Parcel 42", "AZTEC", "Parcel 42"),
    ("AztecRune", "115", "AZTEC", "115"),
    ("Codabar", "A12345B", "CODABAR", "A12345B"),
    ("Code128", "ABC-123", "CODE128", "ABC-123"),
    ("Code32", "01234567", "CODE32", "A012345676"),
    ("Code39", "ABC-123", "CODE39", "ABC-123"),
    ("Code39Ext", "abc", "FULLASCII", "abc"),
    ("Code39Std", "ABC-123", "CODE39", "ABC-123"),
    ("Code93", "CODE93", "CODE93", "CODE93"),
    ("CompactPDF417", "some text", "PDF417", "some text"),
    ("DXFilmEdge", "77-2/12A", "Unknown", "77-2/12A"),
    ("DataBar", "0190012345678908", "Unknown", "(01)90012345678908"),
    ("DataBarExp", "[01]90012345678908", "Unknown", "(01)90012345678908"),
    ("DataBarExpStk", "[01]90012345678908[10]ABC123", "Unknown", "(01)90012345678908(10)ABC123"),
    ("DataBarLtd", "012345678901", "Unknown", "(01)00123456789012"),
    ("DataBarOmni", "0190012345678908", "Unknown", "(01)90012345678908"),
    ("DataBarStk", "0190012345678908", "Unknown", "(01)90012345678908"),
    ("DataBarStkOmni", "0190012345678908", "Unknown", "(01)90012345678908"),
    ("DataMatrix", "12345", "DATAMATRIX", "12345"),
    ("EAN13", "4006381333931", "EAN13", "4006381333931"),
    ("EAN8", "96385074", "EAN8", "96385074"),
    ("EANUPC", "4006381333931", "EAN13", "4006381333931"),
    ("ISBN", "9783161484100", "EAN13", "9783161484100"),
    ("ITF", "12345678", "INTERLEAVED25", "12345678"),
    ("ITF14", "01234567890128", "INTERLEAVED25", "01234567890128"),
    ("MaxiCode", "Parcel 42", "MAXICODE", "Parcel 42"),
    ("MicroPDF417", "some text", "PDF417", "some text"),
    ("MicroQRCode", "12345", "QRCODE", "12345"),
    ("PDF417", "some text", "PDF417", "some text"),
    ("PZN", "1234567", "CODE39", "-12345678"),
    ("QRCode", "https://example.org/ä", "QRCODE", "https://example.org/ä"),
    ("QRCodeModel2", "12345", "QRCODE", "12345"),
    ("RMQRCode", "https://example.org/rmqr", "QRCODE", "https://example.org/rmqr"),
    ("Telepen", "HELLO", "Unknown", "HELLO"),
    ("TelepenAlpha", "HELLO", "Unknown", "HELLO"),
    ("TelepenNumeric", "12345", "Unknown", "012345"),
    ("UPCA", "036000291452", "UPCA", "036000291452"),
    ("UPCE", "01234565", "UPCE", "01234565"),
]
QUARTERS = (0, 90, 180, 270)
NAMES = [kind for kind, *_ in CODES]
RIMMED = {"DXFilmEdge", "DataBarExpStk", "DataBarStk", "DataBarStkOmni"}
"""Types of more than one row of bars, of which the decoder shows only where one is."""


def test_every_type_that_can_be_drawn_and_read_is_drawn_and_read_here() -> None:
    drawn, read = (
        set(zxingcpp.barcode_formats_list(getattr(zxingcpp.BarcodeFormat, which)))
        for which in ("AllCreatable", "AllReadable")
    )
    assert {getattr(zxingcpp.BarcodeFormat, kind) for kind in NAMES} == drawn & read


@pytest.mark.parametrize(("kind", "text", "name", "read"), CODES, ids=NAMES)
def test_a_barcode_is_decoded_named_and_painted_over(kind: str, text: str, name: str, read: str) -> None:
    page = page_with(kind, text)
    (block,) = find_barcodes(page, dpi=300)
    assert block.type is BlockType.BARCODE
    assert block.barcode == Barcode(name, read)
    rows, columns = np.nonzero(page < 128)
    assert columns.min() - 8 <= block.box.left < block.box.right <= columns.max() + 8
    assert rows.min() - 8 <= block.box.top < block.box.bottom <= rows.max() + 8
    assert kind in RIMMED or without_barcodes(page, [block], dpi=300).min() == 255


@pytest.mark.parametrize(("kind", "text", "name", "read"), CODES, ids=NAMES)
def test_a_barcode_of_three_pixels_a_module_is_read_once_however_it_lies(
    kind: str, text: str, name: str, read: str
) -> None:
    for number, quarter in enumerate(QUARTERS):
        page = page_with(kind, text, scale=3, degrees=quarter + (-14, -6, 5, 15)[number])
        assert [block.barcode for block in find_barcodes(page, dpi=300)] == [Barcode(name, read)]


@pytest.mark.long
@pytest.mark.parametrize("scale", [3, 4, 6])
@pytest.mark.parametrize(("kind", "text", "name", "read"), CODES, ids=NAMES)
def test_a_barcode_is_read_once_within_fifteen_degrees_of_each_quarter_turn(
    kind: str, text: str, name: str, read: str, scale: int
) -> None:
    for degrees in (quarter + off for quarter in QUARTERS for off in range(-15, 16, 3)):
        page = page_with(kind, text, scale=scale, degrees=degrees)
        assert [block.barcode for block in find_barcodes(page, dpi=300)] == [Barcode(name, read)], degrees


@pytest.mark.parametrize("scale", [3, pytest.param(4, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "text", ["7", "12345", "ABC-123/45 X", "98765432109876543210987654321098765432109876", "parcel " * 9]
)
def test_an_rmqr_code_of_any_size_is_read_once_however_it_lies(text: str, scale: int) -> None:
    for number, quarter in enumerate(QUARTERS):
        for degrees in (quarter + off + number for off in range(-15, 13, 4)):
            page = page_with("RMQRCode", text, scale=scale, degrees=degrees)
            assert [block.barcode for block in find_barcodes(page, dpi=300)] == [Barcode("QRCODE", text)]


def test_lines_of_small_print_are_no_barcodes() -> None:
    page = np.full((1000, 1000), 255, np.uint8)
    for line in range(8):
        for size, left in ((0.5, 20), (0.7, 400)):
            text, place = "ILLUMINATION III 1101", (left, 60 + 120 * line)
            cv2.putText(page, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, (0,), 2 + line % 2)
    assert find_barcodes(page, dpi=150) == []


def test_two_codes_beside_each_other_are_two() -> None:
    page = np.hstack((page_with("Code128", "FIRST-1"), page_with("Code128", "OTHER-2", degrees=4)))
    texts = {block.barcode.text for block in find_barcodes(page, dpi=300) if block.barcode}
    assert texts == {"FIRST-1", "OTHER-2"}


def test_a_small_code_of_a_coarse_scan_is_found_enlarged() -> None:
    page = page_with("QRCode", "https://example.org", scale=2)[::1, ::1]
    (block,) = find_barcodes(page, dpi=100)
    assert block.barcode is not None
    assert block.barcode.text == "https://example.org"


def test_a_page_without_barcodes_is_left_as_it_is() -> None:
    page = np.full((300, 300), 255, np.uint8)
    assert find_barcodes(page, dpi=300) == []
    assert without_barcodes(page, [], dpi=300) is page
