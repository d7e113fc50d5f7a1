# SPDX-License-Identifier: Apache-2.0
"""One page of a TIFF file of many, as a file of its own that lies in memory.

To get to a page, the decoder maps the whole file and goes through the directories of all pages: with each
page, all of a long document comes into memory, and the time it takes grows with the square of the pages.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from PIL import Image, TiffImagePlugin
from PIL.TiffImagePlugin import (
    COMPRESSION,
    STRIPBYTECOUNTS,
    STRIPOFFSETS,
    TILEBYTECOUNTS,
    TILEOFFSETS,
)

_OLD_JPEG = 6  # a compression whose parts lie where tags of its own point
_LIBTIFF = "libtiff"  # Pillow decodes all others itself, and looks at nothing but the page
_TYPES = {1: (1, 2, 6, 7), 2: (3, 8), 4: (4, 9, 11, 13), 8: (5, 10, 12, 16, 17, 18)}  # by bytes of a value
_SIZES = {kind: size for size, kinds in _TYPES.items() for kind in kinds}
_DISORDER = (struct.error, ValueError, TypeError, OSError)  # what a damaged file leads to
_MOST_ENTRIES = 2**16
_MOST_BYTES = 64 * 2**20  # of a page, compressed; what has more is no scan
_CHUNK = 2**20

_Range = tuple[int, int]
"""Where bytes begin and end in the file."""


class _Form(NamedTuple):
    """How the two kinds of TIFF files, classic ones and those for more than 4 GB, write numbers.

    :param first: where the header says where the first directory is.
    :param place: a place in the file.
    :param entries: how many entries a directory has.
    :param entry: tag, type, how many values; its values or their place follow.
    """

    first: int
    place: struct.Struct
    entries: struct.Struct
    entry: struct.Struct

    @classmethod
    def of(cls, start: bytes) -> _Form | None:
        """That of a file that starts with ``start``, if it is known."""
        order = {b"II": "<", b"MM": ">"}.get(start[:2])
        kind = {b"*\0": False, b"\0*": False, b"+\0": True, b"\0+": True}.get(start[2:4])
        if order is None or kind is None:
            return None
        first, codes = (8, ("Q", "Q", "HHQ")) if kind else (4, ("I", "H", "HHI"))
        return cls(first, *(struct.Struct(order + code) for code in codes))


def page_alone(path: Path, opened: Image.Image) -> BinaryIO | None:
    """A TIFF file of the page that ``opened`` is at and nothing else, unless all of the file has to be there.

    :param path: the file that is opened; it may be damaged.
    """
    if opened.format != "TIFF" or not opened.tile or opened.tile[0][0] != _LIBTIFF:  # type: ignore[attr-defined]  # files have tiles
        return None
    tags = cast("TiffImagePlugin.TiffImageFile", opened).tag_v2
    if tags.get(COMPRESSION) == _OLD_JPEG:
        return None
    with path.open("rb") as file:
        form = _Form.of(os.pread(file.fileno(), 4, 0))
        if form is None:
            return None
        try:
            directory, *values = _directory(file, form, tags.offset)
            start = 0, form.first + form.place.size
            parts = _merged([start, directory, *values, *_pixels(tags)], path.stat().st_size)
            if sum(end - start for start, end in parts) > _MOST_BYTES:
                return None
            # It is the first page now, and the last.
            changes = {form.first: form.place.pack(tags.offset), directory[1]: form.place.pack(0)}
            return _copied(file, parts, changes)
        except _DISORDER:
            return None


def _directory(file: BinaryIO, form: _Form, offset: int) -> Iterator[_Range]:
    """Where a directory lies, up to where it tells of the next, and the values that do not fit into it.

    :raises struct.error: if the file ends before it does.
    :raises ValueError: if it has more entries than any page needs.
    """
    (count,) = form.entries.unpack(os.pread(file.fileno(), form.entries.size, offset))
    if count > _MOST_ENTRIES:
        raise ValueError(count)
    length = form.entry.size + form.place.size
    begin = offset + form.entries.size
    yield offset, begin + count * length
    entries = os.pread(file.fileno(), count * length, begin)
    for start in range(0, count * length, length):
        _, kind, values = form.entry.unpack_from(entries, start)
        (place,) = form.place.unpack_from(entries, start + form.entry.size)
        size = values * _SIZES.get(kind, 0)
        if size > form.place.size:
            yield place, place + size


def _pixels(tags: TiffImagePlugin.ImageFileDirectory_v2) -> Iterator[_Range]:
    """Where the strips or tiles lie.

    :raises ValueError: if one has no length; the decoder makes it up from what else there is in the file.
    """
    for offsets, lengths in ((STRIPOFFSETS, STRIPBYTECOUNTS), (TILEOFFSETS, TILEBYTECOUNTS)):
        for start, length in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=True):
            if length <= 0:
                raise ValueError(length)
            yield start, start + length


def _merged(parts: Iterable[_Range], size: int) -> list[_Range]:
    """The parts that lie in a file of ``size`` bytes, in their order, each byte once."""
    merged: list[_Range] = []
    for start, end in sorted((start, min(end, size)) for start, end in parts):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif start < end:
            merged.append((start, end))
    return merged


def _copied(file: BinaryIO, parts: list[_Range], changes: dict[int, bytes]) -> BinaryIO:
    """A file that has the parts where they were, and nothing between them, which takes no memory.

    :param changes: what stands elsewhere than in ``file``, by its place.
    """
    copy = os.fdopen(os.memfd_create("page"), "w+b", buffering=0)
    try:
        for start, end in parts:
            for place in range(start, end, _CHUNK):
                os.pwrite(copy.fileno(), os.pread(file.fileno(), min(_CHUNK, end - place), place), place)
        for place, change in changes.items():
            os.pwrite(copy.fileno(), change, place)
    except BaseException:
        copy.close()
        raise
    return cast("BinaryIO", copy)
