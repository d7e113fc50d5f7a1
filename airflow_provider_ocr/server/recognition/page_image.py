# SPDX-License-Identifier: Apache-2.0
"""A page as an image that the engine can be given: its size within limits, its resolution believable, its
colours dropped where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image, ImageChops

from airflow_provider_ocr.server.document import Projection
from airflow_provider_ocr.server.recognition.errors import PageError
from airflow_provider_ocr.server.recognition.resolution import Resolution, of_paper, of_text
from airflow_provider_ocr.server.stored_image import StoredImage

MAX_PIXELS = 300_000_000
WORKING_PIXELS = 36_000_000  # A4 at 600 dpi has 35 million
LONGEST_SIDE = 32_000  # pixels; the engine takes no more than 32,767

_SQUARE = 1.5  # pixels whose sides differ by no more than this factor are left as they are
_BAND = 512  # rows that are looked at together
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

    def page(self, number: int, *, colours: bool = True) -> PageImage:
        """A page, decoded.

        :param colours: False if a page that is too large to be worked on as it is may come in shades of grey.
        :raises PageError: if it is damaged or beyond a limit.
        """

    def stored(self, number: int) -> StoredImage | None:
        """A page's image as it lies in the file, if a PDF file can take its bytes as they are.

        It shows what ``page`` decodes, once it is turned as it says.
        """

    def close(self) -> None:
        """Give the file up."""


def working_page(
    image: Image.Image, *, number: int, size: tuple[int, int], resolution: Resolution | None
) -> PageImage:
    """The page with square pixels, shrunk to what the engine can be given, its colours dropped where it has
    none.

    :param image: the original, or what a decoder has shrunk of it.
    :param number: 1 for the first page.
    :param size: pixels of the original.
    :param resolution: pixels per inch of the original; None to estimate it.
    """
    wanted = working_size(*size, resolution=resolution)
    if image.size == size != wanted:  # else its decoder has seen to it
        image = (image.convert("L") if image.mode == "1" else image).resize(wanted, reducing_gap=2.0)
    image = _without_idle_colours(image)
    across, down = size[0] / image.width, size[1] / image.height
    dpi = resolution.across if resolution else _estimated_dpi(image, size)
    return PageImage(
        number=number,
        image=image,
        dpi=dpi / across,
        original_width=size[0],
        original_height=size[1],
        original_dpi=dpi,
        to_original=Projection(xx=across, yy=down),
    )


def working_size(width: int, height: int, *, resolution: Resolution | None) -> tuple[int, int]:
    """The size, in pixels, that a page of this one is worked on in.

    :param width: pixels of the original.
    :param height: pixels of the original.
    :param resolution: of the original, where that is known.
    """
    across, down = resolution or (1.0, 1.0)
    if max(across, down) > _SQUARE * min(across, down):
        finest = max(across, down)
        width, height = round(width * finest / across), round(height * finest / down)
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


def _estimated_dpi(image: Image.Image, size: tuple[int, int]) -> float:
    paper = of_paper(*size)
    if paper is not None:
        return paper
    grey = np.asarray(image if image.mode == "L" else image.convert("L"))
    return of_text(grey, width=size[0], height=size[1])


def _without_idle_colours(image: Image.Image) -> Image.Image:
    """Grey where no pixel has a colour, black and white where no pixel is grey."""
    if image.mode == "RGB" and not _has_colours(image):
        image = image.getchannel("G")
    if image.mode == "L" and not any(image.histogram()[1:255]):
        image = image.convert("1", dither=Image.Dither.NONE)
    return image


def _has_colours(image: Image.Image) -> bool:
    for top in range(0, image.height, _BAND):
        band = image.crop((0, top, image.width, min(image.height, top + _BAND)))
        red, green, blue = band.split()
        for one, two in ((red, green), (green, blue)):
            lowest_and_highest = ImageChops.difference(one, two).getextrema()
            if lowest_and_highest[1] > _COLOUR_NOISE:  # type: ignore[operator]  # one band, so a pair of numbers
                return True
    return False
