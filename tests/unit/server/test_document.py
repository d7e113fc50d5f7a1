# SPDX-License-Identifier: Apache-2.0
"""Boxes, maps between images, and the characters of a line."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.server.document import Baseline, Box, Line, Page, Projection, enclosing

numbers = st.floats(-5, 5)
maps = st.builds(Projection, *[numbers] * 6, wx=st.just(0.0), wy=st.just(0.0))


@given(maps, maps, st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_two_maps_after_another_are_one(first: Projection, second: Projection, x: float, y: float) -> None:
    assert first.then(second).point(x, y) == pytest.approx(second.point(*first.point(x, y)), abs=1e-6)


slight = st.floats(-1e-4, 1e-4)  # what a camera sees of a page that it is held over
pictures = st.builds(Projection, *[numbers] * 6, wx=slight, wy=slight)


@given(pictures, slight, slight, st.floats(0, 1000), st.floats(0, 1000))
def test_two_pictures_after_another_are_one(
    first: Projection, wx: float, wy: float, x: float, y: float
) -> None:
    second = Projection(wx=wx / 10, wy=wy / 10)
    landed = second.point(*first.point(x, y))
    assert first.then(second).point(x, y) == pytest.approx(landed, rel=1e-6, abs=1e-6)


def test_a_picture_of_a_page_may_have_its_far_edge_shorter() -> None:
    picture = Projection(wy=0.001)
    assert picture.point(100, 0) == (100, 0)
    assert picture.point(100, 1000) == (50, 500)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (Projection(), Box(10, 20, 40, 30)),
        (Projection(xx=0, xy=-1, x0=100, yx=1, yy=0), Box(70, 10, 80, 40)),
        (Projection(xx=2, yy=2), Box(20, 40, 80, 60)),
        (Projection(x0=0.5), Box(10, 20, 41, 30)),
    ],
)
def test_a_box_lands_in_the_smallest_box_around_its_corners(matrix: Projection, expected: Box) -> None:
    assert matrix.box(Box(10, 20, 40, 30)) == expected


def test_a_box_around_boxes_touches_the_outermost() -> None:
    assert enclosing([Box(5, 6, 7, 8), Box(1, 7, 6, 20)]) == Box(1, 6, 7, 20)


def test_a_baseline_that_rises_has_a_positive_angle() -> None:
    assert Baseline(0, 100, 100, 0).angle == pytest.approx(math.pi / 4)


def test_a_line_hands_out_the_characters_of_each_word(make_line: Callable[..., Line]) -> None:
    line = make_line(("ab", 0), ("c", 100))
    characters = [list(line.characters(word)) for word in line.words]
    assert [[character.text for character in word] for word in characters] == [["a", "b"], ["c"]]
    assert characters[1][0].box == Box(100, 100, 120, 130)
    assert characters[1][0].confidence == 90


def test_a_page_hands_out_its_words_in_reading_order(
    make_line: Callable[..., Line], make_page: Callable[..., Page]
) -> None:
    page = make_page([make_line(("one", 0), ("two", 100))], [make_line(("three", 0), top=200)])
    assert [word.text for word in page.words] == ["one", "two", "three"]


def test_an_inverted_projection_leads_back() -> None:
    there = Projection(xx=1.2, xy=0.1, x0=-30, yx=-0.2, yy=0.9, y0=12, wx=1e-4, wy=-2e-4)
    assert there.inverted().point(*there.point(310, 220)) == pytest.approx((310, 220))


def test_a_projection_onto_a_line_leads_nowhere_back() -> None:
    with pytest.raises(ZeroDivisionError):
        Projection(xx=1, xy=1, yx=1, yy=1).inverted()
