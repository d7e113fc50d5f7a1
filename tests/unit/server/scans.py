# SPDX-License-Identifier: Apache-2.0
"""Small images with known text, as bytes: a page of them is recognised in a twentieth of a second."""

from __future__ import annotations

import io

import pikepdf
from PIL import Image, ImageDraw, ImageFont

_DPI = 300


def png(text: str = "Harbour office") -> bytes:
    """A page."""
    return _written(_page(text), "PNG")


def large_png() -> bytes:
    """A white page as large as four of A4 size."""
    return _written(Image.new("1", (16 * _DPI + 100, 24 * _DPI + 200), 1), "PNG")


def tiff(*texts: str) -> bytes:
    """A document with these pages."""
    first, *others = map(_page, texts)
    return _written(first, "TIFF", save_all=True, append_images=others)


def pdf(text: str = "Harbour office", *, password: str = "", printable: bool = True) -> bytes:
    """A document of one page.

    :param password: what it takes to open it.
    :param printable: whether it may be printed by whoever does not own it.
    """
    plain = io.BytesIO()
    _page(text).save(plain, "PDF", resolution=_DPI)
    permissions = pikepdf.Permissions(print_lowres=printable, print_highres=printable)
    encryption = pikepdf.Encryption(user=password, owner="only the owner", allow=permissions)
    written = io.BytesIO()
    with pikepdf.open(plain) as document:
        document.save(written, encryption=encryption if password or not printable else False)
    return written.getvalue()


def _page(text: str) -> Image.Image:
    image = Image.new("L", (460, 140), 255)
    ImageDraw.Draw(image).text((30, 40), text, font=ImageFont.load_default(size=44), fill=0)
    return image


def _written(image: Image.Image, kind: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, dpi=(_DPI, _DPI), **options)
    return written.getvalue()
