# SPDX-License-Identifier: Apache-2.0
"""The types of barcodes, in the service's two vocabularies."""

from __future__ import annotations

from enum import StrEnum


class BarcodeType(StrEnum):
    """A type of barcode; the values are those of ``barcodeInfo`` in the result XML."""

    AZTEC = "AZTEC"
    CODABAR = "CODABAR"
    CODE_32 = "CODE32"
    CODE_39 = "CODE39"
    CODE_39_FULL_ASCII = "FULLASCII"
    CODE_93 = "CODE93"
    CODE_128 = "CODE128"
    DATA_MATRIX = "DATAMATRIX"
    EAN_8 = "EAN8"
    EAN_13 = "EAN13"
    INTERLEAVED_25 = "INTERLEAVED25"
    MAXICODE = "MAXICODE"
    PDF_417 = "PDF417"
    QR_CODE = "QRCODE"
    UCC_128 = "UCC128"
    UPC_A = "UPCA"
    UPC_E = "UPCE"
    UNKNOWN = "Unknown"
    """All that the result XML has no name for."""

    @property
    def parameter(self) -> str | None:
        """What the type is called in parameters of the API; None where they cannot ask for it."""
        return _PARAMETERS.get(self)


_PARAMETERS = {
    BarcodeType.AZTEC: "aztec",
    BarcodeType.CODABAR: "codabar",
    BarcodeType.CODE_39: "code39",
    BarcodeType.CODE_93: "code93",
    BarcodeType.CODE_128: "code128",
    BarcodeType.DATA_MATRIX: "dataMatrix",
    BarcodeType.EAN_8: "ean8",
    BarcodeType.EAN_13: "ean13",
    BarcodeType.INTERLEAVED_25: "interleaved25",
    BarcodeType.PDF_417: "pdf417",
    BarcodeType.QR_CODE: "qrCode",
    BarcodeType.UCC_128: "ucc128",
    BarcodeType.UPC_A: "upca",
    BarcodeType.UPC_E: "upce",
}
