# SPDX-License-Identifier: Apache-2.0
"""A page recognised: corrected, cleared of what is no text, read, and checked.

A page that was not read well is never passed off as read: what the clean-up or the engine lost of it is found
by the witness, which judges the page as it was before, and is read again, marked as unreadable, or fails it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageOps

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Block, BlockType, Box, Page, Projection
from airflow_provider_ocr.server.recognition.barcodes import find_barcodes, without_barcodes
from airflow_provider_ocr.server.recognition.correction import find_skew
from airflow_provider_ocr.server.recognition.digits import digits_of
from airflow_provider_ocr.server.recognition.dots import with_joined_dots
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.errors import PageError, PageMemoryError
from airflow_provider_ocr.server.recognition.ink import Grey, large_marks, letter_marks
from airflow_provider_ocr.server.recognition.layout import with_rows
from airflow_provider_ocr.server.recognition.lighting import evenly_lit
from airflow_provider_ocr.server.recognition.orientation import find_rotation, surer_way_up
from airflow_provider_ocr.server.recognition.other_side import (
    has_sure_line,
    is_all_of_other_side,
    without_grain,
)
from airflow_provider_ocr.server.recognition.page_image import PageImage
from airflow_provider_ocr.server.recognition.paragraph_roles import with_roles
from airflow_provider_ocr.server.recognition.photo import flattened
from airflow_provider_ocr.server.recognition.plain_ink import (
    is_bare,
    is_pale,
    is_texture,
    plain_ink,
    with_plain_ink_only,
)
from airflow_provider_ocr.server.recognition.polarity import dark_on_light
from airflow_provider_ocr.server.recognition.profiles import findings_of
from airflow_provider_ocr.server.recognition.rules import without_rules
from airflow_provider_ocr.server.recognition.tables.cells import with_tables
from airflow_provider_ocr.server.recognition.tables.grids import Grid, find_grids
from airflow_provider_ocr.server.recognition.tables.second_reading import read_again
from airflow_provider_ocr.server.recognition.tables.sides import without_sides
from airflow_provider_ocr.server.recognition.tables.type_sizes import evenly_set
from airflow_provider_ocr.server.recognition.tables.unruled import with_unruled_tables
from airflow_provider_ocr.server.recognition.unread import unread_regions
from airflow_provider_ocr.server.recognition.view import View
from airflow_provider_ocr.server.recognition.witness import Witness, unreadable, well_read

_DUST = 10  # marks of letter size that a blank page may have: punch holes, staples, specks
_FEWEST_LETTERS = 3  # of what is read inside a picture; fewer are strokes of the picture


@dataclass(frozen=True, slots=True)
class _Corrected:
    """An upright, straight page image in grey, its light text turned dark, and how it came about."""

    grey: Grey
    rotation: int
    skew: float
    to_source: Projection


@dataclass(frozen=True, slots=True)
class _Cleared:
    """A page image without what is no text, and what that was."""

    grey: Grey
    barcodes: list[Block]
    rules: list[Block]
    grids: list[Grid]

    @property
    def separators(self) -> list[Block]:
        """The rules that are no part of a table."""
        of_grids = {rule for grid in self.grids for rule in grid.rules}
        return [rule for rule in self.rules if rule.box not in of_grids]


def recognise_page(source: PageImage, settings: ProcessingSettings, *, engine: Engine) -> Page:
    """What stands on a page.

    :param source: the page as it came.
    :param settings: what ``support.supported`` has accepted.
    :param engine: reads the page.
    :raises PageError: if the page cannot be read, or takes too much memory.
    :raises RuntimeError: if the engine fails without saying why.
    """
    try:
        return _recognise_page(source, settings, engine=engine)
    except MemoryError as error:
        raise PageMemoryError(source.number) from error
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise PageMemoryError(source.number) from error
        raise


def _recognise_page(source: PageImage, settings: ProcessingSettings, *, engine: Engine) -> Page:
    source = flattened(source, settings.image_source)
    given = _grey(source.image)
    dark = dark_on_light(given, dpi=source.dpi)
    ink = plain_ink(dark, dpi=source.dpi)
    blank = _page(source, _Corrected(dark, 0, 0.0, Projection()), ())
    if is_bare(ink):
        return blank
    # Where no text is light, none is on the same page turned: most pages are looked at once.
    corrected = _correct(source, dark, settings, engine=engine, is_plain=dark is given)
    if is_pale(dark, ink, dpi=source.dpi) and _shines_through(source, corrected, settings, engine=engine):
        return blank
    original = corrected.grey
    grey = evenly_lit(original, dpi=source.dpi)
    # Also where nobody asked: their bars are no text, and another format may want them later. And before
    # dots are joined, which would join the bars, too.
    barcodes = find_barcodes(grey, dpi=source.dpi)
    if engine.reading(settings).dotted:
        original, grey = (with_joined_dots(page, dpi=source.dpi) for page in (original, grey))
    wanted = findings_of(settings.profile)
    cleared = _cleared(grey, barcodes, dpi=source.dpi, tables=wanted.tables)
    blocks: list[Block] = []
    if wanted.text:
        blocks = _text(Witness(original, dpi=source.dpi), cleared, source, settings=settings, engine=engine)
    if not wanted.pictures:
        blocks = [block for block in blocks if block.type is not BlockType.PICTURE]
    if wanted.tables:
        blocks = _with_tables(blocks, cleared, dpi=source.dpi, settings=settings, engine=engine)
    return _page(source, corrected, (*with_roles(blocks), *cleared.barcodes, *cleared.separators))


def _shines_through(
    source: PageImage, corrected: _Corrected, settings: ProcessingSettings, *, engine: Engine
) -> bool:
    """Whether a page without dark ink shows nothing but print of the other side."""

    def read(grey: Grey) -> list[Block]:
        lit = evenly_lit(grey, dpi=source.dpi)
        return engine.read(lit, dpi=source.dpi, settings=settings, anything=True)

    if has_sure_line(read(without_grain(corrected.grey, dpi=source.dpi))):
        return False
    image = ImageOps.mirror(Image.fromarray(without_grain(_grey(source.image), dpi=source.dpi)))
    mirrored = replace(source, image=image)
    grey = _correct(mirrored, _grey(image), settings, engine=engine, is_plain=True).grey
    blocks = read(grey)
    if settings.correct_orientation and not has_sure_line(blocks):
        grey = np.ascontiguousarray(grey[::-1, ::-1])  # of faint print it is not clear which way up it is
        blocks = read(grey)
    return is_all_of_other_side(grey, blocks, dpi=source.dpi)


def _page(source: PageImage, corrected: _Corrected, blocks: tuple[Block, ...]) -> Page:
    return Page(
        number=source.number,
        original_width=source.original_width,
        original_height=source.original_height,
        original_dpi=source.original_dpi,
        width=corrected.grey.shape[1],
        height=corrected.grey.shape[0],
        dpi=source.dpi,
        rotation=corrected.rotation,
        skew=corrected.skew,
        to_original=corrected.to_source.then(source.to_original),
        blocks=blocks,
    )


def _correct(
    source: PageImage, grey: Grey, settings: ProcessingSettings, *, engine: Engine, is_plain: bool
) -> _Corrected:
    """The page upright and straight.

    :param grey: the page as it came, its light text turned dark.
    :param is_plain: whether it has no light text.
    """
    view = View(*source.image.size)

    def seen(view: View) -> Grey:
        turned = _grey(view.of(source.image))
        return turned if is_plain else dark_on_light(turned, dpi=source.dpi)

    rotation, skew = 0, 0.0
    if settings.correct_orientation:
        rotation = find_rotation(grey, engine=engine, dpi=source.dpi, settings=settings)
        if engine.reading(settings).capitals:
            rotation = surer_way_up(grey, rotation, engine=engine, dpi=source.dpi, settings=settings)
        view = view.turned(rotation)
        grey = seen(view) if rotation else grey
    if settings.correct_skew:
        skew = find_skew(grey)
        view = view.straightened(skew)
        grey = seen(view) if skew else grey
    return _Corrected(grey, rotation, skew, view.back)


def _cleared(grey: Grey, barcodes: list[Block], *, dpi: float, tables: bool) -> _Cleared:
    ruled = without_barcodes(grey, barcodes, dpi=dpi)
    unruled = without_rules(ruled, dpi=dpi)
    grids = find_grids(ruled, unruled.rules, dpi=dpi) if tables else []
    return _Cleared(
        without_sides(unruled.grey, grids),
        barcodes,
        [Block(BlockType.SEPARATOR, box) for box in unruled.rules],
        grids,
    )


def _read(grey: Grey, source: PageImage, *, engine: Engine, settings: ProcessingSettings) -> list[Block]:
    """What the engine reads; ink that it makes no word of is a failure unless it is a picture."""
    blocks = engine.read(grey, dpi=source.dpi, settings=settings)
    if _has_words(blocks):
        regions = unread_regions(grey, blocks)
        overlooked = engine.read_lines(grey, regions, dpi=source.dpi, settings=settings) if regions else []
        return _in_place(blocks, overlooked)
    return _without_words(grey, blocks, source, engine=engine, settings=settings)


def _without_words(
    grey: Grey, blocks: list[Block], source: PageImage, *, engine: Engine, settings: ProcessingSettings
) -> list[Block]:
    """What stands on a page on which the engine saw no words, without the paper's grain this time."""
    ink = plain_ink(grey, dpi=source.dpi)
    plain = grey.copy() if is_texture(ink) else with_plain_ink_only(grey, ink)
    if not is_bare(ink):
        scattered = engine.read_scattered(plain, dpi=source.dpi, settings=settings)
        if _has_words(scattered):
            return scattered
    pictures = [block for block in blocks if np.unique(_within(plain, block.box)).size > 1]
    for picture in pictures:
        _within(plain, picture.box)[:] = 255
    if len(letter_marks(plain)) >= _DUST and not _has_other_words(grey, source, engine, settings):
        raise PageError(source.number, f"Page {source.number} is not blank, but no word on it could be read.")
    drawn = large_marks(plain)
    return pictures if drawn is None else [*pictures, Block(BlockType.PICTURE, drawn)]


def _has_other_words(grey: Grey, source: PageImage, engine: Engine, settings: ProcessingSettings) -> bool:
    """Whether there is text, but none of what was asked for."""
    if not engine.reading(settings).only_digits:
        return False
    return bool(well_read(engine.read(grey, dpi=source.dpi, settings=settings, anything=True)))


def _text(
    witness: Witness, cleared: _Cleared, source: PageImage, *, settings: ProcessingSettings, engine: Engine
) -> list[Block]:
    """The text on a page, and the pictures between it."""
    others = [*cleared.barcodes, *cleared.rules]
    blocks = _read(cleared.grey, source, engine=engine, settings=settings)
    blocks = _check(witness, blocks, others, source=source, engine=engine, settings=settings)
    if findings_of(settings.profile).all_text:
        texts = [block for block in blocks if block.type is not BlockType.PICTURE]
        left = witness.unread([*texts, *others])
        more = engine.read_scattered(left, dpi=source.dpi, settings=settings)
        blocks = _in_place(blocks, [block for block in more if _letters(block) >= _FEWEST_LETTERS])
    return blocks


def _with_tables(
    blocks: list[Block], cleared: _Cleared, *, dpi: float, settings: ProcessingSettings, engine: Engine
) -> list[Block]:
    def read(picture: Grey, scale: float) -> list[Block]:
        return engine.read_alone(picture, dpi=scale * dpi, settings=settings)

    blocks = with_unruled_tables(with_tables(blocks, cleared.grids), dpi=dpi)
    return evenly_set(read_again(blocks, cleared.grey, dpi=dpi, read=read))


def _check(
    witness: Witness,
    blocks: list[Block],
    others: list[Block],
    *,
    source: PageImage,
    engine: Engine,
    settings: ProcessingSettings,
) -> list[Block]:
    """The blocks, with what the witness saw besides them: read again, or marked as unreadable.

    :param others: what of the page's ink is accounted for besides ``blocks``.
    """
    if not witness.unread_lines([*blocks, *others]):
        return with_rows(blocks)
    left = witness.unread([*blocks, *others])
    second = well_read(engine.read(left, dpi=source.dpi, settings=settings, anything=True))
    others = [*others, *second]
    if engine.reading(settings).only_digits:
        second = digits_of(second)
    blocks = with_rows(_in_place(blocks, second))
    unread = [line for line in witness.unread_lines([*blocks, *others]) if line.is_plain]
    if witness.mostly_unread(unread):
        raise PageError(
            source.number, f"Page {source.number} is not blank, but most of its text could not be read."
        )
    return _in_place(blocks, [unreadable(line, language=settings.language[0]) for line in unread])


def _letters(block: Block) -> int:
    return sum(letter.isalnum() for line in block.lines for text in line.texts for letter in text)


def _in_place(blocks: list[Block], overlooked: list[Block]) -> list[Block]:
    """Each overlooked block goes before the first that starts below it."""
    placed = list(blocks)
    for block in overlooked:
        below = (index for index, other in enumerate(placed) if other.box.top >= block.box.bottom)
        placed.insert(next(below, len(placed)), block)
    return placed


def _has_words(blocks: list[Block]) -> bool:
    return any(block.type is BlockType.TEXT for block in blocks)


def _within(grey: Grey, box: Box) -> Grey:
    """The part of the page, as a view of it."""
    return grey[box.top : box.bottom, box.left : box.right]


def _grey(image: Image.Image) -> Grey:
    return np.asarray(image if image.mode == "L" else image.convert("L"))
