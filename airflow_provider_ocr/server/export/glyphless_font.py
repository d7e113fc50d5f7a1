# SPDX-License-Identifier: Apache-2.0
"""A font without any shapes: invisible text in it can be selected and copied in every script.

Each document has its own: characters get numbers in the order in which they occur, and the font's
ToUnicode map says what each number stands for.
"""

from __future__ import annotations

import io

import pikepdf
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.ttLib.tables._g_l_y_f import Glyph  # type: ignore[import-untyped]  # fontTools carries no types

LETTER_WIDTH = 500  # thousandths of the font size, for every character
ASCENT, DESCENT = 680, -90  # those of most words: fewer have letters that reach farther

_NAME = "Glyphless"
_EM = 1000
_MOST_CHARACTERS = 0xFFFF
_MAPPINGS_PER_BLOCK = 100  # the most that a CMap may have
_BLANK_GLYPH = 1


class GlyphlessFont:
    """Numbers the characters of one document, then makes the font."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def encode(self, characters: tuple[str, ...]) -> str:
        """The characters as a PDF hexadecimal string without its brackets; new ones get a number.

        :raises ValueError: if the document has more different characters than a font can.
        """
        for character in characters:
            number = self._numbers.setdefault(character, len(self._numbers) + 1)
            if number > _MOST_CHARACTERS:
                raise ValueError(f"a document with more than {_MOST_CHARACTERS} characters")
        return "".join(f"{self._numbers[character]:04X}" for character in characters)

    def add_to(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """The font, as an indirect object of ``pdf``."""
        descriptor = pikepdf.Dictionary(
            Type=pikepdf.Name.FontDescriptor,
            FontName=pikepdf.Name("/" + _NAME),
            Flags=5,  # fixed pitch, own character set
            FontBBox=[0, DESCENT, LETTER_WIDTH, ASCENT],
            ItalicAngle=0,
            Ascent=ASCENT,
            Descent=DESCENT,
            CapHeight=ASCENT,
            StemV=80,
            FontFile2=pdf.make_stream(_font_file()),
        )
        to_blank = b"\0\0" + _BLANK_GLYPH.to_bytes(2, "big") * len(self._numbers)
        descendant = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.CIDFontType2,
            BaseFont=pikepdf.Name("/" + _NAME),
            CIDSystemInfo=pikepdf.Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
            CIDToGIDMap=pdf.make_stream(to_blank),
            DW=LETTER_WIDTH,
            FontDescriptor=pdf.make_indirect(descriptor),
        )
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type0,
            BaseFont=pikepdf.Name("/" + _NAME),
            Encoding=pikepdf.Name("/Identity-H"),
            DescendantFonts=[pdf.make_indirect(descendant)],
            ToUnicode=pdf.make_stream(self._to_unicode()),
        )
        return pdf.make_indirect(font)

    def _to_unicode(self) -> bytes:
        mappings = [
            f"<{number:04X}> <{character.encode('utf-16-be').hex().upper()}>"
            for character, number in self._numbers.items()
        ]
        blocks = [
            mappings[start : start + _MAPPINGS_PER_BLOCK]
            for start in range(0, len(mappings), _MAPPINGS_PER_BLOCK)
        ]
        lines = [
            "/CIDInit /ProcSet findresource begin",
            "12 dict begin",
            "begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def",
            "/CMapType 2 def",
            "1 begincodespacerange",
            "<0000> <FFFF>",
            "endcodespacerange",
        ]
        for block in blocks:
            lines += [f"{len(block)} beginbfchar", *block, "endbfchar"]
        lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
        return "\n".join(lines).encode("ascii")


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
