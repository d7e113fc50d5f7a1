# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Block
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.orientation import find_rotation

ENGLISH = ProcessingSettings()
LINES = ("The quick brown fox jumps over the lazy dog", "while seven wizards bake fresh bread at home") * 5


class Looks:
    """The engine, and how large what it was shown is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sizes: list[int] = []

    def orientation(self, grey: Grey, *, dpi: float) -> tuple[int, float]:
        self.sizes.append(grey.size)
        return self._engine.orientation(grey, dpi=dpi)

    def read(self, grey: Grey, *, dpi: float, settings: ProcessingSettings) -> list[Block]:
        return self._engine.read(grey, dpi=dpi, settings=settings)


class Misled(Looks):
    """The engine on a page so coarse that it takes a way to lie for another, without being sure."""

    def orientation(self, grey: Grey, *, dpi: float) -> tuple[int, float]:
        return 180, 2.9


@pytest.fixture
def looks(engine: Engine) -> Any:
    return Looks(engine)


@pytest.mark.parametrize("clockwise", [0, 90, 180, 270])
def test_a_part_of_an_ordinary_page_tells_which_way_up_it_lies(
    looks: Any, draw: Callable[..., Any], clockwise: int
) -> None:
    page = np.rot90(np.asarray(draw(LINES, size=32).image), k=clockwise // 90)
    assert find_rotation(page, engine=looks, dpi=300, settings=ENGLISH) == clockwise
    assert len(looks.sizes) == 1
    assert looks.sizes[0] <= page.size // 2


def test_where_a_part_does_not_tell_the_whole_page_does(looks: Any, draw: Callable[..., Any]) -> None:
    text = np.rot90(np.asarray(draw(LINES, size=32).image), k=2)
    strokes = np.full_like(text, 255)
    for top in range(40, 860, 40):
        for left in range(40, 1460, 40):
            strokes[top : top + 20, left : left + 4] = 0
    page = np.vstack((strokes, text))
    assert find_rotation(page, engine=looks, dpi=300, settings=ENGLISH) == 180
    assert len(looks.sizes) == 2
    assert looks.sizes[1] == page.size


def test_a_page_without_text_is_not_turned(engine: Engine) -> None:
    assert find_rotation(np.full((400, 600), 255, np.uint8), engine=engine, dpi=300, settings=ENGLISH) == 0


def test_a_few_words_are_looked_at_whole(looks: Any, draw: Callable[..., Any]) -> None:
    page = np.asarray(draw(("Only a few words",)).image)
    assert find_rotation(page, engine=looks, dpi=300, settings=ENGLISH) == 0
    assert looks.sizes == [page.size]


@pytest.mark.parametrize("clockwise", [0, 180])
def test_in_doubt_a_page_is_turned_only_if_that_makes_it_readable(
    engine: Engine, draw: Callable[..., Any], clockwise: int
) -> None:
    page = np.rot90(np.asarray(draw(LINES, size=32).image), k=clockwise // 90)
    misled: Any = Misled(engine)
    assert find_rotation(page, engine=misled, dpi=300, settings=ENGLISH) == clockwise
