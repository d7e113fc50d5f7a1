# SPDX-License-Identifier: Apache-2.0
"""A typeface inside a PDF file: just the shapes of the characters that its document has."""

from __future__ import annotations

import io

import pikepdf
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # fontTools carries no types

from airflow_provider_ocr.server.export.character_numbers import CharacterNumbers
from airflow_provider_ocr.server.export.pdf_font import FontParts, add_font
from airflow_provider_ocr.server.export.typeface import Typeface

_ASCENT, _DESCENT = 0.71, -0.12  # between what words with long letters and those without take up
_OWN_CHARACTERS = 4
_MISSING = ".notdef"
_THOUSAND = 1000


class EmbeddedFont:
    """Numbers the characters of one document, then makes a font of those.

    :param typeface: shows all of them.
    :param tag: six capital letters, which tell fonts of a file from each other.
    """

    def __init__(self, typeface: Typeface, *, tag: str) -> None:
        self.typeface = typeface
        self._name = f"{tag}+{typeface.name}"
        self._numbers = CharacterNumbers()

    def encode(self, characters: str) -> str:
        """The characters as a PDF hexadecimal string without its brackets; new ones get a number.

        :raises ValueError: if the document has more different characters than a font can.
        """
        return self._numbers.encode(characters)

    def add_to(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """The font, as an indirect object of ``pdf``."""
        extents = [self.typeface.extent(one) for one in self._numbers]
        box = (
            0.0,
            min((extent.bottom for extent in extents), default=0.0),
            max((extent.advance for extent in extents), default=1.0),
            max((extent.top for extent in extents), default=1.0),
        )
        parts = FontParts(
            name=self._name,
            file=self._file(),
            flags=_OWN_CHARACTERS,
            box=_thousandths(*box),
            ascent=round(_ASCENT * _THOUSAND),
            descent=round(_DESCENT * _THOUSAND),
            default_width=_THOUSAND,
            widths=_thousandths(*(extent.advance for extent in extents)),
            texts=self._numbers.texts(),
        )
        return add_font(pdf, parts)

    def _file(self) -> bytes:
        """A TrueType font whose glyphs have the characters' numbers."""
        units = self.typeface.units
        names = {f"g{number}": character for number, character in self._numbers.texts().items()}
        outlines = {name: self.typeface.outline(character) for name, character in names.items()}
        widths = {name: round(self.typeface.extent(one).advance * units) for name, one in names.items()}
        font = FontBuilder(units, isTTF=True)
        font.setupGlyphOrder([_MISSING, *names])
        font.setupCharacterMap({})
        font.setupGlyf({_MISSING: TTGlyphPen(None).glyph(), **outlines})
        lefts = {name: getattr(font.font["glyf"][name], "xMin", 0) for name in names}
        font.setupHorizontalMetrics(
            {_MISSING: (units, 0), **{name: (widths[name], lefts[name]) for name in names}}
        )
        font.setupHorizontalHeader(ascent=round(_ASCENT * units), descent=round(_DESCENT * units))
        font.setupNameTable({"familyName": self._name, "styleName": "Regular", "psName": self._name})
        font.setupOS2()
        font.setupPost(keepGlyphNames=False)
        written = io.BytesIO()
        font.save(written)
        return written.getvalue()


def _thousandths(*lengths: float) -> list[int]:
    return [round(length * _THOUSAND) for length in lengths]
