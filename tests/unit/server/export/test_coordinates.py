# SPDX-License-Identifier: Apache-2.0
"""Places of the corrected page, as other images have them."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from airflow_provider_ocr.server.document import Box, Line, Page, Projection
from airflow_provider_ocr.server.export.coordinates import Coordinates, space_between

MakePage = Callable[..., Page]
QUARTER_TURN = Projection(xx=0, xy=1, yx=-1, yy=0, y0=1000)


def test_places_are_those_of_the_image_that_is_asked_for(make_page: MakePage) -> None:
    page = make_page(rotation=90, to_original=QUARTER_TURN)
    original, corrected = Coordinates.of_original(page), Coordinates.of_corrected(page)
    assert (original.width, original.height, corrected.width, corrected.height) == (1400, 1000, 1000, 1400)
    assert original.box(Box(10, 20, 110, 50)) == (20, 890, 50, 990)
    assert corrected.box(Box(10, 20, 110, 50)) == (10, 20, 110, 50)
    assert (original.point(10, 20), corrected.point(10, 20)) == ((20, 990), (10, 20))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(-5, -5, 20, 30), (0, 0, 20, 30)),
        (Box(990, 1390, 1010, 1410), (990, 1390, 1000, 1400)),
        (Box(1100, 10, 1200, 20), (1000, 10, 1000, 20)),
        (Box(-20, -20, -10, -10), (0, 0, 0, 0)),
    ],
)
def test_what_reaches_beyond_the_image_ends_at_its_edge(
    make_page: MakePage, box: Box, expected: tuple[int, ...]
) -> None:
    assert Coordinates.of_original(make_page()).box(box) == expected


@pytest.mark.parametrize("degrees", [0, 3, 90, 180, 270])
def test_a_size_is_the_same_however_the_page_lay(make_page: MakePage, degrees: int) -> None:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    page = make_page(to_original=Projection(xx=cos, xy=-sin, yx=sin, yy=cos))
    assert Coordinates.of_original(page).size(Box(100, 200, 500, 230)) == (400, 30)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((("ab", 0), ("c", 60)), (40, 100, 60, 130)),
        ((("ab", 100), ("c", 10)), (30, 100, 100, 130)),
        ((("ab", 0), ("c", 30)), (30, 100, 40, 130)),
    ],
)
def test_a_space_lies_between_its_words(
    make_line: Callable[..., Line], words: tuple[tuple[str, int], ...], expected: tuple[int, ...]
) -> None:
    line = make_line(*words)
    assert space_between(*line.words, line) == expected
