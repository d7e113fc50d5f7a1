# SPDX-License-Identifier: Apache-2.0
"""Estimates follow how long pages have taken of late, and the numbers are of this start of the server."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_ocr.server.workers import pace as pace_module
from airflow_provider_ocr.server.workers.pace import Pace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace_module, "time", clock)
    return clock


def recognise(pace: Pace, clock: Clock, *, pages: int, seconds: float) -> None:
    with pace.busy():
        for _ in range(pages):
            clock.now += seconds
            pace.note_page()


def test_an_estimate_is_whole_seconds_and_at_least_one() -> None:
    pace = Pace()
    assert (pace.seconds(0), pace.seconds(1), pace.seconds(100)) == (1, 3, 300)
    assert pace.seconds(100, workers=4) == 75
    assert pace.seconds(1, workers=100) == 1


@pytest.mark.parametrize("seconds", [0.1, 2.0, 30.0])
def test_the_estimate_comes_to_what_pages_take(seconds: float, clock: Clock) -> None:
    pace = Pace()
    recognise(pace, clock, pages=60, seconds=seconds)
    assert pace.seconds(1000) == pytest.approx(1000 * seconds, rel=0.1)
    # One page that takes long does not make everything look slow.
    recognise(pace, clock, pages=1, seconds=seconds * 3)
    assert pace.seconds(1000) < 1000 * seconds * 1.4


def test_the_time_between_two_documents_is_not_a_pages(clock: Clock) -> None:
    pace = Pace()
    for _ in range(60):
        clock.now += 3600
        recognise(pace, clock, pages=1, seconds=1)
    assert pace.seconds(100) == pytest.approx(100, rel=0.1)


def test_pages_per_minute_are_those_of_the_last_five_minutes(clock: Clock) -> None:
    pace = Pace()
    assert pace.pages_per_minute == 0
    recognise(pace, clock, pages=10, seconds=1)
    clock.now += 200
    recognise(pace, clock, pages=5, seconds=1)
    assert pace.pages_per_minute == 3
    clock.now += 150
    assert pace.pages_per_minute == 1
    clock.now += 300
    assert (pace.pages_per_minute, pace.pages_total) == (0, 15)


def test_failures_are_counted() -> None:
    pace = Pace()
    pace.note_failure()
    pace.note_failure()
    assert pace.failures_total == 2


def test_workers_are_busy_until_their_document_is_over_however_it_ends() -> None:
    pace = Pace()

    def fail() -> None:
        with pace.busy():
            assert pace.busy_workers == 2
            raise ValueError("broken")

    with pace.busy():
        assert pace.busy_workers == 1
        with pytest.raises(ValueError, match="broken"):
            fail()
        assert pace.busy_workers == 1
    assert pace.busy_workers == 0


def test_workers_in_several_threads_do_not_measure_each_others_pages() -> None:
    pace, barrier = Pace(), threading.Barrier(8)

    def work(_: int) -> None:
        with pace.busy():
            barrier.wait()
            for _ in range(500):
                pace.note_page()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert (pace.pages_total, pace.busy_workers) == (4000, 0)
    assert pace.seconds(1) == 1
