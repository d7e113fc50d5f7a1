# SPDX-License-Identifier: Apache-2.0
"""One image in every kind of file that recognition reads, also in those that no library writes any more."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pikepdf
from PIL import Image

_SHORT, _LONG = 3, 4  # types of a TIFF tag's values
_WHITE = 65535


def written(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The file that Pillow writes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(data: bytes, size: tuple[int, int], tags: dict[int, tuple[int, ...]], *, order: str = "<") -> bytes:
    """A TIFF file of one strip, with these tags besides those that say where it is and how large."""
    strip = 8
    extra = strip + len(data) + len(data) % 2
    entries = {256: (size[0],), 257: (size[1],), 273: (strip,), 278: (size[1],), 279: (len(data),), **tags}
    behind, directory = b"", struct.pack(order + "H", len(entries))
    for tag, values in sorted(entries.items()):
        kind = _LONG if max(values) > _WHITE or tag in (273, 279, 513, 514) else _SHORT
        packed = struct.pack(f"{order}{len(values)}{'I' if kind == _LONG else 'H'}", *values)
        if len(packed) > 4:
            place, behind = struct.pack(order + "I", extra + len(behind)), behind + packed
        else:
            place = packed.ljust(4, b"\0")
        directory += struct.pack(order + "HHI", tag, kind, len(values)) + place
    start = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, extra + len(behind))
    return start + data.ljust(extra - strip, b"\0") + behind + directory + bytes(4)


def sixteen_bits(image: Image.Image, *, order: str = "<", inverted: bool = False) -> bytes:
    """A TIFF file of 16 bits to a channel."""
    values: npt.NDArray[np.uint16] = np.asarray(image).astype(np.uint16) * 257
    if inverted:
        values = _WHITE - values
    channels = 1 if values.ndim == 2 else values.shape[2]
    photometric = 2 if channels > 1 else (0 if inverted else 1)
    tags = {258: (16,) * channels, 259: (1,), 262: (photometric,), 277: (channels,)}
    return tiff(values.astype(order + "u2").tobytes(), image.size, tags, order=order)


def inverted_g4(image: Image.Image) -> bytes:
    """A TIFF file coded for faxes whose tag says that 0 is black, as most say the opposite."""
    strip, size = _fax_strip(image, white=1)
    return tiff(strip, size, {258: (1,), 259: (4,), 262: (1,), 277: (1,)})


def old_style_jpeg(image: Image.Image) -> bytes:
    """A TIFF file of the sort that the JPEG compression of TIFF 6.0 made, before it was given up."""
    data = written(image, "JPEG", quality=90, subsampling=0)
    tags = {
        258: (8, 8, 8),
        259: (6,),
        262: (6,),
        277: (3,),
        512: (1,),
        513: (8,),
        514: (len(data),),
        530: (1, 1),
    }
    return tiff(data, image.size, tags)


def dcx(*pages: Image.Image) -> bytes:
    """Several PCX files in one."""
    files = [written(page, "PCX") for page in pages]
    places, place = [], 4 + 4 * 1024
    for file in files:
        places.append(place)
        place += len(file)
    table = struct.pack(f"<{len(places)}I", *places).ljust(4 * 1024, b"\0")
    return b"\xb1\x68\xde\x3a" + table + b"".join(files)


def adobe_cmyk(image: Image.Image) -> bytes:
    """A JPEG file as Adobe's programs write it for print: four inks, 255 is none of it."""
    content = written(image.convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in content[:64]
    return content


def pdf_of(image: Image.Image, *, how: str, dpi: float = 150) -> bytes:
    """A PDF file with one page that is an image.

    :param how: its coding: ``jbig2``, ``jpx``, ``dct``, ``ccitt`` or ``flate``.
    """
    data, entries = _CODINGS[how](image)
    width, height = (side / dpi * 72 for side in image.size)
    file = io.BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(width, height))
        stream = pdf.make_stream(
            data,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=image.width,
            Height=image.height,
            **entries,
        )
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=stream))
        page.Contents = pdf.make_stream(f"{width} 0 0 {height} 0 0 cm /I Do".encode())
        pdf.save(file)
    return file.getvalue()


def _fax_strip(image: Image.Image, *, white: int = 0) -> tuple[bytes, tuple[int, int]]:
    """The image coded by CCITT group 4, in one strip."""
    options = {"compression": "group4", "strip_size": image.width * image.height, "tiffinfo": {262: white}}
    content = written(image.convert("1"), "TIFF", **options)
    with Image.open(io.BytesIO(content)) as opened:
        (offset,), (length,) = opened.tag_v2[273], opened.tag_v2[279]  # type: ignore[attr-defined]  # a TIFF's
    return content[offset : offset + length], image.size


def _jbig2(image: Image.Image) -> tuple[bytes, dict[str, Any]]:
    """Generic regions may be coded as faxes are, and then no encoder of JBIG2's own is needed."""
    strip, (width, height) = _fax_strip(image)
    page = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", width, height, 0, 0, 0, 1) + strip
    data = _segment(0, 48, page) + _segment(1, 38, region)
    entries = {
        "ColorSpace": pikepdf.Name.DeviceGray,
        "BitsPerComponent": 1,
        "Filter": pikepdf.Name.JBIG2Decode,
    }
    return data, entries


def _segment(number: int, kind: int, content: bytes) -> bytes:
    return struct.pack(">IBBBI", number, kind, 0, 1, len(content)) + content


def _jpx(image: Image.Image) -> tuple[bytes, dict[str, Any]]:
    return written(image, "JPEG2000"), {"Filter": pikepdf.Name.JPXDecode}


def _dct(image: Image.Image) -> tuple[bytes, dict[str, Any]]:
    space = pikepdf.Name.DeviceGray if image.mode == "L" else pikepdf.Name.DeviceRGB
    entries = {"ColorSpace": space, "BitsPerComponent": 8, "Filter": pikepdf.Name.DCTDecode}
    return written(image, "JPEG", quality=95), entries


def _ccitt(image: Image.Image) -> tuple[bytes, dict[str, Any]]:
    strip, (width, height) = _fax_strip(image)
    how = pikepdf.Dictionary(K=-1, Columns=width, Rows=height)
    entries = {
        "ColorSpace": pikepdf.Name.DeviceGray,
        "BitsPerComponent": 1,
        "Filter": pikepdf.Name.CCITTFaxDecode,
        "DecodeParms": how,
    }
    return strip, entries


def _flate(image: Image.Image) -> tuple[bytes, dict[str, Any]]:
    return image.convert("RGB").tobytes(), {"ColorSpace": pikepdf.Name.DeviceRGB, "BitsPerComponent": 8}


_CODINGS: dict[str, Callable[[Image.Image], tuple[bytes, dict[str, Any]]]] = {
    "jbig2": _jbig2,
    "jpx": _jpx,
    "dct": _dct,
    "ccitt": _ccitt,
    "flate": _flate,
}
