# SPDX-License-Identifier: Apache-2.0
"""A page's image inside a PDF file, byte for byte as it is stored."""

from __future__ import annotations

import pikepdf

from airflow_provider_ocr.server.stored_image import ImageCoding, StoredImage

_BITS_OF_A_JPEG_COLOUR = 8


def add_image(pdf: pikepdf.Pdf, stored: StoredImage) -> pikepdf.Object:
    """The image with what a reader needs to decode it, as an object of ``pdf``."""
    image = pikepdf.Stream(pdf, stored.read())
    image.Type, image.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    image.Width, image.Height = stored.width, stored.height
    image.ColorSpace = pikepdf.Name.DeviceGray if stored.colours == 1 else pikepdf.Name.DeviceRGB
    match stored.coding:
        case ImageCoding.JPEG:
            image.Filter = pikepdf.Name.DCTDecode
            image.BitsPerComponent = _BITS_OF_A_JPEG_COLOUR
        case ImageCoding.CCITT_G4:
            image.Filter = pikepdf.Name.CCITTFaxDecode
            image.BitsPerComponent = 1
            # A set bit is white for a reader, so an image whose black is meant to be white has it set.
            image.DecodeParms = pikepdf.Dictionary(
                K=-1, Columns=stored.width, Rows=stored.height, BlackIs1=stored.inverted
            )
    return pdf.make_indirect(image)


def show_image(name: str, stored: StoredImage, size: tuple[float, float]) -> str:
    """The operators that show the image, upright, all over a page.

    :param name: what the page's resources call it.
    :param size: the page's width and height, in points.
    """
    width, height = size
    across, down, left, bottom = {
        0: ((width, 0.0), (0.0, height), 0.0, 0.0),
        90: ((0.0, -height), (width, 0.0), 0.0, height),
        180: ((-width, 0.0), (0.0, -height), width, height),
        270: ((0.0, height), (-width, 0.0), width, 0.0),
    }[stored.clockwise]
    if stored.mirrored:
        left, bottom = left + across[0], bottom + across[1]
        across = -across[0], -across[1]
    numbers = " ".join(f"{number:.3f}" for number in (*across, *down, left, bottom))
    return f"q {numbers} cm {name} Do Q"
