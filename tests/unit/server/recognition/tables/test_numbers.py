# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_ocr.server.document import Line
from airflow_provider_ocr.server.recognition.tables.numbers import is_number


@pytest.mark.parametrize("text", ["7", "1.234,56", "-12.5", "3.20€", "50%", "(120)", "12,//1,18"])
def test_what_is_mostly_digits_is_a_number(make_line: Callable[..., Line], text: str) -> None:
    assert is_number(make_line((text, 0)))


@pytest.mark.parametrize("text", ["Tea", "-", "5kg", "A12"])
def test_anything_else_is_none(make_line: Callable[..., Line], text: str) -> None:
    assert not is_number(make_line((text, 0)))
