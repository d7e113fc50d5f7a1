# SPDX-License-Identifier: Apache-2.0
"""A reading says how much is there, of how much, and how fast it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_ocr.lifecycle.landing_progress import LandingProgress, Meter

MB = 1_000_000


@pytest.mark.parametrize(
    ("received", "announced", "seconds", "line"),
    [
        (50 * MB, 200 * MB, 10.0, "50.0 MB of 200.0 MB (25%), 5.0 MB/s"),
        (50 * MB, None, 10.0, "50.0 MB, 5.0 MB/s"),
        (0, 0, 0.0, "0.0 MB, 0.0 MB/s"),
    ],
    ids=["announced", "unknown_length", "nothing"],
)
def test_a_reading_is_a_line_for_the_log(
    received: int, announced: int | None, seconds: float, line: str
) -> None:
    assert str(LandingProgress(received=received, announced=announced, seconds=seconds)) == line


def test_a_meter_counts_what_several_threads_add() -> None:
    now = [100.0]
    meter = Meter(clock=lambda: now[0])
    meter.announce(3000)
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3000):
            pool.submit(meter.add, 1)
    now[0] = 104.0
    assert meter.read() == LandingProgress(received=3000, announced=3000, seconds=4.0)
