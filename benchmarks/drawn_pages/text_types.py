# SPDX-License-Identifier: Apache-2.0
"""Pages for each way in which text is put on paper, drawn from a seed: with what stands on them known.

A typewriter strikes each letter a little higher, lower, darker or paler than the one before; a dot matrix
printer sets letters of a grid of dots; postal codes are digits alone; the faces made for machines carry what
they are used for: payment slips and the lines at the foot of passports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from random import Random

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from benchmarks.drawn_pages.prose import words
from benchmarks.drawn_pages.scanning import DrawnPage, scanned
from benchmarks.drawn_pages.sheet import DPI, HEIGHT, MARGIN, WIDTH, Sheet
from benchmarks.drawn_pages.truth import Truth, Word
from benchmarks.drawn_pages.typefaces import (
    MATRIX,
    OCR_A,
    OCR_B,
    TYPEWRITER,
    installed,
    proportional,
    typeface,
)

_Content = Callable[[Random], list[str]]

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_MARKED = ('"{}"', "'{}'", "{}'s", "- {}", "({})")
_MARKED_SHARE = 0.06
_LINES = 24
_LETTERS = 50  # of a line of prose, at most
_LEADING = 1.7  # of the size of the type
_SPECK_SHARE = 0.0002  # of a page's pixels
_SUPERSAMPLED = 4  # dots are drawn so many times larger, because a round dot has few pixels
_DOTS_PER_INCH = 72  # of the needles, one above the other
_DOTS_ACROSS = 60  # dots per inch along the line: ten letters of six columns
_ROWS = 10  # of dots, of which a letter takes seven or eight


def draw_page(text_type: str, seed: int, *, dpi: int = DPI) -> DrawnPage:
    """A page of text that was put on paper in this way, scanned with grain and specks.

    :param text_type: one of `TEXT_TYPES`, in the API's spelling.
    :param seed: of all that is left to chance; the same gives the same pixels.
    :param dpi: the scanner's resolution.
    """
    chance = Random(f"{text_type} {seed}")  # noqa: S311 - no secret
    image, truth = TEXT_TYPES[text_type](chance)
    page = scanned(image, truth, chance, dpi=dpi, skew=chance.uniform(-0.4, 0.4))
    pixels = np.array(page.image)
    specks = np.random.default_rng(chance.getrandbits(32)).random(pixels.shape) < _SPECK_SHARE
    pixels[specks] = 60
    return DrawnPage(Image.fromarray(pixels), page.dpi, page.truth)


def _typewritten(chance: Random) -> tuple[Image.Image, Truth]:
    face = typeface(chance.choice(installed(TYPEWRITER)), round(DPI / 6))
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    pen, advance, lines = ImageDraw.Draw(image), face.getlength("0"), []
    for number, line in enumerate(_prose(chance)):
        baseline, left, noted = MARGIN + round(number * DPI / 3), float(MARGIN), []
        for word in line.split():
            first = left
            for letter in word:
                height = baseline + chance.gauss(0, 1.5)
                pen.text((left, height), letter, font=face, fill=chance.randint(20, 110), anchor="ls")
                left += advance
            noted.append(Word(word, (first, baseline - DPI / 8, left, baseline + DPI / 24)))
            left += advance
        lines.append(tuple(noted))
    return image, Truth(tuple(lines))


def _of_dots(chance: Random) -> tuple[Image.Image, Truth]:
    family = chance.choice(installed(MATRIX))
    size = chance.uniform(0.75, 0.95) * DPI / _DOTS_PER_INCH  # of a dot: less than from one to the next
    large = np.full((HEIGHT, WIDTH), 255, np.uint8)
    lines = []
    for number, line in enumerate(_prose(chance)):
        top, left, noted = MARGIN + round(number * DPI / 4), MARGIN, []
        for word in line.split():
            drawn = _dotted(word, family, size)
            height, width = drawn.shape
            large[top : top + height, left : left + width] = drawn
            noted.append(Word(word, (left, top, left + width, top + height)))
            left += width + DPI // 10
        lines.append(tuple(noted))
    return Image.fromarray(large), Truth(tuple(lines))


def _dotted(word: str, family: str, size: float) -> npt.NDArray[np.uint8]:
    grid = np.hstack([_dots(letter, family) for letter in word])
    across, down = _SUPERSAMPLED * DPI / _DOTS_ACROSS, _SUPERSAMPLED * DPI / _DOTS_PER_INCH
    shape = round(grid.shape[0] * down), round(grid.shape[1] * across)
    large = np.full(shape, 255, np.uint8)
    for row, column in np.argwhere(grid):
        middle = round((column + 0.5) * across), round((row + 0.5) * down)
        cv2.circle(large, middle, round(_SUPERSAMPLED * size / 2), 30, -1)
    smaller = tuple(side // _SUPERSAMPLED for side in shape[::-1])
    return cv2.resize(large, smaller, interpolation=cv2.INTER_AREA).astype(np.uint8)


@cache
def _dots(letter: str, family: str) -> npt.NDArray[np.bool_]:
    """Which dots of its grid a letter has."""
    face = typeface(family, _ROWS)
    image = Image.new("1", (DPI // 50, _ROWS + 3), 0)
    ImageDraw.Draw(image).text((0, _ROWS - 1), letter, font=face, fill=1, anchor="ls")
    return np.asarray(image)


def _set_in(
    families: Callable[[], list[str]], content: _Content
) -> Callable[[Random], tuple[Image.Image, Truth]]:
    def drawn(chance: Random) -> tuple[Image.Image, Truth]:
        sheet = Sheet(chance.choice(families()))
        points = chance.choice([10.0, 11.0, 12.0])
        for number, line in enumerate(content(chance)):
            baseline = MARGIN + round((number + 1) * points * DPI / 72 * _LEADING)
            sheet.note_row(sheet.line(line.split(), left=MARGIN, baseline=baseline, points=points))
        return sheet.image, sheet.truth

    return drawn


def _prose(chance: Random) -> list[str]:
    """Lines of at most some fifty letters, with the quotes and dashes of a keyboard."""
    lines, line = [], ""
    for plain in words("English", chance, 8 * _LINES):
        word = chance.choice(_MARKED).format(plain) if chance.random() < _MARKED_SHARE else plain
        if len(line) + len(word) > _LETTERS:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return lines[:_LINES]


def _codes(chance: Random) -> list[str]:
    return [
        " ".join(_some(chance, _DIGITS, chance.choice([4, 5, 5, 6])) for _ in range(chance.randint(3, 6)))
        for _ in range(_LINES)
    ]


def _slips(chance: Random) -> list[str]:
    """Lines of payment slips: amounts, names in capitals, references between the signs of OCR-A."""
    digits, capitals = partial(_some, chance, _DIGITS), partial(_some, chance, _UPPER)
    kinds: list[Callable[[], str]] = [
        lambda: f"{digits(13)}> {digits(27)}+ {digits(9)}>",
        lambda: " ".join(words("English", chance, 5)[:5]).upper(),
        lambda: f"{capitals(2)}{digits(8)} {digits(4)}.{digits(2)}",
        lambda: f"NO {_some(chance, _UPPER + _DIGITS, 10)} REF {digits(6)}-{digits(2)}",
    ]
    return [chance.choice(kinds)() for _ in range(_LINES)]


def _zones(chance: Random) -> list[str]:
    """Lines of the machine-readable zones of passports, two for each."""
    lines = []
    for _ in range(_LINES // 4):
        names = [_some(chance, _UPPER, chance.randint(4, 9)) for _ in range(3)]
        lines.append(f"P<{_some(chance, _UPPER, 3)}{names[0]}<<{names[1]}<{names[2]}".ljust(44, "<"))
        number = f"{_some(chance, _UPPER, 1)}{_some(chance, _DIGITS, 8)}{_some(chance, _DIGITS, 1)}"
        dates = f"{_some(chance, _DIGITS, 7)}{chance.choice('MF')}{_some(chance, _DIGITS, 7)}"
        lines.append(f"{number}{_some(chance, _UPPER, 3)}{dates}".ljust(42, "<") + _some(chance, _DIGITS, 2))
        lines += _slips(chance)[:2]
    return lines


def _some(chance: Random, letters: str, count: int) -> str:
    return "".join(chance.choices(letters, k=count))


TEXT_TYPES: Mapping[str, Callable[[Random], tuple[Image.Image, Truth]]] = {
    "typewriter": _typewritten,
    "matrix": _of_dots,
    "index": _set_in(proportional, _codes),
    "ocrA": _set_in(lambda: installed(OCR_A), _slips),
    "ocrB": _set_in(lambda: installed(OCR_B), _zones),
}
