# SPDX-License-Identifier: Apache-2.0
"""A page's image file inside a PDF file, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pikepdf
from PIL import Image
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, STRIPBYTECOUNTS, STRIPOFFSETS

from airflow_provider_ocr.server.document import Page

_WHITE_IS_ZERO = 0  # the value of TIFF's PhotometricInterpretation


def add_page_image(pdf: pikepdf.Pdf, page: Page) -> pikepdf.Object:
    """The page's image file as it is, with what a reader needs to decode it, as an object of ``pdf``.

    :raises ValueError: if the page has no image.
    """
    if page.image is None:
        raise ValueError(f"page {page.number} has no image, which a searchable PDF file shows")
    with Image.open(page.image) as image:
        described = {
            "Type": pikepdf.Name.XObject,
            "Subtype": pikepdf.Name.Image,
            "Width": image.width,
            "Height": image.height,
            "BitsPerComponent": 1 if image.mode == "1" else 8,
            "ColorSpace": pikepdf.Name.DeviceRGB if image.mode == "RGB" else pikepdf.Name.DeviceGray,
        }
        if image.format == "TIFF":
            data = _strip(image, page.image)
            described |= {"Filter": pikepdf.Name.CCITTFaxDecode, "DecodeParms": _fax(image)}
        else:
            data = page.image.read_bytes()
            described["Filter"] = pikepdf.Name.DCTDecode
    stream = pikepdf.Stream(pdf, data)
    for key, value in described.items():
        stream[f"/{key}"] = value
    return pdf.make_indirect(stream)


def _strip(image: Image.Image, path: Path) -> bytes:
    tags = image.tag_v2  # type: ignore[attr-defined]  # only a TIFF image has tags
    (offset,), (length,) = tags[STRIPOFFSETS], tags[STRIPBYTECOUNTS]
    return path.read_bytes()[offset : offset + length]


def _fax(image: Image.Image) -> pikepdf.Dictionary:
    white_is_zero = image.tag_v2[PHOTOMETRIC_INTERPRETATION] == _WHITE_IS_ZERO  # type: ignore[attr-defined]  # only a TIFF image has tags
    return pikepdf.Dictionary(K=-1, Columns=image.width, Rows=image.height, BlackIs1=not white_is_zero)
