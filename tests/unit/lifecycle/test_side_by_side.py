# SPDX-License-Identifier: Apache-2.0
"""Jobs run at the same time, all of them end, and none outlives the block."""

from __future__ import annotations

import threading
import time

import pytest

from airflow_provider_ocr.lifecycle.side_by_side import SideBySide


class FirstError(Exception):
    """What the first job raises."""


class SecondError(Exception):
    """What the second job raises."""


class KilledError(BaseException):
    """What Airflow raises in the main thread."""


def _ignore() -> None:
    """Takes no notice of a tick."""


def _new(seconds: float = 10.0, on_tick: object = _ignore) -> SideBySide:
    return SideBySide(most=3, on_tick=on_tick, seconds=seconds)  # type: ignore[arg-type]  # tests are not typed


def test_results_come_in_the_order_of_the_jobs_and_are_told_of_as_they_come() -> None:
    later = threading.Event()
    told: list[str] = []

    def note(result: str) -> None:
        told.append(result)
        later.set()

    def slow() -> str:
        assert later.wait(10)
        return "slow"

    with _new() as side_by_side:
        assert side_by_side.run([slow, lambda: "quick"], note) == ["slow", "quick"]
    assert told == ["quick", "slow"]


def test_as_many_as_allowed_run_at_the_same_time() -> None:
    meeting = threading.Barrier(3)
    with _new() as side_by_side:
        assert len(side_by_side.run([lambda: meeting.wait(10)] * 3)) == 3


def test_the_first_failure_is_raised_once_the_others_have_ended_and_theirs_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = threading.Event()

    def fail(error: type[Exception], after: float) -> None:
        time.sleep(after)
        raise error

    def end() -> str:
        time.sleep(0.2)
        ended.set()
        return "done"

    told: list[str | None] = []
    with pytest.raises(FirstError), _new() as side_by_side:
        side_by_side.run([lambda: fail(FirstError, 0.1), lambda: fail(SecondError, 0.0), end], told.append)
    assert ended.is_set()
    assert told == ["done"]
    assert [record.getMessage() for record in caplog.records] == ["Besides: SecondError"]


def test_it_ticks_while_jobs_run() -> None:
    ticks: list[float] = []
    with _new(0.05, lambda: ticks.append(time.monotonic())) as side_by_side:
        side_by_side.run([lambda: time.sleep(0.5)])
    assert 3 <= len(ticks) <= 10


def test_who_is_killed_while_waiting_leaves_no_job_behind() -> None:
    side_by_side = _new(0.05, lambda: (_ for _ in ()).throw(KilledError))
    stopped = threading.Event()

    def work() -> None:
        while not side_by_side.stopped.is_set():
            time.sleep(0.01)
        stopped.set()

    with pytest.raises(KilledError), side_by_side:
        side_by_side.run([work])
    assert stopped.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("landing")]
