# SPDX-License-Identifier: Apache-2.0
"""A font without any shapes: invisible text in it can be selected and copied in every script.

Each document has its own: characters get numbers in the order in which they occur, and the font's
ToUnicode map says what each number stands for.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

import pikepdf
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.ttLib.tables._g_l_y_f import Glyph  # type: ignore[import-untyped]  # fontTools carries no types

from airflow_provider_ocr.server.export.character_numbers import CharacterNumbers
from airflow_provider_ocr.server.export.pdf_font import FontParts, add_font

LETTER_WIDTH = 500  # thousandths of the font size, for every character
ASCENT, DESCENT = 800, -200

EM = 1.3
"""Of the size of printed type, the size that this font is to be shown in."""

# Of printed type 0.72 and 0.09: between what words with long letters and those without take up.
_WORD_ASCENT, _WORD_DESCENT = round(720 / EM), round(-90 / EM)
_NAME = "Glyphless"
_EM = 1000
_BLANK_GLYPH = 1


class GlyphlessFont:
    """Numbers the characters of one document, then makes the font."""

    def __init__(self) -> None:
        self._numbers = CharacterNumbers()

    def encode(self, characters: Iterable[str]) -> str:
        """The characters as a PDF hexadecimal string without its brackets; new ones get a number.

        :raises ValueError: if the document has more different characters than a font can.
        """
        return self._numbers.encode(characters)

    def add_to(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """The font, as an indirect object of ``pdf``."""
        parts = FontParts(
            name=_NAME,
            file=_font_file(),
            flags=5,  # fixed pitch, own character set
            box=(0, DESCENT, LETTER_WIDTH, ASCENT),
            ascent=_WORD_ASCENT,
            descent=_WORD_DESCENT,
            default_width=LETTER_WIDTH,
            texts=self._numbers.texts(),
            glyphs=b"\0\0" + _BLANK_GLYPH.to_bytes(2, "big") * len(self._numbers),
        )
        return add_font(pdf, parts)


def _extent() -> Glyph:
    """A glyph that covers nothing and yet reaches over a whole letter: readers draw selections by its box."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, DESCENT))
    pen.lineTo((LETTER_WIDTH, ASCENT))
    pen.closePath()
    return pen.glyph()


def _font_file() -> bytes:
    names = [".notdef", "blank"]
    font = FontBuilder(_EM, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({0x20: "blank"})
    font.setupGlyf(dict.fromkeys(names, _extent()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (LETTER_WIDTH, 0)))
    font.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
    font.setupNameTable({"familyName": _NAME, "styleName": "Regular", "psName": _NAME})
    font.setupOS2(sTypoAscender=ASCENT, sTypoDescender=DESCENT, usWinAscent=ASCENT, usWinDescent=-DESCENT)
    font.setupPost(keepGlyphNames=False)
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()
