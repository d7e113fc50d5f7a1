# SPDX-License-Identifier: Apache-2.0
"""The pictures of a page, cut out of its image."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from airflow_provider_ocr.server.document import Block, Box, Page

_JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A part of a page as an image file.

    :param data: the file, a JPEG or, of a black and white page, a PNG.
    :param extension: ``jpg`` or ``png``.
    :param box: where it stands on the page.
    :param width: its pixels from left to right.
    :param height: the same, from top to bottom.
    """

    data: bytes
    extension: str
    box: Box
    width: int
    height: int


class PagePictures:
    """Cuts pictures out of one page's image, which is opened when the first of them is asked for."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._image: Image.Image | None = None

    def of(self, block: Block) -> Picture | None:
        """What the page shows where ``block`` stands, None for a block of no area.

        :raises ValueError: if the page has no image.
        """
        box = Box(
            max(0, block.box.left),
            max(0, block.box.top),
            min(self._page.width, block.box.right),
            min(self._page.height, block.box.bottom),
        )
        if box.width <= 0 or box.height <= 0:
            return None
        image, path = self._opened()
        if box == (0, 0, *image.size) and image.format == "JPEG":
            data, extension = path.read_bytes(), "jpg"
        else:
            data, extension = _encoded(image.crop(box))
        return Picture(data=data, extension=extension, box=box, width=box.width, height=box.height)

    def close(self) -> None:
        """Close the page's image."""
        if self._image is not None:
            self._image.close()

    def _opened(self) -> tuple[Image.Image, Path]:
        if self._page.image is None:
            raise ValueError(f"page {self._page.number} has no image, which its pictures are parts of")
        if self._image is None:
            self._image = Image.open(self._page.image)
        return self._image, self._page.image


@contextmanager
def pictures_of(page: Page) -> Iterator[PagePictures]:
    """The pictures of ``page``, for as long as its image file is there."""
    pictures = PagePictures(page)
    try:
        yield pictures
    finally:
        pictures.close()


def _encoded(image: Image.Image) -> tuple[bytes, str]:
    file = io.BytesIO()
    if image.mode == "1":
        image.save(file, "PNG")
        return file.getvalue(), "png"
    image.save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue(), "jpg"
