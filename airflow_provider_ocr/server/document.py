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

from airflow_provider_ocr.server.stored_image import StoredImage


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


class Projection(NamedTuple):
    """A map of the plane that keeps lines straight, as a camera's picture of a page does.

    ``x' = (xx * x + xy * y + x0) / w`` and ``y' = (yx * x + yy * y + y0) / w``, where
    ``w = wx * x + wy * y + 1``. Without ``wx`` and ``wy`` parallel lines stay parallel.
    """

    xx: float = 1.0
    xy: float = 0.0
    x0: float = 0.0
    yx: float = 0.0
    yy: float = 1.0
    y0: float = 0.0
    wx: float = 0.0
    wy: float = 0.0

    def then(self, other: Projection) -> Projection:
        """The map that applies this one first and ``other`` to its result."""
        columns = tuple(zip(*_matrix(self), strict=True))
        product = [
            [sum(one * two for one, two in zip(row, column, strict=True)) for column in columns]
            for row in _matrix(other)
        ]
        scale = product[2][2]
        return Projection(*(value / scale for value in (*product[0], *product[1], *product[2][:2])))

    def inverted(self) -> Projection:
        """The map that leads back.

        :raises ZeroDivisionError: if there is none, because this one maps the plane onto a line.
        """
        (a, b, c), (d, e, f), (g, h, i) = _matrix(self)
        scale = a * e - b * d
        adjugate = (
            *(e * i - f * h, c * h - b * i, b * f - c * e),
            *(f * g - d * i, a * i - c * g, c * d - a * f),
            *(d * h - e * g, b * g - a * h),
        )
        return Projection(*(value / scale for value in adjugate))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Where the point lands."""
        w = self.wx * x + self.wy * y + 1
        return (self.xx * x + self.xy * y + self.x0) / w, (self.yx * x + self.yy * y + self.y0) / w

    def box(self, box: Box) -> Box:
        """The smallest upright box around where the corners of ``box`` land."""
        corners = [self.point(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
        return Box(
            math.floor(min(x for x, _ in corners) + _ROUNDING),
            math.floor(min(y for _, y in corners) + _ROUNDING),
            math.ceil(max(x for x, _ in corners) - _ROUNDING),
            math.ceil(max(y for _, y in corners) - _ROUNDING),
        )


def _matrix(map_: Projection) -> list[list[float]]:
    return [list(map_[:3]), list(map_[3:6]), [*map_[6:], 1.0]]


_ROUNDING = 1e-6  # what is a whole number up to floating point noise must not grow by a pixel


class BlockType(StrEnum):
    """What a part of a page is, in the words of the result XML."""

    TEXT = "Text"
    TABLE = "Table"
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


class Reading(NamedTuple):
    """What a character may be, with the confidence, 0 to 100."""

    text: str
    confidence: int


class Character(NamedTuple):
    """One character as the engine cut it; several code points where they are written as one.

    :param readings: what else it may be, the most likely first; empty where nobody asked.
    """

    text: str
    box: Box
    confidence: int
    readings: tuple[Reading, ...] = ()


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
    :param size: points of its type, 0 where that is not known.
    :param hyphenated: whether its last word goes on in the next line, and its hyphen is none of the word's.
    :param readings: for each character what else it may be, the most likely first; empty where nobody asked.
    """

    words: tuple[Word, ...]
    box: Box
    baseline: Baseline
    texts: tuple[str, ...]
    edges: array[int]
    certainties: bytes
    size: float = 0.0
    hyphenated: bool = False
    readings: tuple[tuple[Reading, ...], ...] = ()

    def characters(self, word: Word) -> Iterator[Character]:
        """The characters of one of this line's words."""
        for index in range(word.first, word.first + word.count):
            box = Box(*self.edges[4 * index : 4 * index + 4])
            readings = self.readings[index] if self.readings else ()
            yield Character(self.texts[index], box, self.certainties[index], readings)


class ParagraphRole(StrEnum):
    """What a paragraph is to its document; the values are those of the result XML where that has one."""

    TEXT = "text"
    HEADING = "heading"
    LIST_ITEM = "listItem"
    CAPTION = "pictureCaption"
    HEADER = "header"
    FOOTER = "footer"


class Alignment(StrEnum):
    """How the lines of a paragraph stand, in the words of the result XML."""

    LEFT = "Left"
    CENTER = "Center"
    RIGHT = "Right"
    JUSTIFIED = "Justified"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together.

    :param level: of a heading, 1 for the topmost; 0 for all else.
    """

    lines: tuple[Line, ...]
    role: ParagraphRole = ParagraphRole.TEXT
    alignment: Alignment = Alignment.LEFT
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table.

    :param row: the first of the rows that it covers, 0 for the topmost.
    :param column: the first of the columns that it covers, 0 for the leftmost.
    :param row_span: how many rows it covers.
    :param column_span: how many columns it covers.
    :param paragraphs: what stands in it, maybe nothing.
    """

    row: int
    column: int
    row_span: int = 1
    column_span: int = 1
    box: Box
    paragraphs: tuple[Paragraph, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A grid whose every place is covered by exactly one cell.

    :param columns: x of the grid's upright lines, left to right, one more than there are columns.
    :param rows: y of its level lines, top to bottom, one more than there are rows.
    :param cells: row by row, in each from left to right.
    :param ruled: whether its lines are drawn.
    """

    columns: tuple[int, ...]
    rows: tuple[int, ...]
    cells: tuple[Cell, ...]
    ruled: bool


@dataclass(frozen=True, slots=True)
class Barcode:
    """A decoded barcode; ``kind`` is the result XML's name for its type, for example ``QRCODE``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a page; text blocks have paragraphs, table blocks a table, barcode blocks a barcode."""

    type: BlockType
    box: Box
    paragraphs: tuple[Paragraph, ...] = ()
    barcode: Barcode | None = None
    table: Table | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it is shown as it looks: a picture, or a barcode, of which its text shows nothing."""
        return self.type in (BlockType.PICTURE, BlockType.BARCODE)

    @property
    def all_paragraphs(self) -> Iterator[Paragraph]:
        """The block's paragraphs, and those of its table's cells, in reading order."""
        yield from self.paragraphs
        if self.table is not None:
            for cell in self.table.cells:
                yield from cell.paragraphs

    @property
    def lines(self) -> Iterator[Line]:
        """All lines of text in reading order."""
        return (line for paragraph in self.all_paragraphs for line in paragraph.lines)


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
    :param rotation: degrees (0, 90, 180, 270) that the original was turned clockwise to stand upright; of a
        photo, after its sheet was made flat.
    :param skew: degrees, counter-clockwise, that it was turned after that.
    :param to_original: from pixels of the corrected image to those of the original.
    :param blocks: in reading order; separators come last.
    :param image: file with the corrected image (JPEG, or TIFF with one CCITT G4 strip), where there is one.
    :param stored: the corrected image as a PDF file takes it, where one is to be written.
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
    to_original: Projection
    blocks: tuple[Block, ...]
    image: Path | None = None
    stored: StoredImage | None = None
    failed: bool = False

    @property
    def paragraphs(self) -> Iterator[Paragraph]:
        """All paragraphs, those in tables too, in reading order."""
        return (paragraph for block in self.blocks for paragraph in block.all_paragraphs)

    @property
    def lines(self) -> Iterator[Line]:
        """All lines of text in reading order."""
        return (line for block in self.blocks for line in block.lines)

    @property
    def words(self) -> Iterator[Word]:
        """All words in reading order."""
        return (word for line in self.lines for word in line.words)
