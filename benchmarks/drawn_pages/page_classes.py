# SPDX-License-Identifier: Apache-2.0
"""The classes of pages that accuracy is measured on, and files of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pikepdf
from PIL import Image

from benchmarks.drawn_pages.prose import phrase, words
from benchmarks.drawn_pages.scanning import DrawnPage, photographed, poorly_scanned, scanned
from benchmarks.drawn_pages.sheet import MARGIN, WIDTH, Sheet
from benchmarks.drawn_pages.tables import print_table
from benchmarks.drawn_pages.truth import Truth
from benchmarks.drawn_pages.typefaces import OCR_B, TYPEWRITER, installed, proportional

_GUTTER = 90
_BODY_POINTS = (9.0, 10.0, 11.0, 12.0)
_HEADING_POINTS = 18.0
_PARAGRAPH_WORDS = (25, 60)
_PAGES_OF_MANY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file of drawn pages.

    :param page_class: which of `PAGE_CLASSES` it is.
    :param languages: names of the API.
    :param text_type: likewise.
    :param password: opens it, if it is closed.
    :param pages: what stands on each.
    """

    file: Path
    page_class: str
    languages: tuple[str, ...]
    text_type: str
    password: str | None
    pages: tuple[Truth, ...]

    @property
    def text(self) -> str:
        """All its words, in reading order."""
        return "\n".join(page.text for page in self.pages)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    draw: Callable[[Random], DrawnPage]
    languages: tuple[str, ...] = ("English",)
    text_type: str = "normal"
    pages: int = 1
    password: str | None = None


def draw_document(page_class: str, seed: int, folder: Path) -> Document:
    """A file of a class.

    :param page_class: one of `PAGE_CLASSES`.
    :param seed: of all that is left to chance; the same gives the same pixels.
    :param folder: where the file is put.
    """
    made = PAGE_CLASSES[page_class]
    chance = Random(f"{page_class} {seed}")  # noqa: S311 - no secret
    pages = [made.draw(chance) for _ in range(made.pages)]
    closed = made.password is not None
    file = (
        folder / f"{page_class.replace(' ', '-')}-{seed}.{'pdf' if closed else 'tif' if pages[1:] else 'png'}"
    )
    if closed:
        _save_closed(pages[0], made.password or "", file)
    else:
        _save(pages, file)
    return Document(
        file=file,
        page_class=page_class,
        languages=made.languages,
        text_type=made.text_type,
        password=made.password,
        pages=tuple(page.truth for page in pages),
    )


def _save(pages: list[DrawnPage], file: Path) -> None:
    first, *others = (page.image for page in pages)
    dpi = (pages[0].dpi, pages[0].dpi)
    if others:
        first.save(file, dpi=dpi, save_all=True, append_images=others, compression="tiff_lzw")
    else:
        first.save(file, dpi=dpi)


def _save_closed(page: DrawnPage, password: str, file: Path) -> None:
    plain = io.BytesIO()
    page.image.save(plain, "PDF", resolution=page.dpi, quality=95)
    with pikepdf.open(plain) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(user=password, owner=password, R=6))


def _prose_sheet(
    chance: Random,
    *,
    languages: tuple[str, ...] = ("English",),
    families: list[str] | None = None,
    columns: int = 1,
) -> tuple[Image.Image, Truth]:
    sheet = Sheet(chance.choice(families or proportional()))
    points = chance.choice(_BODY_POINTS)
    language = languages[0]
    heading = phrase(language, chance, 4).split()
    top = sheet.paragraph(heading, left=MARGIN, top=MARGIN, width=WIDTH, points=_HEADING_POINTS)
    width = (WIDTH - 2 * MARGIN - (columns - 1) * _GUTTER) // columns
    for column in range(columns):
        bottom = top
        for number in range(chance.randint(4, 6)):
            text = words(languages[number % len(languages)], chance, chance.randint(*_PARAGRAPH_WORDS))
            left = MARGIN + column * (width + _GUTTER)
            bottom = sheet.paragraph(text, left=left, top=bottom, width=width, points=points)
    return sheet.image, sheet.truth


def _table_sheet(chance: Random, *, ruled: bool) -> tuple[Image.Image, Truth]:
    sheet = Sheet(chance.choice(proportional()))
    language = chance.choice(["English", "German"])
    text = words(language, chance, 40)
    top = sheet.paragraph(text, left=MARGIN, top=MARGIN, width=WIDTH - 2 * MARGIN, points=11.0)
    top = print_table(sheet, chance, top=top + 60, language=language, ruled=ruled)
    text = words(language, chance, 40)
    sheet.paragraph(text, left=MARGIN, top=top + 80, width=WIDTH - 2 * MARGIN, points=11.0)
    return sheet.image, sheet.truth


def _prose(*languages: str, columns: int = 1) -> Callable[[Random], DrawnPage]:
    return lambda chance: scanned(*_prose_sheet(chance, languages=languages, columns=columns), chance)


def _set_in(families: tuple[str, ...]) -> Callable[[Random], DrawnPage]:
    return lambda chance: scanned(*_prose_sheet(chance, families=installed(families)), chance)


def _skewed(chance: Random) -> DrawnPage:
    return scanned(*_prose_sheet(chance), chance, skew=chance.choice([-1, 1]) * chance.uniform(0.5, 5.0))


def _turned(chance: Random) -> DrawnPage:
    return scanned(*_prose_sheet(chance), chance, quarters=chance.randint(1, 3))


_TABLE_LANGUAGES = ("German", "English")

PAGE_CLASSES: Mapping[str, _Class] = {
    "clean": _Class(draw=_prose("English")),
    "100 dpi": _Class(draw=lambda chance: scanned(*_prose_sheet(chance), chance, dpi=100)),
    "skewed": _Class(draw=_skewed),
    "turned": _Class(draw=_turned),
    "photographed": _Class(draw=lambda chance: photographed(*_prose_sheet(chance), chance)),
    "two columns": _Class(draw=_prose("English", columns=2)),
    "three columns": _Class(draw=_prose("English", columns=3)),
    "ruled table": _Class(
        draw=lambda chance: scanned(*_table_sheet(chance, ruled=True), chance), languages=_TABLE_LANGUAGES
    ),
    "unruled table": _Class(
        draw=lambda chance: scanned(*_table_sheet(chance, ruled=False), chance), languages=_TABLE_LANGUAGES
    ),
    "French": _Class(draw=_prose("French"), languages=("French",)),
    "German": _Class(draw=_prose("German"), languages=("German",)),
    "mixed": _Class(draw=_prose("English", "German"), languages=("English", "German")),
    "Polish": _Class(draw=_prose("Polish"), languages=("Polish",)),
    "Greek": _Class(draw=_prose("Greek"), languages=("Greek",)),
    "typewriter": _Class(draw=_set_in(TYPEWRITER), text_type="typewriter"),
    "OCR-B": _Class(draw=_set_in(OCR_B), text_type="ocrB"),
    "multi-page": _Class(draw=_prose("English"), pages=_PAGES_OF_MANY),
    "poor": _Class(draw=lambda chance: poorly_scanned(*_prose_sheet(chance), chance)),
    "password": _Class(draw=_prose("English"), password="a key of paper"),  # noqa: S106 - of nothing secret
}
