# SPDX-License-Identifier: Apache-2.0
"""Pages drawn with known text at known places, and pages as recognition would give them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.server.document import (
    Affine,
    Baseline,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    Word,
    enclosing,
)
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.tessdata import Tessdata, gather_tessdata

LETTER = (
    "The quarterly report of the harbour office",
    "was sent to all members on 14 March 2026.",
    "It lists 318 ships and their cargo, among",
    "them coal, timber, wool and 27 tons of tin.",
    "Please return your comments by Friday.",
    "With kind regards, the secretary",
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn page and where each of its words stands."""

    image: Image.Image
    words: tuple[tuple[str, Box], ...]

    @property
    def text(self) -> str:
        return " ".join(word for word, _ in self.words)

    def box_of(self, wanted: str) -> Box:
        return next(box for word, box in self.words if word == wanted)


@pytest.fixture(scope="session")
def draw() -> Callable[..., Drawing]:
    """Draws lines of text on a white page of 300 dpi."""

    def drawn(
        lines: Sequence[str] = LETTER,
        *,
        size: int = 44,
        width: int = 1500,
        height: int = 900,
        left: int = 150,
    ) -> Drawing:
        image = Image.new("L", (width, height), 255)
        pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=size)
        words = []
        for number, line in enumerate(lines):
            x, y = float(left), 120 + round(number * size * 1.7)
            for word in line.split():
                pen.text((x, y), word, font=font, fill=0)
                words.append((word, Box(*map(round, pen.textbbox((x, y), word, font=font)))))
                x += pen.textlength(word + " ", font=font)
        return Drawing(image, tuple(words))

    return drawn


@pytest.fixture(scope="session")
def tessdata(tmp_path_factory: pytest.TempPathFactory) -> Tessdata:
    """The data of the installed wheels."""
    return gather_tessdata(tmp_path_factory.mktemp("tessdata"))


@pytest.fixture(scope="session")
def engine(tessdata: Tessdata) -> Engine:
    """One engine for all tests."""
    return Engine(tessdata.folder)


@pytest.fixture(scope="session")
def make_line() -> Callable[..., Line]:
    """A line as the engine would give it: words with their left edge, 20 pixels to a letter, 30 high."""

    def made(
        *words: tuple[str, int], top: int = 100, confidence: int = 90, language: str = "English"
    ) -> Line:
        texts: list[str] = []
        edges: array[int] = array("i")
        made_words = []
        for text, left in words:
            box = Box(left, top, left + 20 * len(text), top + 30)
            made_words.append(Word(text, box, float(confidence), language, len(texts), len(text)))
            for place, character in enumerate(text):
                texts.append(character)
                edges.extend((left + 20 * place, top, left + 20 * place + 20, top + 30))
        box = enclosing([word.box for word in made_words])
        baseline = Baseline(box.left, top + 30, box.right, top + 30)
        return Line(tuple(made_words), box, baseline, tuple(texts), edges, bytes([confidence] * len(texts)))

    return made


@pytest.fixture(scope="session")
def make_page() -> Callable[..., Page]:
    """A page of 1000 x 1400 pixels with one text block for each sequence of lines."""

    def made(
        *blocks: Sequence[Line] | Block,
        number: int = 1,
        rotation: int = 0,
        to_original: Affine | None = None,
        image: Path | None = None,
    ) -> Page:
        turned = rotation in (90, 270)
        return Page(
            number=number,
            original_width=1400 if turned else 1000,
            original_height=1000 if turned else 1400,
            original_dpi=100,
            width=1000,
            height=1400,
            dpi=100,
            rotation=rotation,
            skew=0.0,
            to_original=to_original or Affine(),
            blocks=tuple(block if isinstance(block, Block) else text_block(block) for block in blocks),
            image=image,
        )

    return made


def text_block(lines: Sequence[Line]) -> Block:
    return Block(BlockType.TEXT, enclosing([line.box for line in lines]), (Paragraph(tuple(lines)),))
