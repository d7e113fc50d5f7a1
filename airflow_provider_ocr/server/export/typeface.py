# SPDX-License-Identifier: Apache-2.0
"""A typeface as a font file has it: which characters it can show, how large they are, and their shapes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fontTools.pens.boundsPen import BoundsPen  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.pens.cu2quPen import Cu2QuPen  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.pens.recordingPen import (  # type: ignore[import-untyped]  # fontTools carries no types
    DecomposingRecordingPen,
)
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # fontTools carries no types

_NO_EMBEDDING = 0x0002
_OUTLINES = ("glyf", "CFF ", "CFF2")
_DEVIATION = 1.0  # units of the font, of curves that TrueType has no equal of


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a character is, in parts of the font size.

    :param advance: from where it starts to where the next one does.
    :param top: of its ink, above the baseline.
    :param bottom: the same, below 0 for what reaches under it.
    """

    advance: float
    top: float
    bottom: float


class Typeface:
    """The regular face in a font file, or one of the faces of a collection.

    :param number: which of a collection.
    :raises ValueError: if it may not be embedded in documents, or is made of no outlines.
    :raises fontTools.ttLib.TTLibError: if the file is no font.
    """

    def __init__(self, path: Path, number: int = 0) -> None:
        self._font = TTFont(path, fontNumber=number, lazy=True)
        if not any(table in self._font for table in _OUTLINES):
            raise ValueError(f"{path} has no outlines")
        if "OS/2" in self._font and self._font["OS/2"].fsType & _NO_EMBEDDING:
            raise ValueError(f"{path} may not be embedded")
        self._names: dict[int, str] = self._font.getBestCmap() or {}
        self._extents: dict[str, Extent] = {}

    @cached_property
    def units(self) -> int:
        """How many of the font's units its size has."""
        return int(self._font["head"].unitsPerEm)

    @cached_property
    def name(self) -> str:
        """Its PostScript name."""
        return str(self._font["name"].getDebugName(6) or "Unnamed")

    def shows(self, character: str) -> bool:
        """Whether it has a shape for the character.

        :param character: one code point.
        """
        return ord(character) in self._names

    def extent(self, character: str) -> Extent:
        """How large a character is that it shows."""
        found = self._extents.get(character)
        if found is None:
            found = self._extents[character] = self._measured(self._names[ord(character)])
        return found

    def outline(self, character: str) -> Any:
        """The shape of a character that it shows, as a glyph of a TrueType font."""
        whole = DecomposingRecordingPen(self._glyphs)  # its parts may be glyphs that are not embedded
        self._glyphs[self._names[ord(character)]].draw(whole)
        pen = TTGlyphPen(None)
        whole.replay(Cu2QuPen(pen, _DEVIATION, reverse_direction=self._cubic))
        return pen.glyph()

    @cached_property
    def _glyphs(self) -> Any:
        return self._font.getGlyphSet()

    @cached_property
    def _cubic(self) -> bool:
        """Whether outlines run the other way round than those of TrueType."""
        return "glyf" not in self._font

    def _measured(self, name: str) -> Extent:
        glyph = self._glyphs[name]
        pen = BoundsPen(self._glyphs)
        glyph.draw(pen)
        _, bottom, _, top = pen.bounds or (0, 0, 0, 0)
        return Extent(glyph.width / self.units, top / self.units, bottom / self.units)
