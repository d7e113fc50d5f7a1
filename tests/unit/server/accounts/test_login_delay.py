# SPDX-License-Identifier: Apache-2.0
"""Who fails waits longer and longer, in one line; nobody else waits."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Coroutine
from typing import Any

import pytest

from airflow_provider_ocr.server.accounts import failure_memory, login_delay
from airflow_provider_ocr.server.accounts.failure_memory import FailureMemory
from airflow_provider_ocr.server.accounts.login_delay import LoginDelay, TooManyAttemptsError


def memory(
    *, first_seconds: float, longest_seconds: float, forget_seconds: float = 60.0, free: int = 0
) -> FailureMemory:
    return FailureMemory(
        first_seconds=first_seconds, longest_seconds=longest_seconds, forget_seconds=forget_seconds, free=free
    )


QUICK = memory(first_seconds=0.001, longest_seconds=0.001)


async def log_in(
    delay: LoginDelay, client: str = "10.0.0.1", name: str = "app", *, wrong: bool = False
) -> float:
    """When the attempt had its turn."""
    async with delay.attempt(client, name) as attempt:
        attempt.failed = wrong
        return time.monotonic()


def seconds(coroutine: Coroutine[Any, Any, Any]) -> float:
    begin = time.monotonic()
    asyncio.run(coroutine)
    return time.monotonic() - begin


def test_each_failure_doubles_the_delay_up_to_the_longest() -> None:
    async def fail() -> list[float]:
        delay = LoginDelay(first_seconds=0.05, longest_seconds=0.2)
        return [await log_in(delay, wrong=True) for _ in range(6)]

    turns = asyncio.run(fail())
    waits = [later - earlier for earlier, later in itertools.pairwise(turns)]
    assert waits == pytest.approx([0.05, 0.1, 0.2, 0.2, 0.2], abs=0.04)


def test_the_time_since_the_last_failure_counts() -> None:
    async def fail_and_come_back() -> float:
        delay = LoginDelay(first_seconds=0.3)
        await log_in(delay, wrong=True)
        await asyncio.sleep(0.3)
        begin = time.monotonic()
        return await log_in(delay) - begin

    assert asyncio.run(fail_and_come_back()) < 0.05


@pytest.mark.parametrize(("client", "name"), [("10.0.0.2", "app"), ("10.0.0.1", "other")])
def test_another_address_and_another_name_do_not_wait(client: str, name: str) -> None:
    async def both() -> None:
        delay = LoginDelay(first_seconds=10)
        await log_in(delay, wrong=True)
        await log_in(delay, client, name)

    assert seconds(both()) < 0.5


def test_a_success_forgives_all_and_so_does_time() -> None:
    async def fail_and_succeed() -> None:
        delay = LoginDelay(first_seconds=0.2, longest_seconds=0.2)
        await log_in(delay, wrong=True)
        await log_in(delay)
        await log_in(delay)

    async def fail_and_wait() -> None:
        delay = LoginDelay(first_seconds=10, forget_seconds=0.2)
        await log_in(delay, wrong=True)
        await asyncio.sleep(0.25)
        await log_in(delay)

    assert 0.2 <= seconds(fail_and_succeed()) < 0.35
    assert seconds(fail_and_wait()) < 0.5


def test_guessing_in_parallel_gains_nothing_and_holds_no_thread() -> None:
    async def guess() -> list[float]:
        delay = LoginDelay(first_seconds=0.1, longest_seconds=0.1)
        threads = threading.active_count()
        guesses = [asyncio.create_task(log_in(delay, wrong=True)) for _ in range(6)]
        await asyncio.sleep(0.05)
        assert threading.active_count() == threads
        return [await guess for guess in guesses]

    turns = asyncio.run(guess())
    assert all(later - earlier > 0.09 for earlier, later in itertools.pairwise(turns))


def test_a_million_failures_wait_no_longer_than_the_longest() -> None:
    assert LoginDelay()._of_names.seconds_after(10**6) == 8.0
    assert LoginDelay()._of_addresses.seconds_after(10**6) == 2.0


def test_the_lines_are_bounded_and_empty_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_delay, "_MOST_IN_LINE", 3)
    monkeypatch.setattr(login_delay, "_MOST_IN_ALL_LINES", 5)

    async def crowd() -> list[float | BaseException]:
        delay = LoginDelay(first_seconds=0.01)
        same = [log_in(delay, wrong=True) for _ in range(4)]
        others = [log_in(delay, name=name) for name in "abc"]
        ends = await asyncio.gather(*same, *others, return_exceptions=True)
        assert (delay._lines, delay._waiting) == ({}, 0)
        return ends

    ends = asyncio.run(crowd())
    refused = [place for place, end in enumerate(ends) if isinstance(end, TooManyAttemptsError)]
    assert refused == [3, 6]
    assert "try again in 8 seconds" in str(ends[3])


def test_who_gives_up_or_breaks_leaves_the_line() -> None:
    async def leave() -> None:
        delay = LoginDelay(first_seconds=30, longest_seconds=30)
        await log_in(delay, wrong=True)
        waiting = asyncio.create_task(log_in(delay))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(ZeroDivisionError):
            async with delay.attempt("10.0.0.1", "other"):
                _ = 1 / 0
        assert (delay._lines, delay._waiting) == ({}, 0)

    assert seconds(leave()) < 1


def test_what_is_remembered_is_bounded_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failure_memory, "_MOST_REMEMBERED", 10)

    async def spray() -> None:
        delay = LoginDelay(first_seconds=0.001, of_addresses=QUICK)
        for number in range(30):
            await log_in(delay, name=f"{number}" * 10_000, wrong=True)
        await log_in(delay, name="20" * 10_000, wrong=True)
        await log_in(delay, name="last", wrong=True)
        assert len(delay._of_names._failures) == 10
        assert len(repr(delay._of_names._failures)) < 2000
        assert login_delay._key("10.0.0.1", "20" * 10_000) in delay._of_names
        assert login_delay._key("10.0.0.1", "21" * 10_000) not in delay._of_names

    asyncio.run(spray())


def test_guessing_over_many_names_slows_an_address_down_and_no_other() -> None:
    async def guess() -> tuple[list[float], float]:
        delay = LoginDelay(of_addresses=memory(first_seconds=0.2, longest_seconds=0.2, free=3))
        begin = time.monotonic()
        for number in range(3):
            await log_in(delay, name=f"free {number}", wrong=True)
        assert time.monotonic() - begin < 0.1
        # At the same time gains nothing, and neither does one's own right password.
        guesses = [log_in(delay, name=str(number), wrong=True) for number in range(3)]
        await log_in(delay, name="fourth", wrong=True)
        other = asyncio.create_task(log_in(delay, "10.0.0.2"))
        turns = await asyncio.gather(*guesses, log_in(delay, name="mine"), log_in(delay, name="last"))
        return turns, await other

    (first, second, third, mine, last), other = asyncio.run(guess())
    assert all(
        later - earlier > 0.19 for earlier, later in itertools.pairwise((other, first, second, third, mine))
    )
    assert last - mine < 0.1  # it was no failure


def test_an_address_is_forgiven_after_a_while() -> None:
    async def fail_and_wait() -> None:
        delay = LoginDelay(of_addresses=memory(first_seconds=10, longest_seconds=10, forget_seconds=0.2))
        await log_in(delay, name="a", wrong=True)
        await asyncio.sleep(0.25)
        await log_in(delay, name="b")

    assert seconds(fail_and_wait()) < 1


def test_an_address_cannot_take_all_the_places() -> None:
    async def flood() -> tuple[int, float]:
        delay = LoginDelay(first_seconds=30, longest_seconds=30)
        names = [str(number) for number in range(20)]
        for name in names:
            key = login_delay._key("10.0.0.1", name)
            delay._of_names.note(key)
        flood = [asyncio.create_task(log_in(delay, name=name, wrong=True)) for name in names * 30]
        await asyncio.sleep(0.05)
        refused = sum(isinstance(task.exception(), TooManyAttemptsError) for task in flood if task.done())
        begin = time.monotonic()
        await log_in(delay, "10.0.0.2")
        ended = time.monotonic() - begin
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)
        assert (delay._lines, delay._waiting) == ({}, 0)
        return refused, ended

    refused, ended = asyncio.run(flood())
    assert refused == 600 - 96
    assert ended < 0.5
