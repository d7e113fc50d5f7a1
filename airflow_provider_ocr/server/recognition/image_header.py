# SPDX-License-Identifier: Apache-2.0
"""What image files say of their pages before one is decoded."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import ExifTags, Image

from airflow_provider_ocr.server.recognition.errors import RecognitionError
from airflow_provider_ocr.server.recognition.page_image import MAX_PIXELS, damaged, too_large
from airflow_provider_ocr.server.recognition.resolution import Resolution, believable

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "JPEG2000", "PCX", "DCX", "WEBP")
MANY_PAGES = frozenset({"TIFF", "DCX"})
"""Only the frames of these are pages; those of others are a film."""

# What the decoders raise, besides their own errors, when bytes are missing or wrong.
DECODING_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
)

_FIRST_TURNED = 5  # of the eight orientations; from here on width and height change places
_ORIENTATION = ExifTags.Base.Orientation

Image.preinit()  # the decoders, so that the first document does not wait for them
Image.init()
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # more are a warning, twice as many an error


class Header(NamedTuple):
    """What a page says of itself.

    :param width: pixels, the way it is shown.
    :param height: pixels, the way it is shown.
    :param orientation: how it lies in its file, as EXIF counts: 1 is upright.
    :param resolution: what is believable of what it declares, the way it is shown.
    """

    width: int
    height: int
    orientation: int
    resolution: Resolution | None

    @property
    def stored_turned(self) -> bool:
        """Whether the file has its rows where columns are shown."""
        return self.orientation >= _FIRST_TURNED


def open_image(file: Path | BinaryIO) -> Image.Image:
    """The file, at its first page.

    :raises RecognitionError: if it is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS decides
            return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError:
        raise RecognitionError(str(too_large(1))) from None
    except DECODING_FAULTS:  # "unidentified" is among them: the first bytes were those of an image
        raise RecognitionError(str(damaged(1))) from None


def headers(opened: Image.Image) -> Iterator[Header]:
    """Those of all frames, found by going to each.

    :raises RecognitionError: if the file is damaged where they are to be found.
    """
    for index in count():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                opened.seek(index)
            header = _header(opened)
        except EOFError:
            return
        except Image.DecompressionBombError:
            raise RecognitionError(str(too_large(index + 1))) from None
        except DECODING_FAULTS:
            raise RecognitionError(str(damaged(index + 1))) from None
        yield header


def _header(opened: Image.Image) -> Header:
    width, height = opened.size
    declared = _declared(opened)
    orientation = _orientation(opened)
    if orientation >= _FIRST_TURNED:
        if opened.format != "TIFF":  # there Pillow has turned them already
            width, height = height, width
        declared = declared and declared.swapped()
    return Header(width, height, orientation, believable(declared, width=width, height=height))


def _orientation(opened: Image.Image) -> int:
    # Not the formats' own getexif(): that of PNG decodes the image first.
    tags = opened.tag_v2 if opened.format == "TIFF" else Image.Image.getexif(opened)  # type: ignore[attr-defined]  # TIFF's own attribute
    value = tags.get(_ORIENTATION)
    return value if isinstance(value, int) else 1


def _declared(opened: Image.Image) -> Resolution | None:
    for name in ("dpi", "resolution"):  # the latter has no unit, which writers of faxes forget
        try:
            across, down = (float(value) for value in opened.info[name])
        except (KeyError, TypeError, ValueError, ZeroDivisionError):  # files carry all kinds of nonsense here
            continue
        return Resolution(across, down)
    return None
