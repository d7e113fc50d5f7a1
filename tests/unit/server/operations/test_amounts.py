# SPDX-License-Identifier: Apache-2.0
"""Amounts are short, and right in their first places."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.server.operations.amounts import byte_text, count_text, duration_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KB"),
        (20 * 2**30, "20.0 GB"),
        (1.5 * 2**40, "1.5 TB"),
        (5000 * 2**40, "5000.0 TB"),
    ],
)
def test_bytes_are_told_in_a_unit_that_fits(value: float, text: str) -> None:
    assert byte_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0, "0"), (12345, "12,345"), (7.25, "7.2"), (1234.5, "1,234.5")]
)
def test_counts_have_their_thousands_apart(value: float, text: str) -> None:
    assert count_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (7500, "2 h 5 min"),
        (86400 * 3 + 3600 * 4 + 59, "3 d 4 h"),
    ],
)
def test_durations_are_told_in_two_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
