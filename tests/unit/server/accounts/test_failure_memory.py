# SPDX-License-Identifier: Apache-2.0
"""Failures beyond those that are free make the next attempt wait, until they are forgiven or forgotten."""

from __future__ import annotations

import time

import pytest

from airflow_provider_ocr.server.accounts.failure_memory import FailureMemory

KEY = b"key"


def memory(forget_seconds: float = 60.0) -> FailureMemory:
    return FailureMemory(first_seconds=0.25, longest_seconds=2.0, forget_seconds=forget_seconds, free=2)


@pytest.mark.parametrize(
    ("failures", "delay"), [(0, 0), (1, 0), (2, 0), (3, 0.25), (4, 0.5), (5, 1), (6, 2), (7, 2), (99, 2)]
)
def test_failures_beyond_the_free_ones_double_the_delay_up_to_the_longest(
    failures: int, delay: float
) -> None:
    remembered = memory()
    for _ in range(failures):
        remembered.note(KEY)
    assert remembered.delay(KEY) == delay
    assert remembered.seconds_left(KEY) == pytest.approx(delay, abs=0.05)
    assert remembered.delay(b"another") == 0
    remembered.forgive(KEY)
    assert remembered.delay(KEY) == 0
    assert KEY not in remembered


def test_what_is_long_ago_does_not_count_even_if_it_was_not_asked_for() -> None:
    remembered = memory(forget_seconds=0.05)
    for _ in range(9):
        remembered.note(KEY)
    time.sleep(0.1)
    remembered.note(KEY)
    assert remembered.delay(KEY) == 0
    assert KEY in remembered
    time.sleep(0.1)
    assert remembered.delay(KEY) == 0
    assert KEY not in remembered
