# SPDX-License-Identifier: Apache-2.0
"""A document's pages, recognised one at a time: corrected, cleared of what is no text, read, and checked.

A page that was not read well is never passed off as read: what the clean-up or the engine lost of it is found
by the witness, which judges the page as it was before, and is read again, marked as unreadable, or fails it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Affine, Block, BlockType, Page
from airflow_provider_ocr.server.recognition.barcodes import find_barcodes, without_barcodes
from airflow_provider_ocr.server.recognition.correction import find_skew, straightened, turned
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.errors import RecognitionError
from airflow_provider_ocr.server.recognition.ink import Grey, has_large_marks, letter_marks
from airflow_provider_ocr.server.recognition.input import PageImage, read_document
from airflow_provider_ocr.server.recognition.layout import with_rows
from airflow_provider_ocr.server.recognition.lighting import evenly_lit
from airflow_provider_ocr.server.recognition.polarity import dark_on_light
from airflow_provider_ocr.server.recognition.rules import without_rules
from airflow_provider_ocr.server.recognition.unread import unread_regions
from airflow_provider_ocr.server.recognition.witness import Witness, unreadable, well_read

_DUST = 10  # marks of letter size that a blank page may have: punch holes, staples, specks
_JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class _Corrected:
    """An upright, straight page image and how it came about."""

    image: Image.Image
    rotation: int
    skew: float
    to_source: Affine


def recognise(
    images: Sequence[Path],
    settings: ProcessingSettings,
    *,
    engine: Engine,
    image_folder: Path | None = None,
) -> Iterator[tuple[Page, int]]:
    """The pages of the document in ``images``, each with the number of pages that the document has.

    :param images: image or PDF files, whose pages are numbered through.
    :param settings: what ``support.supported`` has accepted.
    :param engine: reads the pages.
    :param image_folder: where the corrected page images are kept, if anywhere. Deleting them is the
        caller's part, as soon as a page is done with.
    :raises RecognitionError: if the document or one of its pages cannot be read.
    """
    for source in read_document(images):
        try:
            page = _recognise_page(source, settings, engine=engine, image_folder=image_folder)
        except MemoryError as error:
            raise _too_much_memory(source.number) from error
        except cv2.error as error:
            if error.code == cv2.Error.StsNoMem:
                raise _too_much_memory(source.number) from error
            raise
        except (RuntimeError, ValueError) as error:
            raise RecognitionError(f"Page {source.number} could not be recognised: {error}") from error
        yield page, source.pages


def _recognise_page(
    source: PageImage, settings: ProcessingSettings, *, engine: Engine, image_folder: Path | None
) -> Page:
    corrected = _correct(source, settings, engine)
    original = dark_on_light(_grey(corrected.image), dpi=source.dpi)
    grey = evenly_lit(original, dpi=source.dpi)
    barcodes = find_barcodes(grey, dpi=source.dpi) if settings.reads_barcodes else []
    unruled = without_rules(without_barcodes(grey, barcodes, dpi=source.dpi), dpi=source.dpi)
    separators = [Block(BlockType.SEPARATOR, box) for box in unruled.rules]
    blocks = _read(unruled.grey, source, engine=engine, languages=settings.language)
    blocks = _check(
        Witness(original, dpi=source.dpi),
        blocks,
        [*barcodes, *separators],
        source=source,
        engine=engine,
        languages=settings.language,
    )
    return Page(
        number=source.number,
        original_width=source.original_width,
        original_height=source.original_height,
        original_dpi=source.original_dpi,
        width=corrected.image.width,
        height=corrected.image.height,
        dpi=source.dpi,
        rotation=corrected.rotation,
        skew=corrected.skew,
        to_original=corrected.to_source.then(source.to_original),
        blocks=(*blocks, *barcodes, *separators),
        image=_keep(corrected.image, source, image_folder) if image_folder else None,
    )


def _correct(source: PageImage, settings: ProcessingSettings, engine: Engine) -> _Corrected:
    rotation = 0
    if settings.correct_orientation:
        rotation = engine.find_rotation(dark_on_light(_grey(source.image), dpi=source.dpi), dpi=source.dpi)
    upright, to_source = turned(source.image, rotation)
    skew = 0.0
    if settings.correct_skew:
        skew = find_skew(dark_on_light(_grey(upright), dpi=source.dpi))
    straight, to_upright = straightened(upright, skew)
    return _Corrected(straight, rotation, skew, to_upright.then(to_source))


def _read(grey: Grey, source: PageImage, *, engine: Engine, languages: tuple[str, ...]) -> list[Block]:
    """What the engine reads; ink that it makes no word of is a failure unless it is a picture."""
    blocks = engine.read(grey, dpi=source.dpi, languages=languages)
    if _has_words(blocks):
        regions = unread_regions(grey, blocks)
        overlooked = engine.read_lines(grey, regions, dpi=source.dpi, languages=languages) if regions else []
        return _in_place(blocks, overlooked)
    if len(letter_marks(grey)) < _DUST and not has_large_marks(grey):
        return blocks
    scattered = engine.read_scattered(grey, dpi=source.dpi, languages=languages)
    if _has_words(scattered):
        return scattered
    outside = grey.copy()
    for picture in (block.box for block in blocks if block.type is BlockType.PICTURE):
        outside[picture.top : picture.bottom, picture.left : picture.right] = 255
    if len(letter_marks(outside)) >= _DUST:
        raise RecognitionError(f"Page {source.number} is not blank, but no word on it could be read.")
    return blocks


def _check(
    witness: Witness,
    blocks: list[Block],
    others: list[Block],
    *,
    source: PageImage,
    engine: Engine,
    languages: tuple[str, ...],
) -> list[Block]:
    """The blocks, with what the witness saw besides them: read again, or marked as unreadable.

    :param others: what of the page's ink is accounted for besides ``blocks``.
    """
    if not witness.unread_lines([*blocks, *others]):
        return with_rows(blocks)
    left = witness.unread([*blocks, *others])
    second = well_read(engine.read(left, dpi=source.dpi, languages=languages))
    blocks = with_rows(_in_place(blocks, second))
    unread = [line for line in witness.unread_lines([*blocks, *others]) if line.is_plain]
    if witness.mostly_unread(unread):
        raise RecognitionError(f"Page {source.number} is not blank, but most of its text could not be read.")
    return _in_place(blocks, [unreadable(line, language=languages[0]) for line in unread])


def _in_place(blocks: list[Block], overlooked: list[Block]) -> list[Block]:
    """Each overlooked block goes before the first that starts below it."""
    placed = list(blocks)
    for block in overlooked:
        below = (index for index, other in enumerate(placed) if other.box.top >= block.box.bottom)
        placed.insert(next(below, len(placed)), block)
    return placed


def _too_much_memory(number: int) -> RecognitionError:
    return RecognitionError(f"Page {number} needs more memory than is allowed.")


def _has_words(blocks: list[Block]) -> bool:
    return any(block.type is BlockType.TEXT for block in blocks)


def _grey(image: Image.Image) -> Grey:
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def _keep(image: Image.Image, source: PageImage, folder: Path) -> Path:
    dpi = (source.dpi, source.dpi)
    if image.mode == "1":
        path = folder / f"page{source.number}.tif"
        # One strip, because that is how a PDF file takes it.
        image.save(path, compression="group4", dpi=dpi, strip_size=image.width * image.height)
    else:
        path = folder / f"page{source.number}.jpg"
        image.save(path, quality=_JPEG_QUALITY, dpi=dpi)
    return path
