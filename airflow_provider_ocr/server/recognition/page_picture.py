# SPDX-License-Identifier: Apache-2.0
"""Pages as pictures: the corrected image that a result file shows, and a page that is only a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from airflow_provider_ocr.server.document import Block, BlockType, Box, Page
from airflow_provider_ocr.server.recognition.correction import corrected
from airflow_provider_ocr.server.recognition.page_image import PageImage

_JPEG_QUALITY = 80


def picture_page(source: PageImage) -> Page:
    """A page that could not be recognised: one picture, as it came."""
    width, height = source.image.size
    return Page(
        number=source.number,
        original_width=source.original_width,
        original_height=source.original_height,
        original_dpi=source.original_dpi,
        width=width,
        height=height,
        dpi=source.dpi,
        rotation=0,
        skew=0.0,
        to_original=source.to_original,
        blocks=(Block(BlockType.PICTURE, Box(0, 0, width, height)),),
        failed=True,
    )


def with_image(page: Page, source: PageImage, *, folder: Path) -> Page:
    """The page with its corrected image in a file, made again from where it came from.

    :param source: the page as it came.
    :param folder: where the file is written. Deleting it is the caller's part.
    """
    image, _ = corrected(source.image, rotation=page.rotation, skew=page.skew)
    return replace(page, image=_written(image, folder / f"page{page.number}", dpi=page.dpi))


def _written(image: Image.Image, path: Path, *, dpi: float) -> Path:
    if image.mode == "1":
        path = path.with_suffix(".tif")
        # One strip, because that is how a PDF file takes it.
        image.save(path, compression="group4", dpi=(dpi, dpi), strip_size=image.width * image.height)
    else:
        path = path.with_suffix(".jpg")
        image.save(path, quality=_JPEG_QUALITY, dpi=(dpi, dpi))
    return path
