# SPDX-License-Identifier: Apache-2.0
"""Image files, of every type that ``image_header.FORMATS`` names. Sizes are checked before anything is
decoded, and large images are shrunk while they are.
"""

from __future__ import annotations

from itertools import count, islice
from pathlib import Path
from typing import cast

from PIL import ExifTags, Image, ImageOps, Jpeg2KImagePlugin

from airflow_provider_ocr.server.recognition.errors import PageError
from airflow_provider_ocr.server.recognition.image_header import (
    DECODING_FAULTS,
    MANY_PAGES,
    Header,
    headers,
    open_image,
)
from airflow_provider_ocr.server.recognition.limits import MAX_PAGES
from airflow_provider_ocr.server.recognition.page_image import (
    MAX_PIXELS,
    PageImage,
    damaged,
    too_large,
    working_page,
    working_size,
)
from airflow_provider_ocr.server.recognition.plain_image import is_inverted, plain
from airflow_provider_ocr.server.recognition.resolution import of_size
from airflow_provider_ocr.server.recognition.shrinking import (
    StreamError,
    can_be_streamed,
    shrunk_in_bands,
    streamed,
)
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.recognition.tiff_page import page_alone
from airflow_provider_ocr.server.stored_image import StoredImage

# Each block of 8 x 8 pixels takes a bit or more. The decoder makes up what is missing before the file's end.
_JPEG_PIXELS_PER_BYTE = 8 * 64
_MAX_WHOLE_BYTES = 400_000_000  # of an image that can only be decoded as a whole
_MAX_SAMPLES = 64_000_000  # that the decoder of JPEG 2000 holds, four bytes each
_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}  # of Pillow's modes; 4 for all others


class ImageFile:
    """An image file; a TIFF or DCX has a page for each of its frames, others have one.

    :raises RecognitionError: if it is damaged where its pages are to be found.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = open_image(path)
        self._undecoded: Image.Image | None = None  # whoever decodes a frame loses its headers
        self._bytes = path.stat().st_size
        try:
            most = MAX_PAGES + 1 if self._opened.format in MANY_PAGES else 1
            self._headers = list(islice(headers(self._opened), most))
        except BaseException:
            self.close()
            raise

    @property
    def pages(self) -> int:
        """How many pages the file has, counted no further than one above ``MAX_PAGES``."""
        return len(self._headers)

    def inches(self, number: int) -> tuple[float, float]:
        """Width and height of a page, from the file's headers alone.

        :raises PageError: if it is damaged or beyond a limit.
        """
        header = self._sound_header(number)
        across, down = header.resolution or of_size(header.width, header.height)
        return header.width / across, header.height / down

    def page(self, number: int, *, colours: bool = True) -> PageImage:
        """A page, decoded.

        :param colours: False if a page that is too large to be worked on as it is may come in shades of grey.
        :raises PageError: if it is damaged or beyond a limit.
        """
        header = self._sound_header(number)
        size = header.width, header.height
        target = working_size(*size, resolution=header.resolution)
        try:
            self._opened.seek(number - 1)
            if target[0] * target[1] < size[0] * size[1]:
                image = self._shrunk(header, target, number, colours=colours)
            else:
                image = self._whole()
                size = image.size
        except Image.DecompressionBombError:
            raise too_large(number) from None
        except (StreamError, *DECODING_FAULTS):
            raise damaged(number) from None
        return working_page(image, number=number, size=size, resolution=header.resolution)

    def stored(self, number: int) -> StoredImage | None:
        """A page's image as it lies in the file, if a PDF file can take its bytes as they are."""
        if self._undecoded is None:
            self._undecoded = open_image(self._path)
        try:
            self._undecoded.seek(number - 1)
            return stored_image(self._undecoded, self._path)
        except DECODING_FAULTS:  # of headers that no page needs to be decoded
            return None

    def close(self) -> None:
        """Give the file up."""
        self._opened.close()
        if self._undecoded is not None:
            self._undecoded.close()

    def _whole(self) -> Image.Image:
        """The page that the file is at, in all its pixels."""
        alone = page_alone(self._path, self._opened) if self.pages > 1 else None
        if alone is None:
            return plain(ImageOps.exif_transpose(self._opened), inverted=is_inverted(self._opened))
        with alone, open_image(alone) as opened:
            return plain(ImageOps.exif_transpose(opened), inverted=is_inverted(opened))

    def _sound_header(self, number: int) -> Header:
        header = self._headers[number - 1]
        pixels = header.width * header.height
        if pixels > MAX_PIXELS:
            raise too_large(number)
        too_short = self._opened.format in ("JPEG", "MPO") and pixels > _JPEG_PIXELS_PER_BYTE * self._bytes
        if pixels == 0 or too_short:
            raise damaged(number)
        return header

    def _shrunk(self, header: Header, target: tuple[int, int], number: int, *, colours: bool) -> Image.Image:
        """The page at its size in work, of which no more than needed is decoded at once."""
        if can_be_streamed(self._opened):
            lying = target[::-1] if header.stored_turned else target
            kind = str(self._opened.format)
            image = streamed(self._path, kind, size=lying, frame=number - 1, colours=colours)
            image.getexif()[ExifTags.Base.Orientation] = header.orientation
            return ImageOps.exif_transpose(image)
        if self._opened.format == "JPEG2000":
            _leave_out_details(self._opened, target)
        else:
            _check_whole(self._opened, number)
        self._opened.load()
        # Pillow has turned the only ones of these types that have an orientation, those of TIFF.
        smaller = tuple(min(sides) for sides in zip(target, self._opened.size, strict=True))
        image = shrunk_in_bands(self._opened, (smaller[0], smaller[1]), colours=colours)
        self._opened.close()
        self._opened = open_image(self._path)  # the one that was closed would keep all its pixels
        return image


def _check_whole(opened: Image.Image, number: int) -> None:
    """Refuse what does not fit into memory as a whole, where there is no other way to decode it."""
    most = _MAX_WHOLE_BYTES // _BYTES_PER_PIXEL.get(opened.mode, 4)
    if opened.width * opened.height > most:
        raise PageError(
            number,
            f"Page {number} has more than {most // 1_000_000} million pixels, too many for its type of file; "
            "send it as a TIFF, PNG or JPEG file.",
        )


def _leave_out_details(opened: Image.Image, target: tuple[int, int]) -> None:
    """Have only so many of a JPEG 2000 image's levels decoded that it is not much larger than needed."""
    image = cast("Jpeg2KImagePlugin.Jpeg2KImageFile", opened)
    samples = opened.width * opened.height * len(opened.getbands())
    image.reduce = next(
        level
        for level in count(1)
        if opened.width >> (level + 1) < target[0] and samples >> 2 * level <= _MAX_SAMPLES
    )
