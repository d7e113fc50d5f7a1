# SPDX-License-Identifier: Apache-2.0
"""Images too large to be worked on as they are: shrunk while they are decoded, or strip by strip, so that
little more than the result lies in memory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from airflow_provider_ocr.server.recognition.plain_image import plain

_READ_BY_VIPS = {
    "JPEG": "jpegload_source",
    "MPO": "jpegload_source",
    "PNG": "pngload_source",
    "TIFF": "tiffload_source",
    "WEBP": "webpload_source",
}
_JPEG = frozenset({"JPEG", "MPO"})
_LEAST_SHRUNK = 0.5  # by JPEG's decoder
_TIFF_COMPRESSIONS = frozenset(
    {
        "raw",
        "packbits",
        "tiff_lzw",
        "tiff_deflate",
        "tiff_adobe_deflate",
        "tiff_ccitt",
        "group3",
        "group4",
        "jpeg",
    }
)
_OF_UNKNOWN_WHITE = frozenset({"I", "F"})  # modes; one has to see all of the image first
_LIGHTNESS = [[0.299, 0.587, 0.114]]  # of red, green and blue, as Pillow weighs them
_BAND = 128  # rows of the result that are made at once


class StreamError(Exception):
    """A file is damaged."""


def can_be_streamed(opened: Image.Image) -> bool:
    """Whether ``streamed`` reads the image.

    :param opened: at the frame in question; nothing of it is decoded.
    """
    if opened.format == "TIFF":
        known = opened.info.get("compression", "raw") in _TIFF_COMPRESSIONS
        return known and opened.mode not in _OF_UNKNOWN_WHITE
    return opened.format in _READ_BY_VIPS


def streamed(path: Path, kind: str, *, size: tuple[int, int], frame: int, colours: bool) -> Image.Image:
    """The image in mode L or RGB as it lies in its file, without regard to an orientation.

    :param path: the file.
    :param kind: what Pillow calls its format.
    :param size: pixels of the result.
    :param frame: which of a TIFF's, 0 for the first.
    :param colours: False for shades of grey.
    :raises StreamError: if the file is damaged.
    """
    os.environ.setdefault("VIPS_CONCURRENCY", "1")  # each thread would hold strips of its own
    import pyvips  # loading it takes longer than reading a small page, and few are large

    pyvips.cache_set_max(0)
    load = getattr(pyvips.Image, _READ_BY_VIPS[kind])
    options: dict[str, Any] = {"access": "sequential", "fail_on": "error"}
    if kind == "TIFF":
        options["page"] = frame
    try:
        source = pyvips.Source.new_from_file(str(path))
        image = load(source, **options)
        part = _part_to_decode(kind, max(size[0] / image.width, size[1] / image.height))
        if part:
            image = load(pyvips.Source.new_from_file(str(path)), **options, **part)
        image = image.thumbnail_image(size[0], height=size[1], size="force", no_rotate=True)
        if image.hasalpha():
            image = image.flatten(background=255)
        if image.bands > 1:
            image = image.colourspace("srgb")
            image = image if colours else image.recomb(_LIGHTNESS)
        image = image.cast("uchar")
        pixels = np.frombuffer(image.write_to_memory(), np.uint8)
    except pyvips.Error as error:
        raise StreamError(str(error)) from None
    shape = (size[1], size[0]) if image.bands == 1 else (size[1], size[0], image.bands)
    return Image.fromarray(pixels.reshape(shape))


def shrunk_in_bands(image: Image.Image, size: tuple[int, int], *, colours: bool) -> Image.Image:
    """A decoded image shrunk, some rows at a time, to mode L or RGB.

    :param image: in a mode of eight bits.
    :param size: pixels of the result, no more than the image has.
    :param colours: False for shades of grey.
    """
    width, height = size
    down = image.height / height
    result = Image.new("RGB" if colours and image.mode not in ("1", "L") else "L", size)
    for top in range(0, height, _BAND):
        bottom = min(height, top + _BAND)
        first, last = int(top * down), min(image.height, int(bottom * down) + 1)
        band = plain(image.crop((0, first, image.width, last))).convert(result.mode)
        place = (0.0, top * down - first, float(image.width), min(bottom * down, image.height) - first)
        # Of all filters this one alone looks at no row beyond the band.
        result.paste(band.resize((width, bottom - top), Image.Resampling.BOX, box=place), (0, top))
    return result


def _part_to_decode(kind: str, scale: float) -> dict[str, float]:
    """What tells a decoder that can leave something out how much of the image is needed."""
    if kind == "WEBP" and scale < 1:
        return {"scale": scale}
    if kind in _JPEG and scale <= _LEAST_SHRUNK:
        return {"shrink": next(divisor for divisor in (8, 4, 2) if scale * divisor <= 1)}
    return {}
