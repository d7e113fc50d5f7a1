# SPDX-License-Identifier: Apache-2.0
"""A page as an image that the engine can be given: its size within limits, its resolution believable, its
colours dropped where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PIL import Image, ImageChops

from airflow_provider_ocr.server.document import Projection
from airflow_provider_ocr.server.recognition.errors import PageError
from airflow_provider_ocr.server.stored_image import StoredImage

MAX_PIXELS = 150_000_000
WORKING_PIXELS = 40_000_000
LONGEST_SIDE = 32_000  # pixels; the engine takes no more than 32,767
BELIEVABLE_DPI = (50.0, 2400.0)

_A4_LENGTH = 11.69  # inches
_BELIEVABLE_LENGTH = 48.0  # inches, a little over A0; what is longer is a photo that claims a screen's 72 dpi
_COLOUR_NOISE = 6  # levels between the channels of a grey pixel that a scanner or JPEG leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class PageImage:
    """One page before recognition.

    "The original" is the image the way a viewer shows it: an EXIF orientation is applied, a PDF page is
    rendered at 300 dpi.

    :param number: 1 for the first page.
    :param image: mode ``1``, ``L`` or ``RGB``.
    :param dpi: pixels per inch of ``image``.
    :param original_width: pixels of the original.
    :param original_height: pixels of the original.
    :param original_dpi: pixels per inch of the original.
    :param to_original: from pixels of ``image`` to those of the original.
    """

    number: int
    image: Image.Image
    dpi: float
    original_width: int
    original_height: int
    original_dpi: float
    to_original: Projection


class DocumentFile(Protocol):
    """An open file with pages, numbered from 1."""

    @property
    def pages(self) -> int:
        """How many there are."""

    def inches(self, number: int) -> tuple[float, float]:
        """Width and height of a page, from the file's headers alone.

        :raises PageError: if it is damaged or beyond a limit.
        """

    def page(self, number: int) -> PageImage:
        """A page, decoded.

        :raises PageError: if it is damaged or beyond a limit.
        """

    def stored(self, number: int) -> StoredImage | None:
        """A page's image as it lies in the file, if a PDF file can take its bytes as they are.

        It shows what ``page`` decodes, once it is turned as it says.
        """

    def close(self) -> None:
        """Give the file up."""


def working_page(image: Image.Image, *, number: int, size: tuple[int, int], dpi: float) -> PageImage:
    """The page, shrunk to what the engine can be given, its colours dropped where it has none.

    :param image: the original, or what a decoder has shrunk of it.
    :param number: 1 for the first page.
    :param size: pixels of the original.
    :param dpi: pixels per inch of the original.
    """
    wanted = shrunk(*image.size)
    if wanted != image.size:
        image = (image.convert("L") if image.mode == "1" else image).resize(wanted, reducing_gap=2.0)
    across, down = size[0] / image.width, size[1] / image.height
    return PageImage(
        number=number,
        image=_without_idle_colours(image),
        dpi=dpi / across,
        original_width=size[0],
        original_height=size[1],
        original_dpi=dpi,
        to_original=Projection(xx=across, yy=down),
    )


def believable_dpi(declared: float | None, *, width: int, height: int) -> float:
    """Pixels per inch: what the file declares, or where that is absent or absurd, as if the page were A4.

    :param declared: what the file says, if anything.
    :param width: pixels.
    :param height: pixels.
    """
    lowest, highest = BELIEVABLE_DPI
    longest = max(width, height)
    if declared and lowest <= declared <= highest and longest / declared <= _BELIEVABLE_LENGTH:
        return declared
    return min(max(longest / _A4_LENGTH, lowest), highest)


def shrunk(width: int, height: int) -> tuple[int, int]:
    """The size, in pixels, that a page of this one is worked on in."""
    scale = min((WORKING_PIXELS / (width * height)) ** 0.5, LONGEST_SIDE / max(width, height))
    if scale >= 1:
        return width, height
    return max(1, int(width * scale)), max(1, int(height * scale))


def too_large(number: int) -> PageError:
    """What is raised for an image of more than ``MAX_PIXELS``."""
    return PageError(number, f"Page {number} has more than {MAX_PIXELS // 1_000_000} million pixels.")


def damaged(number: int) -> PageError:
    """What is raised for a page that a decoder does not understand."""
    return PageError(number, f"Page {number} is damaged and cannot be read.")


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
