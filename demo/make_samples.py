# SPDX-License-Identifier: Apache-2.0
"""Draws the sample scans and, beside each, the exact text that is printed on it.

A document is set from its source in ``sample_sources/`` on white sheets that note every line as they print
it, so the text beside a scan is true by construction. The sheets are then scanned: turned, blurred, lit
unevenly, tinted and given grain and dust from a seed, so that every run gives the same pixels. All people,
companies and numbers are invented.

The fonts, Source Serif Pro and Source Sans Pro (SIL Open Font License 1.1), come from two small packages:
``pip install font-source-serif-pro font-source-sans-pro``. Only redrawing needs them.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Colour = tuple[int, int, int]

DOTS_PER_INCH = 300
RESOLUTION = (DOTS_PER_INCH, DOTS_PER_INCH)
BLACK: Colour = (20, 20, 24)
NAVY: Colour = (24, 48, 104)
GREEN: Colour = (18, 84, 60)
CELL_PADDING = 1.7
DARKEST_WHITE = 150
FONTS_MISSING = 3
HERE = Path(__file__).parent


class Face(Enum):
    """A typeface: the package that brings it and its file there."""

    SERIF = ("font_source_serif_pro", "SourceSerifPro-Regular.ttf")
    SERIF_BOLD = ("font_source_serif_pro", "SourceSerifPro-Bold.ttf")
    SANS = ("font_source_sans_pro", "SourceSansPro-Regular.ttf")
    SANS_BOLD = ("font_source_sans_pro", "SourceSansPro-Bold.ttf")


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column: its edges in millimetres from the sheet's left, and the side its text is set to."""

    left: float
    right: float
    side: Literal["l", "r"] = "l"

    @property
    def anchor(self) -> float:
        """Where text is set from, in millimetres."""
        return self.left + CELL_PADDING if self.side == "l" else self.right - CELL_PADDING


VALUE_ADDED_TAX = Decimal("0.19")
INVOICE_COLUMNS = (
    *(Column(24, 38), Column(38, 101)),
    *(Column(101, 125, "r"), Column(125, 156, "r"), Column(156, 186, "r")),
)


def pixels(millimetres: float) -> int:
    """How many pixels a length on paper takes."""
    return round(millimetres / 25.4 * DOTS_PER_INCH)


@cache
def font(face: Face, points: float) -> ImageFont.FreeTypeFont:
    """A face at a size.

    :raises ModuleNotFoundError: when the package that brings the face is not installed.
    """
    package, name = face.value
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(
            f"The font {name} is not installed: run 'pip install {package.replace('_', '-')}' and try again."
        )
    path = Path(found.origin).with_name("files") / name
    # The basic layout draws the same everywhere, whatever text shaper a machine has.
    return ImageFont.truetype(path, points / 72 * DOTS_PER_INCH, layout_engine=ImageFont.Layout.BASIC)


def broken(text: str, setting: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """A text as lines that are at most so many pixels wide; words are never divided."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and setting.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


class Sheet:
    """A white sheet, printed from the top down, that remembers what it says.

    :param face: of running text.
    :param bold: of headings.
    :param points: the size of running text.
    :param leading: from one line to the next, as a multiple of the size.
    :param size: width and height in millimetres.
    :param margin: left, right and above the first line, in millimetres.
    """

    def __init__(
        self,
        *,
        face: Face,
        bold: Face,
        points: float,
        leading: float = 1.36,
        size: tuple[int, int] = (210, 297),
        margin: float,
    ) -> None:
        self.image = Image.new("RGB", (pixels(size[0]), pixels(size[1])), "white")
        self.lines: list[str] = []
        self.left, self.right, self.top = margin, size[0] - margin, margin
        self._face, self._bold, self._points, self._leading = face, bold, points, leading
        self._draw = ImageDraw.Draw(self.image)

    def heading(self, text: str, points: float, ink: Colour = BLACK) -> None:
        """Print one bold line at a size."""
        self._print([(self.left, "l", text)], self._bold, points, ink)

    def letterhead(self, company: str, lines: Sequence[str], ink: Colour) -> None:
        """Print who the sheet is from, above a line across it."""
        self.heading(company, 20, ink)
        for line in lines:
            self.small(line, ink)
        self.top += 2
        self.rule(self.left, self.top, self.right, self.top, ink=ink, thick=0.5)
        self.top += 12

    def small(self, text: str, ink: Colour = BLACK) -> None:
        """Print one line in a plain, smaller face."""
        self._print([(self.left, "l", text)], Face.SANS, 10, ink)

    def text(self, source: str) -> None:
        """Print blocks parted by empty lines: ``#`` heads, ``|`` keeps lines as they are, ``1.`` numbers."""
        for block in source.strip().split("\n\n"):
            mark, rest = block.split(maxsplit=1)
            if mark == "#":
                self.top += self._points * 0.2
                self.heading(rest, self._points + 1)
            elif mark == "|":
                for line in block.splitlines():
                    self._print([(self.left, "l", line.removeprefix("| "))], self._face, self._points, BLACK)
                self.top += self._points * 0.3
            elif mark.endswith(".") and mark[:-1].isdigit():
                self._paragraph(rest, label=mark)
            else:
                self._paragraph(block)
            self.top += self._points * 0.2

    def row(self, cells: Sequence[str], columns: Sequence[Column], *, bold: bool = False) -> None:
        """Print one line of cells."""
        placed = [(column.anchor, column.side, text) for column, text in zip(columns, cells, strict=True)]
        self._print(placed, self._bold if bold else self._face, self._points, BLACK)

    def table(self, rows: Sequence[Sequence[str]], columns: Sequence[Column]) -> None:
        """Print rows inside ruled lines; the first row is the heading."""
        edges = [self.top]
        for number, cells in enumerate(rows):
            self.top += CELL_PADDING
            self.row(cells, columns, bold=not number)
            self.top += CELL_PADDING
            edges.append(self.top)
        for edge in edges:
            self.rule(columns[0].left, edge, columns[-1].right, edge)
        for across in (columns[0].left, *(column.right for column in columns)):
            self.rule(across, edges[0], across, edges[-1])

    def rule(
        self, left: float, top: float, right: float, bottom: float, *, ink: Colour = BLACK, thick: float = 0.3
    ) -> None:
        """Print a straight line between two points, all in millimetres."""
        ends = (pixels(left), pixels(top), pixels(right), pixels(bottom))
        self._draw.line(ends, fill=ink, width=pixels(thick))

    def _paragraph(self, text: str, *, label: str = "") -> None:
        indent = 8 if label else 0
        lines = broken(text, font(self._face, self._points), pixels(self.right - self.left - indent))
        for number, line in enumerate(lines):
            hung = [(self.left, "l", label)] if label and not number else []
            self._print([*hung, (self.left + indent, "l", line)], self._face, self._points, BLACK)

    def _print(self, parts: Sequence[tuple[float, str, str]], face: Face, points: float, ink: Colour) -> None:
        height = points / 72 * 25.4
        baseline = pixels(self.top + height)
        for across, side, text in parts:
            place = (pixels(across), baseline)
            self._draw.text(place, text, font=font(face, points), fill=ink, anchor=f"{side}s")
        self.lines.append(" ".join(text for _, _, text in parts))
        self.top += height * self._leading


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """What a scanner and its glass do to a sheet.

    :param seed: of the grain and the dust.
    :param turn: how far the sheet lies turned, in degrees anticlockwise.
    :param paper: the paper's colour.
    :param grain: the strength of the noise, as a share of the way from black to white.
    :param dust: how many specks lie on the glass.
    """

    seed: int
    turn: float
    paper: Colour = (251, 249, 243)
    grain: float = 0.012
    dust: int = 60

    def scan(self, sheet: Sheet) -> Image.Image:
        """The sheet as it comes out of the scanner, in the sheet's own size."""
        random = np.random.default_rng(self.seed)
        page = sheet.image.rotate(self.turn, Image.Resampling.BICUBIC, fillcolor="white")
        self._strew(page, random)
        ink = 1 - np.asarray(page.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32) / 255
        light = 0.965 + 0.035 * clouds(page.size, random, cell=900) - 0.07 * shadow(page.size)
        toner = 0.93 + 0.05 * clouds(page.size, random, cell=40)
        grain = self.grain * clouds(page.size, random, cell=1.6)
        seen = (1 - ink * toner[..., None]) * light[..., None] + grain[..., None]
        colours = np.clip(seen * np.array(self.paper, dtype=np.float32), 0, 255)
        return Image.fromarray(colours.astype(np.uint8))

    def _strew(self, page: Image.Image, random: np.random.Generator) -> None:
        draw = ImageDraw.Draw(page)
        for _ in range(self.dust):
            across, down = random.uniform(0, page.width), random.uniform(0, page.height)
            wide, high = random.uniform(0.5, 2.5, 2)
            shade = int(random.uniform(40, 190))
            draw.ellipse((across, down, across + wide, down + high), fill=(shade, shade, shade))


def clouds(size: tuple[int, int], random: np.random.Generator, *, cell: float) -> npt.NDArray[np.float32]:
    """Random heights between about -1 and 1 that change over so many pixels."""
    width, height = size
    coarse = random.uniform(-1, 1, (int(height / cell) + 2, int(width / cell) + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))


def shadow(size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """The share of light, from 0 to 1, that is lost along the left edge and in the far corner."""
    width, height = size
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    lost: npt.NDArray[np.float32] = 0.7 * np.exp(-across * 30) + 0.5 * (across * down) ** 3
    return lost


def parts(document: str) -> list[str]:
    """The parts of a document's source, which lines of three hyphens separate."""
    source = (HERE / "sample_sources" / f"{document}.txt").read_text(encoding="utf-8")
    return source.split("\n---\n")


def cells(source: str) -> list[list[str]]:
    """The rows of a table's source, in each the cells that upright strokes separate."""
    return [line.split(" | ") for line in source.strip().splitlines()]


def german(amount: Decimal) -> str:
    """An amount of money as German invoices write it, such as 1.249,50."""
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def letter(path: Path) -> list[Sheet]:
    """Draw an English business letter and scan it to a colour JPEG."""
    sheet = Sheet(face=Face.SERIF, bold=Face.SERIF_BOLD, points=11.5, margin=27)
    address = (
        "Unit 7, Tanner Wharf, Millbrook MB4 9QT",
        "Telephone 01632 960 418, office@harrow-pell.example",
    )
    sheet.letterhead("Harrow & Pell Instruments", address, NAVY)
    body, signature = parts("letter")
    sheet.text(body)
    sheet.top += 14
    sheet.text(signature)
    Scanner(seed=11, turn=0.35).scan(sheet).save(path, quality=85, dpi=RESOLUTION)
    return [sheet]


def invoice(path: Path) -> list[Sheet]:
    """Draw a German invoice with a ruled table and scan it to a PDF that holds nothing but a JPEG."""
    sheet = Sheet(face=Face.SANS, bold=Face.SANS_BOLD, points=11, margin=24)
    sheet.letterhead("Möbelhaus Grünwäldchen GmbH", ["Mühlstraße 14, 99990 Größenbach"], GREEN)
    opening, items, closing = parts("rechnung")
    sheet.text(opening)
    sheet.top += 3
    rows = [["Pos.", "Bezeichnung", "Menge", "Einzelpreis", "Betrag"]]
    net = Decimal(0)
    for number, (name, quantity, price) in enumerate(cells(items), 1):
        amount = Decimal(price) * int(quantity.split()[0])
        rows.append([f"{number:02}", name, quantity, german(Decimal(price)), german(amount)])
        net += amount
    sheet.table(rows, INVOICE_COLUMNS)
    sheet.top += 3
    tax = (net * VALUE_ADDED_TAX).quantize(Decimal("0.01"), ROUND_HALF_UP)
    under_the_prices = (Column(INVOICE_COLUMNS[0].left, INVOICE_COLUMNS[3].right, "r"), INVOICE_COLUMNS[4])
    sheet.row(("Nettobetrag", german(net)), under_the_prices)
    sheet.row(("Umsatzsteuer 19 Prozent", german(tax)), under_the_prices)
    sheet.row(("Gesamtbetrag", german(net + tax)), under_the_prices, bold=True)
    sheet.top += 8
    sheet.text(closing)
    page = Scanner(seed=23, turn=-0.25, paper=(247, 249, 250)).scan(sheet)
    same = time.gmtime(0)  # the date of the run would make every run's file another
    page.save(path, quality=85, resolution=DOTS_PER_INCH, creationDate=same, modDate=same)
    return [sheet]


def minutes(path: Path) -> list[Sheet]:
    """Draw a meeting's minutes and scan them to a bilevel TIFF: skewed, skewed the other way, upside down."""
    sources = parts("minutes")
    sheets, scans = [], []
    for number, (turn, source) in enumerate(zip((2.3, -1.7, 180.8), sources, strict=True), 1):
        sheet = Sheet(face=Face.SERIF, bold=Face.SANS_BOLD, points=12.5, leading=1.65, margin=28)
        if number == 1:
            sheet.heading("Minutes of the Harbour Library Committee", 18)
            sheet.top += 4
        sheet.text(source)
        sheet.top = 270
        sheet.text(f"| Minutes of 10 February 2026, page {number}")
        grey = Scanner(seed=50 + number, turn=turn, grain=0.07, dust=80).scan(sheet).convert("L")
        scans.append(grey.point(lambda level: 255 * (level >= DARKEST_WHITE), "1"))
        sheets.append(sheet)
    scans[0].save(path, save_all=True, append_images=scans[1:], compression="group4", dpi=RESOLUTION)
    return sheets


def receipt(path: Path) -> list[Sheet]:
    """Draw a shop's receipt and scan it, lying on its side, to a PNG of few greys, which keep it small."""
    sheet = Sheet(face=Face.SANS, bold=Face.SANS_BOLD, points=11, size=(80, 108), margin=8)
    sheet.heading("Corner Grocer Vale", 16)
    sheet.small("3 Orchard Lane, Millbrook")
    sheet.small("21 March 2026, 10:42")
    sheet.top += 4
    columns = (Column(8 - CELL_PADDING, 52), Column(52, 72 + CELL_PADDING, "r"))
    goods = cells(*parts("receipt"))
    for row in goods:
        sheet.row(row, columns)
    sheet.rule(8, sheet.top + 1.5, 72, sheet.top + 1.5)
    sheet.top += 3
    total = str(sum(Decimal(price) for _, price in goods))
    sheet.row(("Total", total), columns, bold=True)
    sheet.row(("Paid by card", total), columns)
    sheet.top += 4
    sheet.small("Thank you and see you soon")
    upright = Scanner(seed=48, turn=-0.6, dust=20).scan(sheet).convert("L")
    page = upright.point(lambda level: level // 4 * 4 + 3).transpose(Image.Transpose.ROTATE_90)
    page.save(path, optimize=True, dpi=RESOLUTION)
    return [sheet]


SAMPLES = {"letter.jpg": letter, "rechnung.pdf": invoice, "minutes.tif": minutes, "receipt.png": receipt}


def main() -> int:
    """Write every sample and its text, list what was written, and answer with the program's exit status."""
    parser = argparse.ArgumentParser(description="Draw the sample scans and their texts.")
    parser.add_argument("--output", type=Path, default=HERE / "samples", help="folder to write to")
    folder: Path = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in SAMPLES.items():
        scan = folder / name
        try:
            sheets = draw(scan)
        except ModuleNotFoundError as missing:
            print(missing, file=sys.stderr)
            return FONTS_MISSING
        text = scan.with_suffix(".txt")
        pages = ["".join(f"{line}\n" for line in sheet.lines) for sheet in sheets]
        text.write_text("\n".join(pages), encoding="utf-8")
        for path in (scan, text):
            print(f"{path.name:<14}{path.stat().st_size:>10,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
