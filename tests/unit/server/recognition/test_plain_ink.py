# SPDX-License-Identifier: Apache-2.0
"""Bare paper is told from paper with the least of ink, however it is scanned, and is read as what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from font_source_sans_pro import SourceSansPro
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import BlockType, Page, Projection
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.page_image import PageImage
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.plain_ink import is_bare, plain_ink, with_plain_ink_only

TXT = ProcessingSettings.parse(export_format="txt")
PAPER = 250
Levels = npt.NDArray[np.float64]


def paper(dpi: int) -> Levels:
    return np.full((round(11.69 * dpi), round(8.27 * dpi)), float(PAPER))


def grained(page: Levels, deviation: float, seed: int = 1) -> Levels:
    return page + np.random.default_rng(seed).normal(0, deviation, page.shape)


def unevenly_lit(dpi: int) -> Levels:
    height, width = paper(dpi).shape
    return grained(np.add.outer(np.linspace(0, -40, height), np.linspace(PAPER, 190, width)), 3)


def written(dpi: int, text: str, *, at: tuple[float, float], points: float = 11, lines: int = 1) -> Levels:
    """A text on paper, ``at`` inches from its top left corner."""
    image = Image.fromarray(paper(dpi).astype(np.uint8))
    font = ImageFont.truetype(SourceSansPro, round(points * dpi / 72))
    for line in range(lines):
        place = (at[0] * dpi, (at[1] + 0.2 * line) * dpi)
        ImageDraw.Draw(image).text(place, text, font=font, fill=20)
    return np.asarray(image).astype(float)


def shining_through(dpi: int, share: float, grain: float = 3) -> Levels:
    """The text of the other side: mirrored, blurred and faint."""
    text = "The quick brown fox jumps over the lazy dog while seven wizards bake"
    other_side = PAPER - written(dpi, text, at=(1, 1), lines=40)[:, ::-1]
    return grained(PAPER - share * cv2.GaussianBlur(other_side, (0, 0), 0.0075 * dpi), grain)


def pale(dpi: int, share: float, *, lines: int) -> Levels:
    """Text of this side, in grey."""
    text = written(dpi, "Pale print that stands on this side.", at=(1, 9), lines=lines)
    return grained(PAPER - share * (PAPER - text), 3)


def shining_through_askew(dpi: int) -> Levels:
    height, width = paper(dpi).shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1)
    level = shining_through(dpi, 0.3, grain=0)
    return grained(cv2.warpAffine(level, matrix, (width, height), borderValue=(PAPER,)), 3)


def stamped(dpi: int) -> Levels:
    stamp = Image.new("L", (2 * dpi, 2 * dpi), PAPER)
    draw, font = ImageDraw.Draw(stamp), ImageFont.truetype(SourceSansPro, round(18 * dpi / 72))
    ring = round(0.1 * dpi)
    draw.ellipse((ring, ring, 2 * dpi - ring, 2 * dpi - ring), outline=90, width=round(0.04 * dpi))
    draw.text((dpi, dpi), "RECEIVED", font=font, fill=90, anchor="mm")
    page = paper(dpi)
    page[7 * dpi : 9 * dpi, 4 * dpi : 6 * dpi] = np.asarray(stamp.rotate(12, fillcolor=PAPER))
    return page


def signed(dpi: int) -> Levels:
    image = Image.fromarray(paper(dpi).astype(np.uint8))
    along = np.linspace(0, 9, 300)
    up = np.sin(4 * along + 2 * np.sin(1.7 * along)) / 4
    line = list(zip((3 + 0.3 * along) * dpi, (8 + up) * dpi, strict=True))
    ImageDraw.Draw(image).line(line, fill=40, width=dpi // 60)
    return np.asarray(image).astype(float)


def punched(dpi: int) -> Levels:
    page = paper(dpi)
    for down in (4.3, 7.4):
        cv2.circle(page, (round(0.4 * dpi), round(down * dpi)), round(0.12 * dpi), (30,), -1)
    return page


BARE: dict[str, Callable[[int], Levels]] = {
    "white": paper,
    "fine grain": lambda dpi: grained(paper(dpi), 5),
    "coarse grain": lambda dpi: grained(paper(dpi), 20),
    "uneven light": unevenly_lit,
    "a tenth shines through": lambda dpi: shining_through(dpi, 0.1),
    "a seventh shines through": lambda dpi: shining_through(dpi, 0.14),
    "a quarter shines through": lambda dpi: shining_through(dpi, 0.25),
    "a quarter shines through smooth paper": lambda dpi: shining_through(dpi, 0.25, grain=0),
    "a third shines through": lambda dpi: shining_through(dpi, 0.35),
    "a third shines through grained paper": lambda dpi: shining_through(dpi, 0.35, grain=8),
    "a quarter shines through grained paper": lambda dpi: shining_through(dpi, 0.25, grain=8),
    "it shines through askew": shining_through_askew,
    "it shines through upside down": lambda dpi: shining_through(dpi, 0.3)[::-1, ::-1],
    "it shines through turned": lambda dpi: np.rot90(shining_through(dpi, 0.3)),
}
INKED: dict[str, tuple[Callable[[int], Levels], str | BlockType]] = {
    "a page number": (lambda dpi: written(dpi, "17", at=(4, 11)), "17"),
    "a page number on grained paper": (lambda dpi: grained(written(dpi, "17", at=(4, 11)), 5), "17"),
    "a line on grained paper": (
        lambda dpi: grained(written(dpi, "This page is left blank.", at=(1, 1)), 5),
        "This page is left blank.",
    ),
    "a line where print shines through": (
        lambda dpi: np.minimum(written(dpi, "Left blank.", at=(1, 9.5)), shining_through(dpi, 0.1)),
        "Left blank.",
    ),
    "a pale line": (lambda dpi: pale(dpi, 0.25, lines=1), "Pale print that stands on this side."),
    "pale lines": (
        lambda dpi: pale(dpi, 0.35, lines=3),
        " ".join(3 * ["Pale print that stands on this side."]),
    ),
    "pale capitals that are the same mirrored": (
        lambda dpi: PAPER - 0.3 * (PAPER - written(dpi, "MAXIMUM", at=(1, 9))),
        "MAXIMUM",
    ),
    "a signature": (signed, BlockType.PICTURE),
}


SLOW = {  # the engine looks at every grain, or at the page several times
    "a page number on grained paper",
    "a third shines through grained paper",
    "it shines through upside down",
    "it shines through turned",
}


def names(drawn: Mapping[str, object]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.long) if name in SLOW else name for name in drawn]


@pytest.fixture
def recognised(engine: Engine) -> Callable[[Levels, int], Page]:
    def one_page(levels: Levels, dpi: int) -> Page:
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
        source = PageImage(
            number=1,
            image=image,
            dpi=dpi,
            original_width=image.width,
            original_height=image.height,
            original_dpi=dpi,
            to_original=Projection(),
        )
        return recognise_page(source, TXT, engine=engine)

    return one_page


@pytest.mark.parametrize("dpi", [200, pytest.param(300, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", names(BARE))
def test_bare_paper_is_a_blank_page(recognised: Callable[..., Page], name: str, dpi: int) -> None:
    page = recognised(BARE[name](dpi), dpi)
    assert page.blocks == ()
    assert page.rotation == 0


@pytest.mark.parametrize("dpi", [200, pytest.param(300, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", names(INKED))
def test_a_little_ink_is_read_or_shown(recognised: Callable[..., Page], name: str, dpi: int) -> None:
    draw, expected = INKED[name]
    page = recognised(draw(dpi), dpi)
    found: Any = " ".join(word.text for word in page.words) or page.blocks[0].type
    assert found == expected


def test_a_pale_line_is_read_also_where_print_shines_through(recognised: Callable[..., Page]) -> None:
    page = recognised(np.minimum(pale(200, 0.35, lines=1), shining_through(200, 0.25)), 200)
    assert "Pale print that stands on this side." in " ".join(word.text for word in page.words)


def test_a_page_with_one_stamp_is_not_blank(recognised: Callable[..., Page]) -> None:
    assert recognised(stamped(200), 200).blocks != ()


def test_punch_holes_are_no_text(recognised: Callable[..., Page]) -> None:
    assert recognised(punched(200), 200).blocks == ()


def test_without_its_grain_a_page_has_its_letters_left() -> None:
    page = grained(written(200, "17", at=(4, 11)), 5).clip(0, 255).astype(np.uint8)
    ink = plain_ink(page, dpi=200)
    assert not is_bare(ink)
    clean: Grey = with_plain_ink_only(page, ink)
    assert clean[:2000].min() == 255
    assert clean[2150:].min() < 60
