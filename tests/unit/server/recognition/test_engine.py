# SPDX-License-Identifier: Apache-2.0
"""The real engine on drawn pages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Block, Box
from airflow_provider_ocr.server.recognition.engine import Engine, engine_name

ENGLISH = ProcessingSettings()


def text(blocks: list[Block]) -> str:
    return " ".join(word.text for block in blocks for line in block.lines for word in line.words)


def overlap(one: Box, other: Box) -> float:
    """Share of the smaller box that both have in common."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return max(0, width) * max(0, height) / smaller


def test_words_are_read_where_they_stand(engine: Engine, draw: Callable[..., Any]) -> None:
    drawing = draw()
    blocks = engine.read(np.asarray(drawing.image), dpi=300, settings=ENGLISH)
    assert text(blocks) == drawing.text
    words = [word for block in blocks for line in block.lines for word in line.words]
    assert min(overlap(word.box, box) for word, (_, box) in zip(words, drawing.words, strict=True)) > 0.9
    assert all(60 < word.confidence <= 100 and word.language == "English" for word in words)


def test_characters_spell_their_words(engine: Engine, draw: Callable[..., Any]) -> None:
    blocks = engine.read(np.asarray(draw().image), dpi=300, settings=ENGLISH)
    for line in (line for block in blocks for line in block.lines):
        assert len(line.edges) == 4 * len(line.texts) == 4 * len(line.certainties)
        for word in line.words:
            assert "".join(character.text for character in line.characters(word)) == word.text


def test_a_page_without_letters_has_no_orientation(engine: Engine) -> None:
    assert engine.orientation(np.full((400, 600), 255, np.uint8), dpi=300) == (0, 0.0)


def test_words_name_a_language_that_was_asked_for(engine: Engine, draw: Callable[..., Any]) -> None:
    drawing = draw(("Rechnung vom Montag", "and a line in English"))
    blocks = engine.read(
        np.asarray(drawing.image), dpi=300, settings=ProcessingSettings(language=("German", "English"))
    )
    assert text(blocks) == drawing.text
    assert {word.language for block in blocks for line in block.lines for word in line.words} <= {
        "German",
        "English",
    }


def test_a_single_line_is_read_in_its_region(engine: Engine, draw: Callable[..., Any]) -> None:
    drawing = draw(("Total 29.90",))
    box = drawing.box_of("29.90")
    region = Box(box.left - 12, box.top - 12, box.right + 12, box.bottom + 12)
    blocks = engine.read_lines(np.asarray(drawing.image), [region], dpi=300, settings=ENGLISH)
    assert text(blocks) == "29.90"
    assert overlap(blocks[0].box, box) > 0.9


@pytest.mark.parametrize("blur", [1.0, 1.5])
def test_a_coarse_page_is_read_like_a_fine_one(engine: Engine, draw: Callable[..., Any], blur: float) -> None:
    drawing = draw(size=36)
    fine = drawing.image.filter(ImageFilter.GaussianBlur(blur))
    coarse = np.asarray(fine.resize((500, 300), Image.Resampling.BOX))
    blocks = engine.read(coarse, dpi=100, settings=ENGLISH)
    assert text(blocks) == drawing.text
    words = [word for block in blocks for line in block.lines for word in line.words]
    thirds = [
        Box(*(round(edge / 3) for edge in (box.left, box.top, box.right, box.bottom)))
        for _, box in drawing.words
    ]
    assert min(overlap(word.box, box) for word, box in zip(words, thirds, strict=True)) > 0.6


def test_noise_is_not_taken_for_words(engine: Engine) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (60, 90), np.uint8)
    page = np.asarray(Image.fromarray(noise).resize((900, 600), Image.Resampling.BICUBIC))
    assert text(engine.read_scattered(page, dpi=300, settings=ENGLISH)) == ""


def test_an_image_that_the_engine_refuses_is_an_error(engine: Engine) -> None:
    with pytest.raises(RuntimeError):
        engine.read(np.full((20, 40_000), 255, np.uint8), dpi=300, settings=ENGLISH)


def test_a_folder_without_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        Engine(tmp_path)


def test_the_engine_has_a_name_and_a_version() -> None:
    assert engine_name().startswith("tesseract 5.")


def test_what_else_a_character_may_be_is_told_where_it_is_wanted(
    engine: Engine, draw: Callable[..., Any]
) -> None:
    page = np.asarray(draw().image)
    wanted = ProcessingSettings.parse(export_format="xml", write_recognition_variants=True)
    plain, full = (
        list(engine.read(page, dpi=300, settings=settings)[0].lines) for settings in (ENGLISH, wanted)
    )
    assert not any(line.readings for line in plain)
    assert [line.texts for line in full] == [line.texts for line in plain]
    for line in full:
        assert len(line.readings) == len(line.texts)
        for text, readings in zip(line.texts, line.readings, strict=True):
            assert text not in [reading.text for reading in readings]
    assert any(readings for line in full for readings in line.readings)
