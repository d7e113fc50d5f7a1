# SPDX-License-Identifier: Apache-2.0
"""Image files: JPEG, PNG, TIFF, BMP and GIF. Sizes are checked before anything is decoded."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from airflow_provider_ocr.server.recognition.errors import RecognitionError
from airflow_provider_ocr.server.recognition.limits import MAX_PAGES
from airflow_provider_ocr.server.recognition.page_image import (
    MAX_PIXELS,
    PageImage,
    believable_dpi,
    damaged,
    shrunk,
    too_large,
    working_page,
)
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.stored_image import StoredImage

_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF")
_WIDE_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
_EIGHT_BITS, _SIXTEEN_BITS = 255.0, 65535.0
# What the decoders raise, besides their own errors, when bytes are missing or wrong.
_DECODING_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
)
# Each block of 8 x 8 pixels takes a bit or more. The decoder makes up what is missing before the file's end.
_JPEG_PIXELS_PER_BYTE = 8 * 64

Image.preinit()  # the decoders, so that the first document does not wait for them


class _Header(NamedTuple):
    """What a page says of itself before it is decoded."""

    width: int
    height: int
    declared_dpi: float | None


class ImageFile:
    """An image file; a TIFF has a page for each of its frames, others have one.

    :raises RecognitionError: if it is damaged where its pages are to be found.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = _open_image(path)
        self._undecoded: Image.Image | None = None  # whoever decodes a frame loses its headers
        self._bytes = path.stat().st_size
        try:
            # Only a TIFF's frames are pages; those of a GIF are a film.
            most = MAX_PAGES + 1 if self._opened.format == "TIFF" else 1
            self._headers = list(islice(_headers(self._opened), most))
        except BaseException:
            self.close()
            raise

    @property
    def pages(self) -> int:
        """How many pages the file has, counted no further than one above ``MAX_PAGES``."""
        return len(self._headers)

    def inches(self, number: int) -> tuple[float, float]:
        """Width and height of a page, from the file's headers alone.

        :raises PageError: if it is damaged or beyond a limit.
        """
        width, height, declared = self._sound_header(number)
        dpi = believable_dpi(declared, width=width, height=height)
        return width / dpi, height / dpi

    def page(self, number: int) -> PageImage:
        """A page, decoded.

        :raises PageError: if it is damaged or beyond a limit.
        """
        width, height, declared = self._sound_header(number)
        try:
            self._opened.seek(number - 1)
            self._opened.draft(None, shrunk(width, height))  # what JPEG can leave out need not be decoded
            oriented = ImageOps.exif_transpose(self._opened)
            if oriented.size == self._opened.size[::-1] != self._opened.size:
                width, height = height, width
            image = _plain(oriented)
        except Image.DecompressionBombError:
            raise too_large(number) from None
        except _DECODING_FAULTS:
            raise damaged(number) from None
        dpi = believable_dpi(declared, width=width, height=height)
        return working_page(image, number=number, size=(width, height), dpi=dpi)

    def stored(self, number: int) -> StoredImage | None:
        """A page's image as it lies in the file, if a PDF file can take its bytes as they are."""
        if self._undecoded is None:
            self._undecoded = _open_image(self._path)
        try:
            self._undecoded.seek(number - 1)
            return stored_image(self._undecoded, self._path)
        except _DECODING_FAULTS:  # of headers that no page needs to be decoded
            return None

    def close(self) -> None:
        """Give the file up."""
        self._opened.close()
        if self._undecoded is not None:
            self._undecoded.close()

    def _sound_header(self, number: int) -> _Header:
        header = self._headers[number - 1]
        pixels = header.width * header.height
        if pixels > MAX_PIXELS:
            raise too_large(number)
        too_short = self._opened.format == "JPEG" and pixels > _JPEG_PIXELS_PER_BYTE * self._bytes
        if pixels == 0 or too_short:
            raise damaged(number)
        return header


def _headers(opened: Image.Image) -> Iterator[_Header]:
    """Those of all frames, found by going to each."""
    for index in count():
        try:
            opened.seek(index)
        except EOFError:
            return
        except Image.DecompressionBombError:
            raise RecognitionError(str(too_large(index + 1))) from None
        except _DECODING_FAULTS:
            raise RecognitionError(str(damaged(index + 1))) from None
        yield _Header(*opened.size, _declared_dpi(opened))


def _open_image(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS decides
            return Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError:
        raise RecognitionError(str(too_large(1))) from None
    except _DECODING_FAULTS:  # "unidentified" is among them: the first bytes were those of an image
        raise RecognitionError(str(damaged(1))) from None


def _plain(image: Image.Image) -> Image.Image:
    """The image in mode 1, L or RGB, what is transparent on white."""
    if image.mode in _WIDE_GREY:
        return _eight_bits(image)
    if image.has_transparency_data:
        above = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(above, mask=above.getchannel("A"))
    return image if image.mode in ("1", "L", "RGB") else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    full = _SIXTEEN_BITS if values.max(initial=0.0) > _EIGHT_BITS else _EIGHT_BITS
    return Image.fromarray((values.clip(0, full) * (_EIGHT_BITS / full)).astype(np.uint8))


def _declared_dpi(image: Image.Image) -> float | None:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):  # files carry all kinds of nonsense here
        return None
    return min(across, down)
