# SPDX-License-Identifier: Apache-2.0
"""Cells read alone: those that hold a number, and those with ink in which no word was found.

Of letters the engine knows what usually follows what; of digits it does not, and takes one for another where
it reads a whole row. Alone, in black and white and in the size that it works with, it hardly ever does.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from airflow_provider_ocr.server.document import Block, Box, Cell, Line, Paragraph, Table
from airflow_provider_ocr.server.recognition.ink import Grey, ink_mask
from airflow_provider_ocr.server.recognition.line_pieces import height_of_baseline, line_of, pieces_of
from airflow_provider_ocr.server.recognition.tables.numbers import is_number

Read = Callable[[Grey, float], list[Block]]
"""Reads a picture of a cell, that is so many times as large as on the page."""

_HEIGHT = 30  # pixels that digits are high for the engine at most; larger ones are read worse
_MARGIN = 8  # pixels of paper around what is read at least
_LOWEST = 36  # pixels that a picture is high at least: of a dash too little would be left otherwise
_TALLEST = 2.0  # of a line's height, from which on ink is no line of text
_SURE = 70.0  # confidence from which the second reading of a number counts
_READABLE = 30.0  # confidence from which the first reading of a cell counts that had no word
_BESIDE, _ABOVE = 1.0, 0.4  # of a line's height: where more of it may be than the engine saw
_INSET = 0.02  # inches next to a ruled line that what is left of it may take
_SMALLEST = 0.25  # of a line's height, that a mark is wide or high unless it is dust


@dataclass(frozen=True, slots=True)
class _Picture:
    """What stands in a part of the page, black on white, scaled.

    :param scale: its size, as a share of that on the page.
    :param left: x of its left edge on the page.
    :param top: y of its upper edge on the page.
    """

    grey: Grey
    scale: float
    left: float
    top: float

    def on_page(self, box: Box) -> Box:
        """Where something of the picture is on the page."""
        left, top, right, bottom = (edge / self.scale for edge in box)
        return Box(
            round(left + self.left),
            round(top + self.top),
            round(right + self.left),
            round(bottom + self.top),
        )


def read_again(blocks: Sequence[Block], grey: Grey, *, dpi: float, read: Read) -> list[Block]:
    """The blocks, the numbers in their tables and what was missing in the cells read once more.

    :param grey: the straight page without its ruled lines, 0 is black.
    :param dpi: its pixels per inch.
    :param read: the engine.
    """
    if not any(block.table for block in blocks):
        return list(blocks)
    ink = ink_mask(grey)
    return [
        replace(block, table=_read_again(block.table, ink, dpi=dpi, read=read)) if block.table else block
        for block in blocks
    ]


def _read_again(table: Table, ink: Grey, *, dpi: float, read: Read) -> Table:
    lines = [line for cell in table.cells for paragraph in cell.paragraphs for line in paragraph.lines]
    if not lines:
        return table
    height = statistics.median(line.box.height for line in lines)
    inset = round(_INSET * dpi) if table.ruled else 0
    cells = []
    for cell in table.cells:
        left, top, right, bottom = cell.box
        inside = Box(left + inset, top + inset, right - inset, bottom - inset)
        if not cell.paragraphs and table.ruled:
            cells.append(_found(cell, inside, ink, height=height, read=read))
        else:
            cells.append(_corrected(cell, inside, ink, read=read))
    return replace(table, cells=tuple(cells))


def _corrected(cell: Cell, inside: Box, ink: Grey, *, read: Read) -> Cell:
    """The cell; if it is a number, as it is read alone."""
    lines = [line for paragraph in cell.paragraphs for line in paragraph.lines]
    if len(lines) != 1 or not is_number(lines[0]) or _has_letters(lines[0]):
        return cell
    box = lines[0].box
    beside, above = round(_BESIDE * box.height), round(_ABOVE * box.height)
    area = Box(
        max(inside.left, box.left - beside),
        max(inside.top, box.top - above),
        min(inside.right, box.right + beside),
        min(inside.bottom, box.bottom + above),
    )
    second = _lines(ink, area, read=read)
    if len(second) != 1 or not is_number(second[0]) or _confidence(second[0]) < _SURE:
        return cell
    line = replace(second[0], size=lines[0].size)
    return replace(cell, paragraphs=(replace(cell.paragraphs[0], lines=(line,)),))


def _found(cell: Cell, inside: Box, ink: Grey, *, height: float, read: Read) -> Cell:
    """The empty cell, with what can be read in it."""
    part = ink[inside.top : inside.bottom, inside.left : inside.right]
    if not part.any():
        return cell
    _, _, marks, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    tops, ends = marks[1:, 1], marks[1:, 1] + marks[1:, 3]
    is_dust = bool((marks[1:, 2:4].max(axis=1) < _SMALLEST * height).all())
    if is_dust or ends.max() - tops.min() > _TALLEST * height:
        return cell
    lines = tuple(line for line in _lines(ink, inside, read=read) if _confidence(line) >= _READABLE)
    return replace(cell, paragraphs=(Paragraph(lines),)) if lines else cell


def _lines(ink: Grey, area: Box, *, read: Read) -> list[Line]:
    """What is read in a part of the page, where it stands on the page."""
    picture = _picture(ink, area)
    if picture is None:
        return []
    found = [line for block in read(picture.grey, picture.scale) for line in block.lines]
    return [_on_page(line, picture) for line in found]


def _picture(ink: Grey, area: Box) -> _Picture | None:
    """The ink of the area without the paper around it; None where there is none."""
    part = ink[area.top : area.bottom, area.left : area.right] > 0
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    if not len(rows):
        return None
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    letters = np.where(part[top:bottom, left:right], 0, 255).astype(np.uint8)
    scale = min(1.0, _HEIGHT / (bottom - top))
    small = cv2.resize(letters, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    margin = max(_MARGIN, (_LOWEST - len(small)) // 2)
    grey = np.pad(small, margin, constant_values=255).astype(np.uint8, copy=False)
    return _Picture(grey, scale, area.left + left - margin / scale, area.top + top - margin / scale)


def _on_page(line: Line, picture: _Picture) -> Line:
    pieces = [
        (
            replace(word, box=picture.on_page(word.box)),
            [one._replace(box=picture.on_page(one.box)) for one in characters],
        )
        for word, characters in pieces_of(line)
    ]
    level = round(height_of_baseline(line))
    baseline = picture.on_page(Box(0, level, 0, level)).top
    return replace(line_of(pieces, baseline=baseline), size=line.size)


def _has_letters(line: Line) -> bool:
    """Whether it may be a code: a B is not an 8 then."""
    return any(text.isalpha() for text in line.texts)


def _confidence(line: Line) -> float:
    """Of the worst word."""
    return min(word.confidence for word in line.words)
