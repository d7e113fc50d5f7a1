# SPDX-License-Identifier: Apache-2.0
"""Pages as pictures: the corrected image that a result file shows, and a page that is only a picture.

An image that only had to be turned upright, or not even that, is shown as it is stored in the document.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from PIL import Image

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import Block, BlockType, Box, Page
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.page_image import PageImage
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.recognition.support import EMBEDDING, SHOWING_PAGES, SHOWING_PICTURES
from airflow_provider_ocr.server.recognition.view import View
from airflow_provider_ocr.server.stored_image import StoredImage

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


def with_images(page: Page, document: Document, *, formats: Collection[ExportFormat], folder: Path) -> Page:
    """The page with all images of it that its result files show.

    :param document: where it came from.
    :param formats: those of the result files.
    :param folder: where files are written, if need be. Deleting them is the caller's part.
    """
    showing = _showing(page).intersection(formats)
    if not showing:
        return page
    embedded = not EMBEDDING.isdisjoint(formats)
    stored = document.stored(page.number) if embedded and _is_all_of_its_original(page) else None
    if stored is not None:
        page = replace(page, stored=stored.turned(page.rotation))
        if showing <= EMBEDDING:
            return page
    path = _corrected_file(page, document.page(page.number), folder)
    page = replace(page, image=path)
    return replace(page, stored=_stored(path)) if embedded and stored is None else page


def _showing(page: Page) -> frozenset[ExportFormat]:
    """The formats that show the page's image, or a part of it."""
    has_pictures = any(block.is_picture for block in page.blocks)
    return SHOWING_PAGES | SHOWING_PICTURES if has_pictures else SHOWING_PAGES


def _is_all_of_its_original(page: Page) -> bool:
    """Whether the corrected image has every pixel of the original, and none was moved against the others."""
    back = page.to_original
    slanted = min(abs(back.xx), abs(back.xy)) > 0 or back.wx or back.wy
    whole = back.box(Box(0, 0, page.width, page.height))
    return not slanted and whole == Box(0, 0, page.original_width, page.original_height)


def _stored(path: Path) -> StoredImage | None:
    with Image.open(path) as image:
        return stored_image(image, path)


def _corrected_file(page: Page, source: PageImage, folder: Path) -> Path:
    """The file with the corrected image, made again from the page as it came."""
    view = View(page.width, page.height, page.to_original.then(source.to_original.inverted()))
    image = view.of(source.image)
    path, dpi = folder / f"page{page.number}", page.dpi
    if image.mode == "1":
        path = path.with_suffix(".tif")
        # One strip, because that is how a PDF file takes it.
        image.save(path, compression="group4", dpi=(dpi, dpi), strip_size=image.width * image.height)
    else:
        path = path.with_suffix(".jpg")
        image.save(path, quality=_JPEG_QUALITY, dpi=(dpi, dpi))
    return path
