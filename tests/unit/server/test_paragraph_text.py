# SPDX-License-Identifier: Apache-2.0
"""Paragraphs as one line of text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from airflow_provider_ocr.server.document import Line, Paragraph
from airflow_provider_ocr.server.paragraph_text import paragraph_text

MakeLine = Callable[..., Line]


def test_lines_are_joined_by_a_space(make_line: MakeLine) -> None:
    lines = (make_line(("one", 0), ("two", 100)), make_line(("three", 0), top=200))
    assert paragraph_text(Paragraph(lines)) == "one two three"


@pytest.mark.parametrize("hyphen", ["-", "\N{SOFT HYPHEN}", "\N{HYPHEN}", "¬"])
def test_a_word_that_a_line_end_divides_is_one_word_again(make_line: MakeLine, hyphen: str) -> None:
    first = replace(make_line(("the", 0), (f"har{hyphen}", 100)), hyphenated=True)
    lines = (first, make_line(("bour", 0), ("office", 100), top=200))
    assert paragraph_text(Paragraph(lines)) == "the harbour office"


def test_a_hyphen_that_is_part_of_the_word_stays(make_line: MakeLine) -> None:
    lines = (make_line(("twenty-", 0)), make_line(("one", 0), top=200))
    assert paragraph_text(Paragraph(lines)) == "twenty- one"


def test_a_hyphen_behind_which_nothing_comes_stays(make_line: MakeLine) -> None:
    assert paragraph_text(Paragraph((replace(make_line(("har-", 0)), hyphenated=True),))) == "har-"


def test_no_lines_are_no_text() -> None:
    assert paragraph_text(Paragraph(())) == ""
