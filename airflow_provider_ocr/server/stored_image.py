# SPDX-License-Identifier: Apache-2.0
"""A page's image in the very bytes that it came in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Self

_FULL_TURN = 360


class ImageCoding(StrEnum):
    """How an image's bytes stand for its pixels."""

    JPEG = "JPEG"
    CCITT_G4 = "CCITT G4"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image within a file, which a PDF file can take as it is.

    :param path: the file.
    :param offset: its first byte there.
    :param length: how many bytes it has.
    :param coding: what they are.
    :param width: pixels as stored, before any turn.
    :param height: the same, from top to bottom.
    :param colours: values of a pixel, 1 or 3.
    :param inverted: whether what its code calls black is white; of CCITT G4.
    :param mirrored: whether left and right are to be swapped, before any turn.
    :param clockwise: degrees (0, 90, 180, 270) that it is to be turned.
    """

    path: Path
    offset: int
    length: int
    coding: ImageCoding
    width: int
    height: int
    colours: int = 1
    inverted: bool = False
    mirrored: bool = False
    clockwise: int = 0

    def turned(self, clockwise: int) -> Self:
        """The image that is to be turned further.

        :param clockwise: by how many degrees, a multiple of 90.
        """
        return replace(self, clockwise=(self.clockwise + clockwise) % _FULL_TURN)

    def read(self) -> bytes:
        """Its bytes."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)
