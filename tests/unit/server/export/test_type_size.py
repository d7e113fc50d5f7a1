# SPDX-License-Identifier: Apache-2.0
"""The size of a paragraph's type, known or told from where its letters stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from airflow_provider_ocr.server.document import Line, Paragraph
from airflow_provider_ocr.server.export.type_size import fitting_type_size, type_size

MakeLine = Callable[..., Line]


def test_what_recognition_knows_counts_to_the_half_point(make_line: MakeLine) -> None:
    line = make_line(("text", 100))
    lines = tuple(replace(line, size=size) for size in (0.0, 9.9, 10.4, 30.0))
    assert type_size(Paragraph(lines)) == 10.5
    assert type_size(Paragraph((line,))) is None


def test_letters_of_an_inch_are_of_about_72_points(make_line: MakeLine) -> None:
    short, long = make_line(("w", 0)), make_line(("x" * 60, 0))  # 30 pixels high, 20 to a letter
    tall = replace(short, box=short.box._replace(right=short.box.left + 100))
    assert fitting_type_size(Paragraph((tall,)), dpi=30) == pytest.approx(72, rel=0.1)
    narrow = replace(long, box=long.box._replace(right=long.box.left + 300))
    assert fitting_type_size(Paragraph((narrow,)), dpi=10) == pytest.approx(72, rel=0.1)
