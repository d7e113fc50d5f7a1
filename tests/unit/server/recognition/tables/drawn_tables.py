# SPDX-License-Identifier: Apache-2.0
"""Pages with a ruled table of known cells: spans, empty cells, words and numbers, from a seed."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WORDS = (
    *("Tea", "Coffee", "Bread", "Butter", "Honey", "Apples", "Invoice"),
    *("Amount", "Total", "Price", "Quantity", "Discount", "Delivery"),
)
DPI = 300
_LEFT, _TOP = 200, 300
_PADDING = 24


@dataclass(frozen=True, slots=True)
class DrawnTable:
    """An image of a page, and its cells: (row, column, row span, column span) and the text of each."""

    image: Image.Image
    cells: dict[tuple[int, int, int, int], str]


def drawn_table(seed: int, *, rule: int = 3) -> DrawnTable:
    """A table of 3 to 9 rows and 3 to 5 columns.

    :param seed: of all that is left to chance.
    :param rule: thickness of its lines, in pixels of 300 to an inch.
    """
    chance = random.Random(seed)
    rows, columns = chance.randint(3, 9), chance.randint(3, 5)
    font = ImageFont.load_default(size=chance.choice([38, 42, 46]))
    widths = [chance.randint(300, 480) for _ in range(columns)]
    heights = [chance.randint(84, 130) for _ in range(rows)]
    xs = [_LEFT, *(_LEFT + width for width in itertools.accumulate(widths))]
    ys = [_TOP, *(_TOP + height for height in itertools.accumulate(heights))]
    image = Image.new("L", (2480, 1800), 255)
    pen = ImageDraw.Draw(image)
    pen.text((_LEFT, 150), "What stands above the table is no part of it", font=font, fill=0)
    pen.text((_LEFT, ys[-1] + 60), "and neither is what follows below.", font=font, fill=0)
    cells = {}
    for place in _spans(chance, rows, columns):
        row, column, row_span, column_span = place
        box = (xs[column], ys[row], xs[column + column_span], ys[row + row_span])
        pen.rectangle(box, outline=0, width=rule)
        text = _text(chance, box[2] - box[0] - 2 * _PADDING, font)
        pen.text((box[0] + _PADDING, (box[1] + box[3]) / 2), text, font=font, fill=0, anchor="lm")
        cells[place] = text
    return DrawnTable(image, cells)


def _spans(chance: random.Random, rows: int, columns: int) -> list[tuple[int, int, int, int]]:
    """Places that cover all of the table, some of them two rows high or two columns wide."""
    free = set(itertools.product(range(rows), range(columns)))
    places = []
    for row, column in sorted(free):
        if (row, column) not in free:
            continue
        right, below = (row, column + 1), (row + 1, column)
        kind = chance.random()
        if kind < 0.08 and right in free:
            taken, span = {(row, column), right}, (1, 2)
        elif kind < 0.16 and below in free:
            taken, span = {(row, column), below}, (2, 1)
        else:
            taken, span = {(row, column)}, (1, 1)
        free -= taken
        places.append((row, column, *span))
    return places


def _text(chance: random.Random, width: float, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    kind = chance.random()
    if kind < 0.12:
        return ""
    if kind < 0.5:
        number = f"{chance.randint(0, 99999) / 100:,.2f}"
        return number if chance.random() < 0.5 else number.translate(str.maketrans(",.", ".,"))
    words = chance.sample(WORDS, 3)
    while font.getlength(" ".join(words)) > width:
        words.pop()
    return " ".join(words)
