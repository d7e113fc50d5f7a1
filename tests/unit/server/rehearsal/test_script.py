# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.rehearsal.script import HELD, NOTHING_READ, Outcome, Script

SOURCE = "https://example.com/scans/a.tif"


def never() -> bool:
    return False


@pytest.mark.parametrize(
    ("patterns", "source", "expected"),
    [
        ([], SOURCE, None),
        (["*"], SOURCE, 0),
        (["*"], "", 0),
        (["*/a.tif"], SOURCE, 0),
        (["*/a.tif"], "", None),
        (["*/A.tif"], SOURCE, None),
        (["*", "*/a.tif"], SOURCE, 1),
        (["*/a.tif", "*"], SOURCE, 1),
        (["*", "*/b.tif"], SOURCE, 0),
    ],
)
def test_of_what_was_said_the_last_that_fits_counts(
    patterns: list[str], source: str, expected: int | None
) -> None:
    script = Script()
    outcomes = [Outcome(text=str(number)) for number in range(len(patterns))]
    for outcome, pattern in zip(outcomes, patterns, strict=True):
        script.add(outcome, source=pattern)
    assert script.outcome_of(source) == (Outcome() if expected is None else outcomes[expected])


def test_a_text_says_that_nothing_was_recognised_unless_it_was_given() -> None:
    assert Script().outcome_of(SOURCE).text == NOTHING_READ


@pytest.mark.parametrize(("text", "pages"), [("", 1), ("a", 1), ("a\fb", 2), ("\f\f", 3)])
def test_form_feeds_separate_pages(text: str, pages: int) -> None:
    assert Outcome(text=text).pages == pages


def waits(script: Script, status: TaskStatus, cancelled: Callable[[], bool] = never) -> threading.Thread:
    """A thread that lives as long as a task stays in a state."""
    thread = threading.Thread(
        target=script.stay, args=(status,), kwargs={"seconds": 0, "cancelled": cancelled}, daemon=True
    )
    thread.start()
    thread.join(0.05)
    return thread


@pytest.mark.parametrize("status", HELD)
@pytest.mark.parametrize("let_go", [Script.release, Script.begin_anew])
def test_a_held_state_lasts_until_it_is_let_go(status: TaskStatus, let_go: Callable[[Script], None]) -> None:
    script = Script()
    script.hold(status)
    held, other = waits(script, status), waits(script, next(each for each in HELD if each is not status))
    assert (held.is_alive(), other.is_alive()) == (True, False)
    let_go(script)
    held.join(5)
    assert not held.is_alive()


def test_a_task_that_is_cancelled_stays_no_longer() -> None:
    script, cancelled = Script(), threading.Event()
    script.hold(TaskStatus.IN_PROGRESS)
    held = waits(script, TaskStatus.IN_PROGRESS, cancelled.is_set)
    cancelled.set()
    script.wake()
    held.join(5)
    assert not held.is_alive()


def test_a_state_lasts_as_long_as_was_said() -> None:
    begin = time.monotonic()
    Script().stay(TaskStatus.IN_PROGRESS, seconds=0.1, cancelled=never)
    assert 0.1 <= time.monotonic() - begin < 5


def test_a_task_cannot_be_held_where_it_has_ended() -> None:
    with pytest.raises(
        ValueError, match="Tasks cannot be held Completed; they can be Submitted, Queued, InP"
    ):
        Script().hold(TaskStatus.COMPLETED)


def test_beginning_anew_forgets_what_was_said() -> None:
    script = Script()
    script.add(Outcome(error="torn"))
    script.begin_anew()
    assert script.outcome_of(SOURCE).error is None
