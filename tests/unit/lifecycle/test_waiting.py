# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from airflow_provider_ocr.lifecycle.verdict import Observation
from airflow_provider_ocr.lifecycle.waiting import News, Question, WaitingTask
from airflow_provider_ocr.protocol.errors import ConnectionFailedError, ServerError
from airflow_provider_ocr.protocol.task import OcrTask

QUEUED = OcrTask(id="a1", status="Queued")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def task() -> WaitingTask:
    return WaitingTask("a1")


def asked(
    task: WaitingTask,
    loop: asyncio.AbstractEventLoop,
    delay: float,
    now: float,
    *,
    seen: News | None = None,
    until: float = 0.0,
) -> asyncio.Future[Observation]:
    answer: asyncio.Future[Observation] = loop.create_future()
    task.ask(Question(answer=answer, delay=delay, seen=seen, until=until), now=now)
    return answer


@pytest.mark.parametrize(
    ("delay", "early", "due"), [(0.0, 2.0, 2.0), (3.0, 2.0, 3.0), (10.0, 5.0, 10.0)], ids=str
)
def test_a_look_may_come_along_with_others_after_half_of_its_delay(
    task: WaitingTask, loop: asyncio.AbstractEventLoop, delay: float, early: float, due: float
) -> None:
    asked(task, loop, delay, 100.0)
    assert (task.early - 100.0, task.due - 100.0) == (early, due)


def test_all_who_asked_before_a_look_have_it_and_who_asked_during_it_waits_two_seconds_from_its_end(
    task: WaitingTask, loop: asyncio.AbstractEventLoop
) -> None:
    first, second = asked(task, loop, 2.0, 0.0), asked(task, loop, 60.0, 1.0)
    task.begin_look()
    assert not task.is_ready
    late = asked(task, loop, 2.0, 3.0)
    task.end_look(QUEUED, now=7.0)
    assert (first.result(), second.result(), late.done()) == (QUEUED, QUEUED, False)
    assert (task.early, task.due, task.is_ready) == (9.0, 9.0, True)


def test_a_look_that_was_not_made_is_due_again_after_its_delay(
    task: WaitingTask, loop: asyncio.AbstractEventLoop
) -> None:
    answer = asked(task, loop, 10.0, 0.0)
    task.begin_look()
    task.put_off(now=11.0)
    assert (task.due, task.is_ready, answer.done()) == (21.0, True, False)


def test_who_went_away_is_not_looked_for(task: WaitingTask, loop: asyncio.AbstractEventLoop) -> None:
    asked(task, loop, 10.0, 0.0).cancel()
    assert not task.is_ready
    asked(task, loop, 60.0, 0.0)
    assert task.due == 60.0


def test_what_is_no_error_of_the_service_is_raised_to_who_asked(
    task: WaitingTask, loop: asyncio.AbstractEventLoop
) -> None:
    answer = asked(task, loop, 2.0, 0.0)
    task.begin_look()
    task.end_look(LookupError("no such connection"), now=3.0)
    with pytest.raises(LookupError, match="no such connection"):
        answer.result()


def test_who_waits_is_left_alone_while_there_is_no_news_until_patience_ends(
    task: WaitingTask, loop: asyncio.AbstractEventLoop
) -> None:
    answer = asked(task, loop, 10.0, 0.0, seen="Queued", until=25.0)
    for now, due in ((10.0, 20.0), (20.0, 25.0)):
        task.begin_look()
        task.end_look(QUEUED, now=now)
        assert (answer.done(), task.due, task.is_ready) == (False, due, True)
    task.begin_look()
    task.end_look(QUEUED, now=25.0)
    assert answer.result() == QUEUED


def test_trouble_that_goes_on_is_no_news_until_patience_ends(
    task: WaitingTask, loop: asyncio.AbstractEventLoop
) -> None:
    answer = asked(task, loop, 10.0, 0.0, seen=ConnectionFailedError, until=20.0)
    task.begin_look()
    task.end_look(ConnectionFailedError("no answer"), now=10.0)
    assert (answer.done(), task.due, task.is_ready) == (False, 20.0, True)
    last = ConnectionFailedError("still no answer")
    task.begin_look()
    task.end_look(last, now=20.0)
    assert answer.result() is last


@pytest.mark.parametrize(
    ("seen", "news"),
    [
        ("Queued", OcrTask(id="a1", status="Completed")),
        ("Queued", ConnectionFailedError("no answer")),
        (ServerError, ConnectionFailedError("no answer")),
        (ConnectionFailedError, QUEUED),
    ],
    ids=str,
)
def test_news_is_told_at_once(
    task: WaitingTask, loop: asyncio.AbstractEventLoop, seen: News, news: Observation
) -> None:
    answer = asked(task, loop, 10.0, 0.0, seen=seen, until=100.0)
    task.begin_look()
    task.end_look(news, now=10.0)
    assert answer.result() is news
