# SPDX-License-Identifier: Apache-2.0
"""Barcodes are decoded, named as the result XML names them, and painted over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import zxingcpp

from airflow_provider_ocr.server.document import BlockType
from airflow_provider_ocr.server.recognition.barcodes import find_barcodes, without_barcodes


def page_with(kind: str, text: str, *, scale: int = 4) -> Any:
    code = np.asarray(
        zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind)).to_image(scale=scale)
    )
    page = np.full((700, 1000), 255, np.uint8)
    page[200 : 200 + code.shape[0], 300 : 300 + code.shape[1]] = code
    return page


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        ("QRCode", "https://example.org/ä", "QRCODE"),
        ("Code128", "ABC-123", "CODE128"),
        ("EAN13", "4006381333931", "EAN13"),
        ("ITF", "12345678", "INTERLEAVED25"),
        ("PDF417", "some text", "PDF417"),
        ("DataMatrix", "12345", "DATAMATRIX"),
    ],
)
def test_a_barcode_is_decoded_named_and_painted_over(kind: str, text: str, name: str) -> None:
    page = page_with(kind, text)
    (block,) = find_barcodes(page, dpi=300)
    assert block.type is BlockType.BARCODE
    assert block.barcode is not None
    assert (block.barcode.kind, block.barcode.text) == (name, text)
    assert 300 <= block.box.left < 400
    assert 200 <= block.box.top < 300
    assert without_barcodes(page, [block], dpi=300).min() == 255


def test_a_small_code_of_a_coarse_scan_is_found_enlarged() -> None:
    page = page_with("QRCode", "https://example.org", scale=2)[::1, ::1]
    (block,) = find_barcodes(page, dpi=100)
    assert block.barcode is not None
    assert block.barcode.text == "https://example.org"


def test_a_page_without_barcodes_is_left_as_it_is() -> None:
    page = np.full((300, 300), 255, np.uint8)
    assert find_barcodes(page, dpi=300) == []
    assert without_barcodes(page, [], dpi=300) is page
