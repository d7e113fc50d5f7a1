# SPDX-License-Identifier: Apache-2.0
"""Pauses grow, are jittered, and are at least what the server asks for, in seconds or as a date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.client.pauses import pause_before_retry, retry_after_of

JITTERS = st.floats(0, 1, allow_nan=False)


@given(st.integers(1, 1000), JITTERS)
def test_a_pause_that_nobody_asked_for_is_between_half_a_second_and_20(attempt: int, jitter: float) -> None:
    assert 0.5 <= pause_before_retry(attempt, None, jitter) <= 20


@given(st.integers(1, 1000), st.floats(0, 1e9, allow_nan=False), JITTERS)
def test_a_pause_is_never_shorter_than_the_server_asks(
    attempt: int, retry_after: float, jitter: float
) -> None:
    pause = pause_before_retry(attempt, retry_after, jitter)
    assert max(retry_after, pause_before_retry(attempt, None, 0.0)) <= pause <= retry_after + 20


@pytest.mark.parametrize(
    ("attempt", "retry_after", "shortest", "longest"),
    [
        (1, None, 0.5, 1.0),
        (3, None, 2.0, 4.0),
        (50, None, 10.0, 20.0),
        (1, 0.0, 0.5, 1.0),
        (1, 8.0, 8.0, 10.0),
        (4, 8.0, 8.0, 12.0),
        (1, 3600.0, 3600.0, 3605.0),
    ],
)
def test_pauses_are_spread_so_that_clients_do_not_come_back_together(
    attempt: int, retry_after: float | None, shortest: float, longest: float
) -> None:
    pauses = [pause_before_retry(attempt, retry_after, jitter) for jitter in (0.0, 0.5, 1.0)]
    assert pauses == [shortest, (shortest + longest) / 2, longest]


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_pauses_double_from_attempt_to_attempt(jitter: float) -> None:
    pauses = [pause_before_retry(attempt, None, jitter) for attempt in range(1, 6)]
    assert pauses == [pauses[0] * 2**number for number in range(5)]


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("9" * 5000, 999_999_999.0),
        ("-5", None),
        ("1.5", None),
        ("\u00b2", None),
        ("soon", None),
        ("", None),
        ("Sun, 22 Nov 2026 14:44:53 GMT", 30.0),
        ("Sun, 22 Nov 2026 15:44:53 +0100", 30.0),
        ("Sun, 22 Nov 2026 14:44:53 -0000", 30.0),
        ("Sun, 22 Nov 2026 14:00:00 GMT", 0.0),
        ("Sun, 99 Nov 2026 14:00:00 GMT", None),
        ("Sun, 22 Nov 99999999999 14:00:00 GMT", None),
    ],
)
def test_what_the_server_asks_for_is_read_by_its_own_clock(asked: str, seconds: float | None) -> None:
    headers = {"Retry-After": asked, "Date": "Sun, 22 Nov 2026 14:44:23 GMT"}
    assert retry_after_of(headers) == seconds


@pytest.mark.parametrize("date", [{}, {"Date": "today"}])
def test_without_the_servers_clock_ours_has_to_do(date: dict[str, str]) -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    seconds = retry_after_of({"Retry-After": in_a_minute, **date})
    assert seconds is not None
    assert 50 < seconds <= 60


def test_a_server_that_asks_for_nothing_gets_nothing() -> None:
    assert retry_after_of({}) is None
