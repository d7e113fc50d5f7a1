# SPDX-License-Identifier: Apache-2.0
"""``pdfSearchable``: the corrected page image, and its text, invisible, word upon word.

Each page becomes a file of its own, and these are joined at the end, because a PDF that grows in memory
would hold every page image of the document.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pikepdf
from PIL import Image
from PIL.TiffImagePlugin import PHOTOMETRIC_INTERPRETATION, STRIPBYTECOUNTS, STRIPOFFSETS

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server.document import Line, Page, Word
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.glyphless_font import LETTER_WIDTH, GlyphlessFont

_POINTS_PER_INCH = 72
_SHORTEST_SIDE, _LONGEST_SIDE = 3.0, 14_400.0  # points; readers refuse other pages
_NARROWEST, _WIDEST = 1.0, 30_000.0  # per cent; a reader takes numbers up to 32767
_FONT = "/F0"
_IMAGE = "/Im0"
_WHITE_IS_ZERO = 0  # the value of TIFF's PhotometricInterpretation


class PdfSearchableExporter:
    """Writes ``pdfSearchable`` to ``path``. Every page it takes needs its image file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._font = GlyphlessFont()
        self._parts: list[Path] = []
        self._folder: TemporaryDirectory[str]

    def start(self, summary: DocumentSummary) -> None:  # noqa: ARG002 - a PDF file needs none of it
        """Make room for the pages."""
        self._folder = TemporaryDirectory(dir=self._path.parent, prefix=f"{self._path.stem}-pages-")

    def page(self, page: Page) -> None:
        """Write the page to a file of its own, still without a font.

        :raises ValueError: if the page has no image.
        """
        part = Path(self._folder.name) / f"{page.number}.pdf"
        with pikepdf.new() as pdf:
            scale = _scale(page)
            size = tuple(max(_SHORTEST_SIDE, side * scale) for side in (page.width, page.height))
            added = pdf.add_blank_page()
            added.mediabox = pikepdf.Array([0, 0, *size])
            image = _image(pdf, page)
            added.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary({_IMAGE: image}))
            content = f"q {size[0]:.3f} 0 0 {size[1]:.3f} 0 0 cm {_IMAGE} Do Q\n{self._text(page, scale)}"
            added.obj.Contents = pdf.make_stream(content.encode("ascii"))
            pdf.save(part)
        self._parts.append(part)

    def finish(self) -> None:
        """Join the pages and give them the font."""
        joined = Path(self._folder.name) / "joined.pdf"
        parts = [str(part) for part in self._parts]
        pikepdf.Job(["pikepdf", "--empty", "--pages", *parts, "--", str(joined)]).run()
        with pikepdf.open(joined) as pdf:
            font = self._font.add_to(pdf)
            for page in pdf.pages:
                page.obj.Resources.Font = pikepdf.Dictionary({_FONT: font})
            pdf.docinfo["/Producer"] = f"airflow-provider-ocr {__version__}"
            pdf.save(self._path)
        self._folder.cleanup()

    def _text(self, page: Page, scale: float) -> str:
        shown = [part for line in page.lines for part in self._line(line, page, scale)]
        return "\n".join(["BT", "3 Tr", *shown, "ET"]) if shown else ""

    def _line(self, line: Line, page: Page, scale: float) -> Iterator[str]:
        """The operators that put each word on its place, and a space in each gap."""
        angle = line.baseline.angle
        size = max(1.0, _along(line.box.height, line.box.width, angle) * scale)
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


def _along(level: float, upright: float, angle: float) -> float:
    """How far a box reaches in the direction of ``angle``: its width for level text."""
    return max(level * abs(math.cos(angle)), upright * abs(math.sin(angle)))


def _scale(page: Page) -> float:
    """Points per pixel."""
    return min(_POINTS_PER_INCH / page.dpi, _LONGEST_SIDE / max(page.width, page.height))


def _image(pdf: pikepdf.Pdf, page: Page) -> pikepdf.Object:
    """The page's image file as it is, with what a reader needs to decode it."""
    if page.image is None:
        raise ValueError(f"page {page.number} has no image, which a searchable PDF file shows")
    with Image.open(page.image) as image:
        described = {
            "Type": pikepdf.Name.XObject,
            "Subtype": pikepdf.Name.Image,
            "Width": image.width,
            "Height": image.height,
            "BitsPerComponent": 1 if image.mode == "1" else 8,
            "ColorSpace": pikepdf.Name.DeviceRGB if image.mode == "RGB" else pikepdf.Name.DeviceGray,
        }
        if image.format == "TIFF":
            data = _strip(image, page.image)
            described |= {"Filter": pikepdf.Name.CCITTFaxDecode, "DecodeParms": _fax(image)}
        else:
            data = page.image.read_bytes()
            described["Filter"] = pikepdf.Name.DCTDecode
    stream = pikepdf.Stream(pdf, data)
    for key, value in described.items():
        stream[f"/{key}"] = value
    return pdf.make_indirect(stream)


def _strip(image: Image.Image, path: Path) -> bytes:
    tags = image.tag_v2  # type: ignore[attr-defined]  # only a TIFF image has tags
    (offset,), (length,) = tags[STRIPOFFSETS], tags[STRIPBYTECOUNTS]
    return path.read_bytes()[offset : offset + length]


def _fax(image: Image.Image) -> pikepdf.Dictionary:
    white_is_zero = image.tag_v2[PHOTOMETRIC_INTERPRETATION] == _WHITE_IS_ZERO  # type: ignore[attr-defined]  # only a TIFF image has tags
    return pikepdf.Dictionary(K=-1, Columns=image.width, Rows=image.height, BlackIs1=not white_is_zero)
