# SPDX-License-Identifier: Apache-2.0
"""A picture of a page inside a PDF file."""

from __future__ import annotations

import io

import pikepdf
from PIL import Image

from airflow_provider_ocr.server.export.pictures import Picture

_COLOUR_SPACES = {"1": pikepdf.Name.DeviceGray, "L": pikepdf.Name.DeviceGray}


def add_picture(pdf: pikepdf.Pdf, picture: Picture) -> pikepdf.Object:
    """The picture as an object of ``pdf``; a JPEG stays as it is."""
    with Image.open(io.BytesIO(picture.data)) as opened:
        mode, jpeg = opened.mode, opened.format == "JPEG"
        image = pdf.make_stream(picture.data if jpeg else opened.tobytes())
    if jpeg:
        image.Filter = pikepdf.Name.DCTDecode
    image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    image.Width, image.Height = picture.width, picture.height
    image.ColorSpace = _COLOUR_SPACES.get(mode, pikepdf.Name.DeviceRGB)
    image.BitsPerComponent = 1 if mode == "1" else 8
    return pdf.make_indirect(image)
