# SPDX-License-Identifier: Apache-2.0
"""Files on disk to page images, one at a time. The type is found by content; sizes are checked first.

"The original" of a page is the image the way a viewer shows it: an EXIF orientation is applied, a PDF
page is rendered at 300 dpi. Pages beyond ``WORKING_PIXELS`` are shrunk; ``to_original`` undoes that.
"""

from __future__ import annotations

import contextlib
import struct
import warnings
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from airflow_provider_ocr.server.document import Affine
from airflow_provider_ocr.server.recognition.errors import RecognitionError
from airflow_provider_ocr.server.recognition.file_types import (
    IMAGE_SIGNATURES,
    PDF_HEADER_WITHIN,
    PDF_SIGNATURE,
)

MAX_PIXELS = 150_000_000
MAX_PAGES = 2_000
WORKING_PIXELS = 40_000_000
LONGEST_SIDE = 32_000  # pixels; the engine takes no more than 32,767
PDF_DPI = 300

_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF")
_A4_LENGTH = 11.69  # inches
_BELIEVABLE_DPI = (50.0, 2400.0)
_BELIEVABLE_LENGTH = 48.0  # inches, a little over A0; what is longer is a photo that claims a screen's 72 dpi
_POINTS_PER_INCH = 72
_WIDE_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I", "F"})
_EIGHT_BITS, _SIXTEEN_BITS = 255.0, 65535.0
# What the decoders raise, besides their own errors, when bytes are missing or wrong.
_DECODING_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    ArithmeticError,
    struct.error,
)
_COLOUR_NOISE = 6  # levels between the channels of a grey pixel that a scanner or JPEG leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class PageImage:
    """One page before recognition.

    :param number: 1 for the first page.
    :param pages: how many pages the document has.
    :param image: mode ``1``, ``L`` or ``RGB``.
    :param dpi: pixels per inch of ``image``.
    :param original_width: pixels of the original.
    :param original_height: pixels of the original.
    :param original_dpi: pixels per inch of the original.
    :param to_original: from pixels of ``image`` to those of the original.
    """

    number: int
    pages: int
    image: Image.Image
    dpi: float
    original_width: int
    original_height: int
    original_dpi: float
    to_original: Affine


def read_document(paths: Sequence[Path]) -> Iterator[PageImage]:
    """The pages of all files in ``paths`` as those of one document, numbered through.

    :raises RecognitionError: if one of them is no image, is damaged, protected, or beyond a limit. Where
        there are several, the message names the file by its place, and the page by its number in that file.
    """
    if len(paths) == 1:
        yield from read_pages(paths[0])
        return
    counts = []
    for place, path in enumerate(paths, start=1):
        with _blamed_on(place):
            counts.append(_count_pages(path))
    pages = sum(counts)
    _check_pages(pages)
    before = 0
    for place, (path, count) in enumerate(zip(paths, counts, strict=True), start=1):
        with _blamed_on(place), contextlib.closing(read_pages(path)) as images:
            for image in images:
                yield replace(image, number=before + image.number, pages=pages)
        before += count


def read_pages(path: Path) -> Generator[PageImage]:
    """The pages of the document in ``path``.

    :raises RecognitionError: if it is no image, is damaged, protected, or beyond a limit.
    """
    start = _start(path)
    yield from _pdf_pages(path) if _is_pdf(start) else _image_pages(path, start)


def _count_pages(path: Path) -> int:
    start = _start(path)
    if _is_pdf(start):
        with contextlib.closing(_open_pdf(path)) as document:
            return len(document)
    with contextlib.closing(_open_image(path, start)) as opened:
        return _frames(opened)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(PDF_HEADER_WITHIN)
    if not start:
        raise RecognitionError("The file is empty.")
    return start


def _is_pdf(start: bytes) -> bool:
    return PDF_SIGNATURE in start


@contextlib.contextmanager
def _blamed_on(place: int) -> Iterator[None]:
    try:
        yield
    except RecognitionError as error:
        raise RecognitionError(f"Image {place}: {error}") from error


def _frames(opened: Image.Image) -> int:
    # Only a TIFF's frames are pages; those of a GIF are a film.
    return _count_frames(opened) if opened.format == "TIFF" else 1


def _image_pages(path: Path, start: bytes) -> Iterator[PageImage]:
    with contextlib.closing(_open_image(path, start)) as opened:
        pages = _frames(opened)
        _check_pages(pages)
        for index in range(pages):
            yield _image_page(opened, number=index + 1, pages=pages)


def _count_frames(opened: Image.Image) -> int:
    """How many frames the file has, found by going to each."""
    frames = 0
    while True:
        try:
            opened.seek(frames)
        except EOFError:
            return frames
        except _DECODING_FAULTS:
            raise _damaged(frames + 1) from None
        frames += 1


def _open_image(path: Path, start: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS decides
            return Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError:
        raise _too_large(1) from None
    except UnidentifiedImageError:
        if start.startswith(IMAGE_SIGNATURES):
            raise _damaged(1) from None
        seen = " It looks like a web page." if start.lstrip()[:1] == b"<" else ""
        raise RecognitionError(
            f"The file is not an image that can be read.{seen} JPEG, PNG, TIFF, PDF, BMP or GIF is needed."
        ) from None
    except _DECODING_FAULTS:
        raise _damaged(1) from None


def _image_page(opened: Image.Image, *, number: int, pages: int) -> PageImage:
    try:
        opened.seek(number - 1)
        width, height = opened.size
        if width * height > MAX_PIXELS:
            raise _too_large(number)
        declared = _declared_dpi(opened)
        opened.draft(None, _shrunk(width, height))  # what JPEG can leave out need not be decoded
        oriented = ImageOps.exif_transpose(opened)
        if oriented.size == opened.size[::-1] != opened.size:
            width, height = height, width
        image = _plain(oriented)
    except Image.DecompressionBombError:
        raise _too_large(number) from None
    except _DECODING_FAULTS:
        raise _damaged(number) from None
    dpi = believable_dpi(declared, width=width, height=height)
    return _working(image, number=number, pages=pages, size=(width, height), dpi=dpi)


def _plain(image: Image.Image) -> Image.Image:
    """The image in mode 1, L or RGB, what is transparent on white."""
    if image.mode in _WIDE_GREY:
        return _eight_bits(image)
    if image.has_transparency_data:
        above = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(above, mask=above.getchannel("A"))
    return image if image.mode in ("1", "L", "RGB") else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float32)
    full = _SIXTEEN_BITS if values.max(initial=0.0) > _EIGHT_BITS else _EIGHT_BITS
    return Image.fromarray((values.clip(0, full) * (_EIGHT_BITS / full)).astype(np.uint8))


def _open_pdf(path: Path) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise RecognitionError("The PDF file is protected by a password.") from None
        raise RecognitionError("The PDF file is damaged and cannot be opened.") from None


def _pdf_pages(path: Path) -> Iterator[PageImage]:
    with contextlib.closing(_open_pdf(path)) as document:
        pages = len(document)
        _check_pages(pages)
        document.init_forms()  # what people have typed into form fields is part of the page
        for index in range(pages):
            yield _pdf_page(document, number=index + 1, pages=pages)


def _pdf_page(document: pypdfium2.PdfDocument, *, number: int, pages: int) -> PageImage:
    try:
        page = document[number - 1]
        width, height = (side / _POINTS_PER_INCH for side in page.get_size())
        dpi = min(PDF_DPI, (WORKING_PIXELS / (width * height)) ** 0.5) if width * height > 0 else 0.0
        if dpi < _BELIEVABLE_DPI[0]:
            raise RecognitionError(f"Page {number} measures {width:.0f} x {height:.0f} inches: too large.")
        bitmap = page.render(scale=dpi / _POINTS_PER_INCH, rev_byteorder=True)
        image = bitmap.to_pil().convert("RGB")
        bitmap.close()
        page.close()
    except pypdfium2.PdfiumError:
        raise _damaged(number) from None
    return _working(image, number=number, pages=pages, size=image.size, dpi=dpi)


def _working(image: Image.Image, *, number: int, pages: int, size: tuple[int, int], dpi: float) -> PageImage:
    """The page, shrunk to what the engine can be given, its colours dropped where it has none."""
    wanted = _shrunk(*image.size)
    if wanted != image.size:
        image = (image.convert("L") if image.mode == "1" else image).resize(wanted, reducing_gap=2.0)
    across, down = size[0] / image.width, size[1] / image.height
    return PageImage(
        number=number,
        pages=pages,
        image=_without_idle_colours(image),
        dpi=dpi / across,
        original_width=size[0],
        original_height=size[1],
        original_dpi=dpi,
        to_original=Affine(xx=across, yy=down),
    )


def believable_dpi(declared: float | None, *, width: int, height: int) -> float:
    """Pixels per inch: what the file declares, or where that is absent or absurd, as if the page were A4.

    :param declared: what the file says, if anything.
    :param width: pixels.
    :param height: pixels.
    """
    lowest, highest = _BELIEVABLE_DPI
    longest = max(width, height)
    if declared and lowest <= declared <= highest and longest / declared <= _BELIEVABLE_LENGTH:
        return declared
    return min(max(longest / _A4_LENGTH, lowest), highest)


def _declared_dpi(image: Image.Image) -> float | None:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):  # files carry all kinds of nonsense here
        return None
    return min(across, down)


def _shrunk(width: int, height: int) -> tuple[int, int]:
    scale = min((WORKING_PIXELS / (width * height)) ** 0.5, LONGEST_SIDE / max(width, height))
    if scale >= 1:
        return width, height
    return max(1, int(width * scale)), max(1, int(height * scale))


def _without_idle_colours(image: Image.Image) -> Image.Image:
    """Grey where no pixel has a colour, black and white where no pixel is grey."""
    if image.mode == "RGB":
        red, green, blue = image.split()
        differences = (ImageChops.difference(red, green), ImageChops.difference(green, blue))
        if all(difference.getextrema()[1] <= _COLOUR_NOISE for difference in differences):  # type: ignore[operator]  # one band, so a pair of numbers
            image = green
    if image.mode == "L" and not any(image.histogram()[1:255]):
        image = image.convert("1", dither=Image.Dither.NONE)
    return image


def _check_pages(pages: int) -> None:
    if pages == 0:
        raise RecognitionError("The document has no pages.")
    if pages > MAX_PAGES:
        raise RecognitionError(f"The document has {pages} pages; at most {MAX_PAGES} are read.")


def _too_large(number: int) -> RecognitionError:
    return RecognitionError(f"Page {number} has more than {MAX_PIXELS // 1_000_000} million pixels.")


def _damaged(number: int) -> RecognitionError:
    return RecognitionError(f"Page {number} is damaged and cannot be read.")
