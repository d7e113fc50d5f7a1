# SPDX-License-Identifier: Apache-2.0
"""A font of a PDF file, for text that consists of two-byte numbers and can be copied in every script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pikepdf

_MAPPINGS_PER_BLOCK = 100  # the most that a CMap may have


@dataclass(frozen=True, slots=True, kw_only=True)
class FontParts:
    """What a font is made of; lengths are thousandths of the font size.

    :param name: without the slash.
    :param file: a TrueType font.
    :param flags: as the PDF format defines them for a font's descriptor.
    :param box: around all its glyphs: left, bottom, right, top.
    :param ascent: how far above the baseline readers take a word to reach.
    :param descent: the same, below it and so below 0.
    :param default_width: of characters whose widths are not given.
    :param widths: of the characters from number 1 on.
    :param texts: what each number stands for.
    :param glyphs: for each number from 0 on two bytes, the number of its glyph; None where that is the same.
    """

    name: str
    file: bytes
    flags: int
    box: Sequence[int]
    ascent: int
    descent: int
    default_width: int
    widths: Sequence[int] = ()
    texts: Mapping[int, str]
    glyphs: bytes | None = None


def add_font(pdf: pikepdf.Pdf, parts: FontParts) -> pikepdf.Object:
    """The font, as an indirect object of ``pdf``."""
    name = pikepdf.Name("/" + parts.name)
    descriptor = pikepdf.Dictionary(
        Type=pikepdf.Name.FontDescriptor,
        FontName=name,
        Flags=parts.flags,
        FontBBox=list(parts.box),
        ItalicAngle=0,
        Ascent=parts.ascent,
        Descent=parts.descent,
        CapHeight=parts.ascent,
        StemV=80,
        FontFile2=pdf.make_stream(parts.file),
    )
    descendant = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=pikepdf.Dictionary(Registry="Adobe", Ordering="Identity", Supplement=0),
        CIDToGIDMap=pikepdf.Name.Identity if parts.glyphs is None else pdf.make_stream(parts.glyphs),
        DW=parts.default_width,
        FontDescriptor=pdf.make_indirect(descriptor),
    )
    if parts.widths:
        descendant.W = pikepdf.Array([1, pikepdf.Array(list(parts.widths))])
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type0,
        BaseFont=name,
        Encoding=pikepdf.Name("/Identity-H"),
        DescendantFonts=[pdf.make_indirect(descendant)],
        ToUnicode=pdf.make_stream(_to_unicode(parts.texts)),
    )
    return pdf.make_indirect(font)


def _to_unicode(texts: Mapping[int, str]) -> bytes:
    mappings = [
        f"<{number:04X}> <{text.encode('utf-16-be').hex().upper()}>" for number, text in texts.items()
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
