# SPDX-License-Identifier: Apache-2.0
"""What recognition gives and export takes: one page at a time, small enough that 500 pages do not count.

All boxes are in pixels of the *corrected* page image (turned upright and straightened);
``Page.to_original`` leads back to the image as it came.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle in whole pixels; right and bottom lie just outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top


def enclosing(boxes: list[Box]) -> Box:
    """The smallest box around all ``boxes``, of which there is at least one."""
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


class Affine(NamedTuple):
    """A map of the plane: ``x' = xx * x + xy * y + x0`` and ``y' = yx * x + yy * y + y0``."""

    xx: float = 1.0
    xy: float = 0.0
    x0: float = 0.0
    yx: float = 0.0
    yy: float = 1.0
    y0: float = 0.0

    def then(self, other: Affine) -> Affine:
        """The map that applies this one first and ``other`` to its result."""
        return Affine(
            other.xx * self.xx + other.xy * self.yx,
            other.xx * self.xy + other.xy * self.yy,
            other.xx * self.x0 + other.xy * self.y0 + other.x0,
            other.yx * self.xx + other.yy * self.yx,
            other.yx * self.xy + other.yy * self.yy,
            other.yx * self.x0 + other.yy * self.y0 + other.y0,
        )

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where the point lands."""
        return self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0

    def box(self, box: Box) -> Box:
        """The smallest upright box around where the corners of ``box`` land."""
        corners = [self.point(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
        return Box(
            math.floor(min(x for x, _ in corners) + _ROUNDING),
            math.floor(min(y for _, y in corners) + _ROUNDING),
            math.ceil(max(x for x, _ in corners) - _ROUNDING),
            math.ceil(max(y for _, y in corners) - _ROUNDING),
        )


_ROUNDING = 1e-6  # what is a whole number up to floating point noise must not grow by a pixel


class BlockType(StrEnum):
    """What a part of a page is, in the words of the result XML."""

    TEXT = "Text"
    PICTURE = "Picture"
    BARCODE = "Barcode"
    SEPARATOR = "Separator"


class Baseline(NamedTuple):
    """The line that letters stand on, from where the text starts to where it ends, in pixels."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def angle(self) -> float:
        """Radians, counter-clockwise as a reader sees it; 0 for text that runs level to the right."""
        return math.atan2(self.y1 - self.y2, self.x2 - self.x1)


class Character(NamedTuple):
    """One character as the engine cut it; several code points where they are written as one."""

    text: str
    box: Box
    confidence: int


@dataclass(frozen=True, slots=True)
class Word:
    """A word without the spaces around it.

    :param text: what it says.
    :param box: where it stands.
    :param confidence: 0 to 100.
    :param language: the API's name of the language that it was read in.
    :param first: position of its first character among those of its line.
    :param count: how many characters it has.
    """

    text: str
    box: Box
    confidence: float
    language: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Line:
    """Words from left to right that stand on one baseline.

    The characters of all its words lie in parallel arrays, because a page has thousands of them.

    :param texts: the characters, in the order of the words.
    :param edges: left, top, right and bottom of each character, one after the other.
    :param certainties: confidence of each character, 0 to 100.
    """

    words: tuple[Word, ...]
    box: Box
    baseline: Baseline
    texts: tuple[str, ...]
    edges: array[int]
    certainties: bytes

    def characters(self, word: Word) -> Iterator[Character]:
        """The characters of one of this line's words."""
        for index in range(word.first, word.first + word.count):
            box = Box(*self.edges[4 * index : 4 * index + 4])
            yield Character(self.texts[index], box, self.certainties[index])


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Barcode:
    """A decoded barcode; ``kind`` is the result XML's name for its type, for example ``QRCODE``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a page; text blocks have paragraphs, barcode blocks a barcode."""

    type: BlockType
    box: Box
    paragraphs: tuple[Paragraph, ...] = ()
    barcode: Barcode | None = None

    @property
    def lines(self) -> Iterator[Line]:
        """All lines of text in reading order."""
        return (line for paragraph in self.paragraphs for line in paragraph.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One recognised page.

    :param number: 1 for the first page of the document.
    :param original_width: pixels of the page image as it came (the way a viewer shows it).
    :param original_height: the same, from top to bottom.
    :param original_dpi: its pixels per inch, declared or estimated.
    :param width: pixels of the corrected image.
    :param height: the same, from top to bottom.
    :param dpi: pixels per inch of the corrected image.
    :param rotation: degrees (0, 90, 180, 270) that the original was turned clockwise to stand upright.
    :param skew: degrees, counter-clockwise, that it was turned after that.
    :param to_original: from pixels of the corrected image to those of the original.
    :param blocks: in reading order; separators come last.
    :param image: file with the corrected image (JPEG, or TIFF with one CCITT G4 strip), where there is one.
    :param failed: whether the page could not be recognised and is there as a picture of itself.
    """

    number: int
    original_width: int
    original_height: int
    original_dpi: float
    width: int
    height: int
    dpi: float
    rotation: int
    skew: float
    to_original: Affine
    blocks: tuple[Block, ...]
    image: Path | None = None
    failed: bool = False

    @property
    def lines(self) -> Iterator[Line]:
        """All lines of text in reading order."""
        return (line for block in self.blocks for line in block.lines)

    @property
    def words(self) -> Iterator[Word]:
        """All words in reading order."""
        return (word for line in self.lines for word in line.words)
