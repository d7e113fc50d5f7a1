# SPDX-License-Identifier: Apache-2.0
"""The two ways in which PDF files show text: not at all, for it lies on an image, or in a typeface."""

from __future__ import annotations

import statistics
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

import pikepdf

from airflow_provider_ocr.server.export.embedded_font import EmbeddedFont
from airflow_provider_ocr.server.export.glyphless_font import EM, LETTER_WIDTH, GlyphlessFont
from airflow_provider_ocr.server.export.pdf_text import FoundWord
from airflow_provider_ocr.server.export.typeface import Typeface
from airflow_provider_ocr.server.export.typefaces import Typefaces

_INVISIBLE, _VISIBLE = "3 Tr", "0 Tr"
_GLYPHLESS = "/F0"
_GLYPHLESS_WIDTH = LETTER_WIDTH / 1000
_LOWEST_WORD = 0.3  # of the font size; what is lower, a dash or dots, tells nothing of it
_TAG_LETTERS = 26


class InvisibleLettering:
    """Shows nothing, and yet the text can be selected, copied and searched."""

    proportional = False

    def __init__(self) -> None:
        self._font = GlyphlessFont()

    def size(self, words: Sequence[FoundWord], type_size: float | None) -> float:
        """Somewhat more than that of the type, or than the height of the highest word.

        Paragraphs of a column are then one block for Poppler, whose lines may be one and a half times the
        font size apart. Where paragraphs of two columns stood level, it took them for cells.
        """
        return EM * (type_size or max(height for _, height in words))

    def length(self, characters: tuple[str, ...]) -> float:
        """The same for every character."""
        return len(characters) * _GLYPHLESS_WIDTH

    def show(self, characters: tuple[str, ...], size: float) -> str:
        """The operators that put them there."""
        return f"{_GLYPHLESS} {size:.2f} Tf {_INVISIBLE} <{self._font.encode(characters)}> Tj"

    def add_to(self, pdf: pikepdf.Pdf) -> pikepdf.Dictionary:
        """The font."""
        return pikepdf.Dictionary({_GLYPHLESS: self._font.add_to(pdf)})


class TypesetLettering:
    """Shows every character that a typeface is found for; others stay invisible."""

    proportional = True

    def __init__(self, typefaces: Typefaces) -> None:
        self._typefaces = typefaces
        self._invisible = InvisibleLettering()
        self._fonts: dict[Typeface, EmbeddedFont] = {}

    def size(self, words: Sequence[FoundWord], type_size: float | None) -> float:  # noqa: ARG002 - protocol
        """That in which most words are as high as they were found: typefaces differ in how high that is."""
        naturals = [self._height("".join(characters)) for characters, _ in words]
        sizes = [
            height / natural
            for natural, (_, height) in zip(naturals, words, strict=True)
            if natural >= _LOWEST_WORD
        ]
        return statistics.median(sizes) if sizes else max(height for _, height in words)

    def length(self, characters: tuple[str, ...]) -> float:
        """The sum of their widths in their typefaces."""
        return sum(
            typeface.extent(one).advance if typeface else _GLYPHLESS_WIDTH
            for one, typeface in self._set("".join(characters))
        )

    def show(self, characters: tuple[str, ...], size: float) -> str:
        """The operators that show them, typeface by typeface."""
        shown = []
        for typeface, group in groupby(self._set("".join(characters)), key=lambda pair: pair[1]):
            text = "".join(character for character, _ in group)
            if typeface is None:
                shown.append(self._invisible.show(tuple(text), size))
            else:
                number, font = self._font(typeface)
                shown.append(f"/F{number} {size:.2f} Tf {_VISIBLE} <{font.encode(text)}> Tj")
        return " ".join(shown)

    def add_to(self, pdf: pikepdf.Pdf) -> pikepdf.Dictionary:
        """Every font that was used, with just the characters that were shown, and the invisible one."""
        fonts = self._invisible.add_to(pdf)
        for number, font in enumerate(self._fonts.values(), start=1):
            fonts[f"/F{number}"] = font.add_to(pdf)
        return fonts

    def _set(self, text: str) -> Iterator[tuple[str, Typeface | None]]:
        for character in unicodedata.normalize("NFC", text):
            yield character, self._typefaces.of(character)

    def _height(self, text: str) -> float:
        extents = [typeface.extent(one) for one, typeface in self._set(text) if typeface]
        inked = [extent for extent in extents if extent.top > extent.bottom]
        if not inked:
            return 0.0
        return max(extent.top for extent in inked) - min(extent.bottom for extent in inked)

    def _font(self, typeface: Typeface) -> tuple[int, EmbeddedFont]:
        font = self._fonts.get(typeface)
        if font is None:
            font = self._fonts[typeface] = EmbeddedFont(typeface, tag=_tag(len(self._fonts)))
        return list(self._fonts).index(typeface) + 1, font


def _tag(number: int) -> str:
    high, low = divmod(number, _TAG_LETTERS)
    return "OCRT" + chr(ord("A") + high % _TAG_LETTERS) + chr(ord("A") + low)
