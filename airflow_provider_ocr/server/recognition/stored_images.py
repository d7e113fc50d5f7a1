# SPDX-License-Identifier: Apache-2.0
"""Which images a PDF file can take as they are: told by headers, without decoding them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    FILLORDER,
    IMAGELENGTH,
    IMAGEWIDTH,
    PHOTOMETRIC_INTERPRETATION,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
)

from airflow_provider_ocr.server.stored_image import ImageCoding, StoredImage

# Of an EXIF orientation: whether the image is to be mirrored, and then turned clockwise.
_ORIENTATIONS = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 180),
    4: (True, 180),
    5: (True, 270),
    6: (False, 90),
    7: (True, 90),
    8: (False, 270),
}
_UPRIGHT = (False, 0)

_G4 = 4  # TIFF's number for this compression
_T6_OPTIONS = 293
_HIGH_BIT_FIRST = 1
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1

_COMMON_FRAMES = frozenset({0xC0, 0xC1, 0xC2})  # Huffman-coded; no PDF reader has to know the arithmetic code
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_END_OF_HEADERS = frozenset({0xD9, 0xDA})


class _Frame(NamedTuple):
    """What a JPEG file's frame header says."""

    marker: int
    bits: int
    height: int
    width: int
    components: int


def stored_image(opened: Image.Image, path: Path) -> StoredImage | None:
    """The frame that ``opened`` is at, if a PDF file can take its bytes as they are.

    :param opened: the file in ``path``; it is not decoded.
    """
    if opened.format == "JPEG":
        return _stored_jpeg(opened, path)
    return _stored_fax(opened, path) if opened.format == "TIFF" else None


def _stored_jpeg(opened: Image.Image, path: Path) -> StoredImage | None:
    with path.open("rb") as file:
        frame = _find_frame(file)
    if frame is None or frame.marker not in _COMMON_FRAMES:
        return None
    if frame.bits != 8 or frame.components not in (1, 3) or not frame.width * frame.height:  # noqa: PLR2004 - bits of a byte, colours
        return None  # among others CMYK, of which programs disagree what is black
    mirrored, clockwise = _orientation(opened)
    return StoredImage(
        path=path,
        offset=0,
        length=path.stat().st_size,
        coding=ImageCoding.JPEG,
        width=frame.width,
        height=frame.height,
        colours=frame.components,
        mirrored=mirrored,
        clockwise=clockwise,
    )


def _stored_fax(opened: Image.Image, path: Path) -> StoredImage | None:
    tags = opened.tag_v2  # type: ignore[attr-defined]  # only a TIFF image has tags
    strips, lengths = tags.get(STRIPOFFSETS, ()), tags.get(STRIPBYTECOUNTS, ())
    as_it_is = (
        tags.get(COMPRESSION) == _G4
        and len(strips) == len(lengths) == 1
        and tags.get(FILLORDER, _HIGH_BIT_FIRST) == _HIGH_BIT_FIRST
        and tuple(tags.get(BITSPERSAMPLE, (1,))) == (1,)
        and not tags.get(_T6_OPTIONS, 0)
        and tags.get(PHOTOMETRIC_INTERPRETATION) in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
    )
    if not as_it_is:
        return None
    mirrored, clockwise = _orientation(opened)
    return StoredImage(
        path=path,
        offset=strips[0],
        length=lengths[0],
        coding=ImageCoding.CCITT_G4,
        width=tags[IMAGEWIDTH],
        height=tags[IMAGELENGTH],
        inverted=tags[PHOTOMETRIC_INTERPRETATION] == _BLACK_IS_ZERO,
        mirrored=mirrored,
        clockwise=clockwise,
    )


def _orientation(opened: Image.Image) -> tuple[bool, int]:
    return _ORIENTATIONS.get(opened.getexif().get(ExifTags.Base.Orientation, 1), _UPRIGHT)


def _find_frame(file: BinaryIO) -> _Frame | None:
    """The first frame's header, if the file has one before its pixels."""
    file.seek(2)
    while (start := file.read(2)) and len(start) == 2 and start[0] == 0xFF:  # noqa: PLR2004 - a marker: this byte and its own
        marker = start[1]
        if marker == 0xFF:  # noqa: PLR2004 - fills the space before a marker
            file.seek(-1, 1)
        elif marker in _END_OF_HEADERS:
            return None
        elif marker not in _WITHOUT_LENGTH:
            header = file.read(8)
            if len(header) < 8:  # noqa: PLR2004 - a segment's length and the start of a frame's header
                return None
            if marker in _FRAMES:
                return _Frame(marker, *struct.unpack(">xxBHHB", header))
            file.seek(int.from_bytes(header[:2], "big") - len(header), 1)
    return None
