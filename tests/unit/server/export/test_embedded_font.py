# SPDX-License-Identifier: Apache-2.0
"""An embedded font has the shapes of its typeface, under numbers of its own, whatever they are drawn with."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from fontTools.fontBuilder import FontBuilder  # type: ignore[import-untyped]  # fontTools carries no types
from fontTools.pens.t2CharStringPen import T2CharStringPen  # type: ignore[import-untyped]  # likewise
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # likewise

from airflow_provider_ocr.server.export.embedded_font import EmbeddedFont
from airflow_provider_ocr.server.export.typeface import Typeface
from airflow_provider_ocr.server.export.typefaces import Typefaces


def embedded(typeface: Typeface, text: str) -> tuple[str, list[float], TTFont]:
    """The name of a text's font in a PDF file, the widths that it gives, and the font file in it."""
    font = EmbeddedFont(typeface, tag="ABCDEF")
    assert font.encode(text) == "".join(f"{number:04X}" for number in range(1, len(text) + 1))
    with pikepdf.new() as pdf:
        (descendant,) = font.add_to(pdf).DescendantFonts
        widths = [float(width) for width in descendant.W[1]]
        file = TTFont(io.BytesIO(descendant.FontDescriptor.FontFile2.read_bytes()))
        return str(descendant.BaseFont), widths, file


def postscript_font(path: Path, *, embedding: int = 0) -> Path:
    """A font with curves of the third degree, in which an a is a square."""
    pen = T2CharStringPen(600, None)
    for place, point in enumerate([(50, 0), (550, 0), (550, 500), (50, 500)]):
        (pen.lineTo if place else pen.moveTo)(point)
    pen.closePath()
    empty = T2CharStringPen(600, None)
    font = FontBuilder(1000, isTTF=False)
    font.setupGlyphOrder([".notdef", "a"])
    font.setupCharacterMap({ord("a"): "a"})
    shapes = {".notdef": empty.getCharString(), "a": pen.getCharString()}
    font.setupCFF("Square", {}, shapes, {})
    font.setupHorizontalMetrics({".notdef": (600, 0), "a": (600, 50)})
    font.setupHorizontalHeader()
    font.setupNameTable({"familyName": "Square", "styleName": "Regular", "psName": "Square"})
    font.setupOS2(fsType=embedding)
    font.setupPost()
    font.save(path)
    return path


def test_shapes_and_widths_are_the_typefaces() -> None:
    base = Typefaces(list).base
    name, widths, file = embedded(base, "pł")
    assert name == "/ABCDEF+NotoSans-Regular"
    assert widths == pytest.approx([1000 * base.extent(one).advance for one in "pł"], abs=1)
    assert len(file.getGlyphOrder()) == 3
    glyph = file["glyf"][file.getGlyphName(1)]
    extent = base.extent("p")
    assert (glyph.yMin, glyph.yMax) == pytest.approx(
        (base.units * extent.bottom, base.units * extent.top), abs=2
    )


def test_a_font_of_postscript_outlines_can_be_embedded(tmp_path: Path) -> None:
    *_, file = embedded(Typeface(postscript_font(tmp_path / "a.otf")), "a")
    glyph = file["glyf"][file.getGlyphName(1)]
    assert (glyph.xMin, glyph.yMin, glyph.xMax, glyph.yMax) == (50, 0, 550, 500)


def test_a_font_that_may_not_be_embedded_is_not(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="may not be embedded"):
        Typeface(postscript_font(tmp_path / "a.otf", embedding=2))
