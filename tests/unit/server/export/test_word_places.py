# SPDX-License-Identifier: Apache-2.0
"""Words stand where they were found, but for letters alone whose place the engine guessed."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.server.export.word_places import Span, fitting_size, widened


def test_a_letter_alone_that_was_found_too_narrow_stands_in_the_middle_of_its_gap() -> None:
    found = [Span(0, 100), Span(112, 116), Span(150, 250)]
    assert widened(found, [10, 1.5, 10]) == [Span(0, 100), Span(117.5, 132.5), Span(150, 250)]


def test_it_does_not_touch_its_neighbours() -> None:
    found = [Span(0, 100), Span(102, 104), Span(110, 210)]
    assert widened(found, [10, 5, 10])[1] == Span(100.5, 109.5)


def test_all_else_stays_where_it_is() -> None:
    found = [Span(0, 4), Span(20, 100), Span(120, 210), Span(250, 251)]
    assert widened(found, [10, 10, 10, 10]) == found
    overlapping = [Span(0, 100), Span(90, 92), Span(80, 180)]
    assert widened(overlapping, [10, 2, 10]) == overlapping
    assert widened([], []) == []


@pytest.mark.parametrize(("length", "size"), [(10.0, 10.0), (8.0, 10.0), (4.0, 5.0)])
def test_type_is_not_squeezed_hard(length: float, size: float) -> None:
    assert fitting_size(10.0, [length, length], [1.0, 1.0]) == pytest.approx(size)


def test_what_has_no_length_has_any_size() -> None:
    assert fitting_size(10.0, [4.0], [0.0]) == 10.0
