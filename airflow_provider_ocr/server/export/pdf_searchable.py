# SPDX-License-Identifier: Apache-2.0
"""``pdfSearchable`` and ``pdfa``: the corrected page image, and its text, invisible, word upon word."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from pathlib import Path

import pikepdf

from airflow_provider_ocr.protocol.vocabulary import WriteTags
from airflow_provider_ocr.server.document import Line, Page, Word
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.glyphless_font import LETTER_WIDTH, GlyphlessFont
from airflow_provider_ocr.server.export.pdf_geometry import points_per_pixel, size_in_points
from airflow_provider_ocr.server.export.pdf_page_image import add_image, show_image
from airflow_provider_ocr.server.export.pdf_parts import PdfParts
from airflow_provider_ocr.server.export.pdf_saving import save_plain
from airflow_provider_ocr.server.export.pdf_structure import PageStructure, marked
from airflow_provider_ocr.server.export.pdf_tags import add_page_tags, add_tag_tree
from airflow_provider_ocr.server.export.type_size import type_size

_NARROWEST, _WIDEST = 1.0, 30_000.0  # per cent; a reader takes numbers up to 32767
_FONT = "/F0"
_IMAGE = "/Im0"


class PdfSearchableExporter:
    """Writes page images with their text to ``path``. Every page it takes needs its stored image.

    :param save: writes the finished document.
    """

    def __init__(self, path: Path, *, save: Callable[[pikepdf.Pdf, Path], None] = save_plain) -> None:
        self._path = path
        self._save = save
        self._font = GlyphlessFont()
        self._parts: PdfParts

    def start(self, summary: DocumentSummary) -> None:
        """Make room for the pages."""
        self._tagged = summary.settings.write_tags is WriteTags.WRITE
        self._parts = PdfParts(self._path)

    def page(self, page: Page) -> None:
        """Write the page to a file of its own, still without a font.

        :raises ValueError: if the page has no image.
        """
        if page.stored is None:
            raise ValueError(f"page {page.number} has no stored image, which a searchable PDF file shows")
        size = size_in_points(page)
        with self._parts.page(size) as (pdf, added):
            images = pikepdf.Dictionary({_IMAGE: add_image(pdf, page.stored)})
            added.obj.Resources = pikepdf.Dictionary(XObject=images)
            shown = show_image(_IMAGE, page.stored, size)
            marks: Iterable[str] = repeat("")
            if self._tagged:
                structure = PageStructure.of(page)
                add_page_tags(pdf, added, structure)
                shown, marks = marked("/Artifact BMC", shown), structure.marks
            text = self._text(page, marks, points_per_pixel(page))
            added.obj.Contents = pdf.make_stream(f"{shown}\n{text}".encode("ascii"))

    def finish(self) -> None:
        """Join the pages and give them the font."""
        with self._parts.joined() as pdf:
            font = self._font.add_to(pdf)
            for page in pdf.pages:
                page.obj.Resources.Font = pikepdf.Dictionary({_FONT: font})
            if self._tagged:
                add_tag_tree(pdf)
            self._save(pdf, self._path)

    def _text(self, page: Page, marks: Iterable[str], scale: float) -> str:
        shown = []
        for paragraph, mark in zip(page.paragraphs, marks, strict=False):
            operators: list[str] = []
            # One size for all: by their sizes readers tell which lines belong together.
            size = type_size(paragraph)
            for line in paragraph.lines:
                operators += self._line(line, page, scale, size or _height(line) * scale)
                if mark and not line.hyphenated:
                    # Whoever reads by the tags goes by no places, and is to be told where the word ends.
                    operators.append(f"<{self._font.encode((' ',))}> Tj")
            shown.append(marked(mark, "\n".join(operators)))
        return "\n".join(["BT", "3 Tr", *shown, "ET"]) if shown else ""

    def _line(self, line: Line, page: Page, scale: float, size: float) -> Iterator[str]:
        """The operators that put each word on its place, and a space in each gap."""
        angle = line.baseline.angle
        size = max(1.0, size)
        yield f"{_FONT} {size:.2f} Tf"
        places = [_place(word, line) for word in line.words]
        direction = (
            f"{math.cos(angle):.5f} {math.sin(angle):.5f} {-math.sin(angle):.5f} {math.cos(angle):.5f}"
        )
        for index, (word, (x, y, length)) in enumerate(zip(line.words, places, strict=True)):
            characters = tuple(character.text for character in line.characters(word))
            yield f"{direction} {x * scale:.2f} {(page.height - y) * scale:.2f} Tm"
            yield self._show(characters, length=length * scale, size=size)
            if index + 1 < len(places):
                following_x, following_y, _ = places[index + 1]
                gap = math.hypot(following_x - x, following_y - y) - length
                yield self._show((" ",), length=gap * scale, size=size)

    def _show(self, characters: tuple[str, ...], *, length: float, size: float) -> str:
        natural = len(characters) * size * LETTER_WIDTH / 1000
        stretch = min(max(100 * length / natural, _NARROWEST), _WIDEST)
        return f"{stretch:.2f} Tz <{self._font.encode(characters)}> Tj"


def _place(word: Word, line: Line) -> tuple[float, float, float]:
    """Where on the line's baseline the word starts, and how long it is, in pixels."""
    angle, base = line.baseline.angle, line.baseline
    right, down = math.cos(angle), -math.sin(angle)
    middle_x, middle_y = (word.box.left + word.box.right) / 2, (word.box.top + word.box.bottom) / 2
    length = _along(word.box.width, word.box.height, angle)
    start = (middle_x - base.x1) * right + (middle_y - base.y1) * down - length / 2
    return base.x1 + start * right, base.y1 + start * down, length


def _height(line: Line) -> float:
    """How high its box is, seen along its baseline, in pixels."""
    return _along(line.box.height, line.box.width, line.baseline.angle)


def _along(level: float, upright: float, angle: float) -> float:
    """How far a box reaches in the direction of ``angle``: its width for level text."""
    return max(level * abs(math.cos(angle)), upright * abs(math.sin(angle)))
