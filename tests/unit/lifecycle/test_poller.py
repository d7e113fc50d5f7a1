# SPDX-License-Identifier: Apache-2.0
"""The shared poll loop: a real event loop, client and server, on a clock that never waits for nothing."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import itertools
import selectors
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.poller import shared_poller
from airflow_provider_ocr.lifecycle.survey import FEW
from airflow_provider_ocr.lifecycle.verdict import Observation
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_error, render_tasks
from airflow_provider_ocr.protocol.task import OcrTask

if TYPE_CHECKING:
    from tests.unit.conftest import Received, ScriptedServer
    from tests.unit.lifecycle.conftest import Connection

KEY = "cloud_ocr_default"
_TICK = 1e-6  # a sum of floats may stay a little under what it was to reach


@dataclass
class Clock:
    """An event loop's clock, on which time passes only while nobody has anything to do.

    It jumps to the next timer, and stands still while calls are under way: no test waits, and none comes out
    otherwise on a machine that is slow.
    """

    now: float = 0.0
    calls: int = 0


class _Selector(selectors.DefaultSelector):
    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        if timeout and self._clock.calls:
            return super().select(None)  # until a call has ended
        if timeout:
            self._clock.now += timeout + _TICK
            return super().select(0.0)
        return super().select(timeout)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self._clock.now

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # typeshed's is generic over what the call gives
        call = super().run_in_executor(executor, func, *args)
        self._clock.calls += 1
        call.add_done_callback(self._end_call)
        return call

    def _end_call(self, _: asyncio.Future[Any]) -> None:
        self._clock.calls -= 1


def run(coroutine: Coroutine[Any, Any, Any], clock: Clock | None = None) -> Any:
    with asyncio.Runner(loop_factory=lambda: _Loop(clock or Clock())) as runner:
        return runner.run(asyncio.wait_for(coroutine, 1000.0))


def _answers(received: Received) -> bytes:
    return render_tasks([OcrTask(id=received.query["taskId"], status="Queued")])


async def _one_look(connect: Connection, ocr_task_id: str, delay: float = 0.0) -> Observation:
    async with shared_poller(KEY, connect).watch(ocr_task_id) as watch:
        return await watch.look(delay)


@dataclass
class Diary:
    """Answers, and notes when it was asked by an event loop's clock."""

    clock: Clock
    answer: Callable[[Received], Any]
    times: list[float] = field(default_factory=list)

    def __call__(self, received: Received) -> Any:
        self.times.append(self.clock.now)
        return self.answer(received)

    @property
    def gaps(self) -> list[float]:
        """Seconds between one request and the next."""
        return [later - earlier for earlier, later in itertools.pairwise(self.times)]


@pytest.fixture
def diary(server: ScriptedServer) -> Diary:
    """Of the requests for a task by its ID, each of which is answered."""
    diary = Diary(Clock(), _answers)
    server.on("getTaskStatus", diary)
    return diary


def test_many_watchers_share_one_connection_and_each_sees_its_own_task(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)
    names = [f"task{number}" for number in range(50)]

    async def scenario() -> list[Observation]:
        return await asyncio.gather(*(_one_look(connect, name) for name in names))

    observations = run(scenario())
    assert [observation.id for observation in observations] == names
    assert len(connect.clients) == 1
    asked = [request.query["taskId"] for request in server.asked("getTaskStatus")]
    assert sorted(asked) == sorted(names)
    assert 1 <= len(server.asked("listTasks")) <= 2  # this server does not know it


def test_no_more_than_four_calls_are_made_at_once(server: ScriptedServer, connect: Connection) -> None:
    lock, now, most, four = threading.Lock(), [0], [0], threading.Barrier(4)

    def slow(received: Received) -> bytes:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        four.wait(60.0)
        time.sleep(0.02)
        with lock:
            now[0] -= 1
        return _answers(received)

    server.refuse("listTasks", 450, "No such method.")
    server.on("getTaskStatus", slow)

    async def scenario() -> None:
        await asyncio.gather(*(_one_look(connect, f"task{number}") for number in range(20)))

    run(scenario())
    assert most == [4]


@pytest.mark.parametrize(("delay", "least"), [(0.0, 2.0), (1.0, 2.0), (5.0, 5.0)])
def test_no_task_is_asked_for_before_two_seconds_have_passed(
    diary: Diary, connect: Connection, delay: float, least: float
) -> None:
    run(_one_look(connect, "a1", delay), diary.clock)
    assert least <= diary.times[0]


def test_a_task_that_is_watched_again_and_again_is_asked_for_every_two_seconds_at_most(
    diary: Diary, connect: Connection
) -> None:
    async def scenario() -> None:
        async with shared_poller(KEY, connect).watch("a1") as watch:
            for _ in range(4):
                await watch.look(0.0)

    run(scenario(), diary.clock)
    assert len(diary.times) == 4
    assert min(diary.gaps) >= 2.0


def test_two_watchers_of_one_task_share_its_looks(server: ScriptedServer, connect: Connection) -> None:
    server.on("getTaskStatus", _answers)

    async def scenario() -> list[Observation]:
        return list(await asyncio.gather(_one_look(connect, "a1"), _one_look(connect, "a1")))

    assert [observation.id for observation in run(scenario())] == ["a1", "a1"]
    assert len(server.received) == 1


def test_a_watcher_that_comes_between_does_not_have_its_task_asked_for_sooner(
    diary: Diary, connect: Connection
) -> None:
    async def watcher(starts_after: float) -> None:
        await asyncio.sleep(starts_after)
        async with shared_poller(KEY, connect).watch("a1") as watch:
            for _ in range(3):
                await watch.look(0.0)

    async def scenario() -> None:
        await asyncio.gather(watcher(0.0), watcher(0.9), watcher(2.7))

    run(scenario(), diary.clock)
    assert min(diary.gaps) >= 2.0


def test_a_watcher_that_comes_during_a_slow_look_waits_from_its_end(
    diary: Diary, connect: Connection
) -> None:
    async def comes_while_the_connection_is_looked_up() -> None:
        await asyncio.sleep(2.4)
        await _one_look(connect, "a1")

    async def scenario() -> None:
        async with shared_poller(KEY, connect).watch("a1") as watch:
            await asyncio.gather(watch.look(0.0), comes_while_the_connection_is_looked_up())

    run(scenario(), diary.clock)
    assert len(diary.times) == 2
    assert min(diary.gaps) >= 2.0


def test_a_task_that_is_due_soon_need_not_wait_for_one_that_is_due_late(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)

    async def scenario() -> list[str]:
        order: list[str] = []

        async def watcher(name: str, delay: float) -> None:
            await _one_look(connect, name, delay)
            order.append(name)

        late = asyncio.create_task(watcher("late", 8.0))
        await asyncio.sleep(1.0)
        await asyncio.gather(watcher("soon", 2.0), late)
        return order

    assert run(scenario()) == ["soon", "late"]


def test_an_error_of_the_service_is_an_observation(server: ScriptedServer, connect: Connection) -> None:
    server.refuse("getTaskStatus", 450, "No such task.")
    observation = run(_one_look(connect, "a1"))
    assert isinstance(observation, errors.TaskDeletedError)
    assert observation.ocr_task_id == "a1"


def _takes_only(password: str) -> Callable[[Received], Any]:
    token = base64.b64encode(f"app:{password}".encode()).decode()

    def answer(received: Received) -> Any:
        return _answers(received) if received.headers["Authorization"] == f"Basic {token}" else None

    return answer


def test_a_changed_password_is_looked_up_once_for_all_watchers(
    server: ScriptedServer, connect: Connection, reply: Callable[..., Any]
) -> None:
    takes = _takes_only("password 1")
    refusal = reply(status=401, body=render_error("Who are you?"))
    server.on("getTaskStatus", lambda received: takes(received) or refusal)

    async def scenario() -> list[Observation]:
        return await asyncio.gather(*(_one_look(connect, f"task{number}") for number in range(10)))

    assert {type(observation) for observation in run(scenario())} == {OcrTask}
    assert len(connect.clients) == 2


def test_a_password_that_stays_wrong_is_an_observation_after_one_fresh_look_up(
    server: ScriptedServer, connect: Connection
) -> None:
    server.refuse("getTaskStatus", 401, "Who are you?")
    assert isinstance(run(_one_look(connect, "a1")), errors.AuthenticationError)
    assert (len(connect.clients), len(server.received)) == (2, 2)


def test_a_password_is_looked_up_afresh_each_time_it_is_changed(
    server: ScriptedServer, connect: Connection, reply: Callable[..., Any]
) -> None:
    refusal = reply(status=401, body=render_error("Who are you?"))
    now = ["password 0"]
    server.on("getTaskStatus", lambda received: _takes_only(now[0])(received) or refusal)

    async def scenario() -> list[Observation]:
        seen = []
        async with shared_poller(KEY, connect).watch("a1") as watch:
            for number in range(4):
                now[0] = f"password {number}"
                seen += [await watch.look(0.0), await watch.look(0.0)]
        return seen

    assert run(scenario()) == [OcrTask(id="a1", status="Queued")] * 8
    assert len(connect.clients) == 4


def test_a_password_that_stays_wrong_is_tried_by_one_for_all_and_then_left_for_a_while(
    diary: Diary, connect: Connection, reply: Callable[..., Any]
) -> None:
    diary.answer = lambda _: reply(status=401, body=render_error("Who are you?"))
    names = [f"task{number}" for number in range(30)]

    async def waiter(name: str) -> list[Observation]:
        async with shared_poller(KEY, connect).watch(name) as watch:
            return [await watch.look(0.0) for _ in range(8)]

    async def scenario() -> list[list[Observation]]:
        return await asyncio.gather(*map(waiter, names))

    looks = run(scenario(), diary.clock)
    assert {type(observation) for seen in looks for observation in seen} == {errors.AuthenticationError}
    # Up to four are under way when the first is refused; then one tries a fresh look-up.
    assert len(diary.times) <= len(connect.clients) // 2 * (4 + 1)
    assert len(connect.clients) // 2 <= 1 + diary.clock.now / 10.0
    assert diary.clock.now / 10.0 < 20.0


def test_a_connection_is_looked_up_again_after_five_minutes(
    server: ScriptedServer, connect: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.lifecycle.line.CLIENT_LIFETIME", 5.0)
    server.on("getTaskStatus", _answers)

    async def scenario() -> None:
        async with shared_poller(KEY, connect).watch("a1") as watch:
            for _ in range(5):
                await watch.look(0.0)

    run(scenario())
    assert len(connect.clients) == 2


def test_a_connection_that_cannot_be_looked_up_reaches_every_watcher(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)
    connect.failures = [LookupError("no such connection") for _ in range(3)]

    async def scenario() -> list[Any]:
        looks = (_one_look(connect, f"task{number}") for number in range(3))
        return await asyncio.gather(*looks, return_exceptions=True)

    assert [str(failure) for failure in run(scenario())] == ["no such connection"] * 3
    assert server.received == []


def test_a_failed_look_up_is_tried_again_at_the_next_look(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)
    connect.failures = [LookupError("the metadata database is away")]

    async def scenario() -> Observation:
        async with shared_poller(KEY, connect).watch("a1") as watch:
            with pytest.raises(LookupError, match="away"):
                await watch.look(0.0)
            return await watch.look(0.0)

    assert run(scenario()) == OcrTask(id="a1", status="Queued")


def test_a_failed_look_up_leaves_the_client_at_hand_to_those_who_wait(
    server: ScriptedServer, connect: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.lifecycle.line.CLIENT_LIFETIME", 5.0)
    server.on("getTaskStatus", _answers)

    async def scenario() -> list[Observation]:
        async with shared_poller(KEY, connect).watch("a1") as watch:
            first = [await watch.look(0.0)]
            connect.failures = [LookupError("the metadata database is away")]
            return first + [await watch.look(0.0) for _ in range(12)]

    assert run(scenario()) == [OcrTask(id="a1", status="Queued")] * 13
    assert connect.failures == []
    assert connect.times[1] - connect.times[0] >= 5.0 + 10.0
    assert len(connect.clients) >= 2


def test_a_failed_look_up_after_a_refusal_reaches_who_waits(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)

    async def scenario() -> Observation:
        async with shared_poller(KEY, connect).watch("a1") as watch:
            await watch.look(0.0)
            server.forget("getTaskStatus")
            server.refuse("getTaskStatus", 401, "Who are you?")
            connect.failures = [LookupError("the metadata database is away")]
            return await watch.look(0.0)

    with pytest.raises(LookupError, match="away"):
        run(scenario())


def test_one_task_that_cannot_be_asked_for_does_not_disturb_another(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)

    async def scenario() -> list[Observation]:
        return list(await asyncio.gather(_one_look(connect, "00000000-0"), _one_look(connect, "a1")))

    broken, whole = run(scenario())
    assert isinstance(broken, errors.InvalidParameterError)
    assert whole == OcrTask(id="a1", status="Queued")


def _poll_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("cloud-ocr-poll")]


def test_the_loop_and_its_threads_end_with_the_last_watch(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)

    async def scenario() -> set[asyncio.Task[Any]]:
        before = asyncio.all_tasks()
        await asyncio.gather(_one_look(connect, "a1"), _one_look(connect, "a2"))
        assert shared_poller(KEY, connect).is_idle
        return asyncio.all_tasks() - before

    assert run(scenario()) == set()
    for thread in _poll_threads():
        thread.join(60.0)
    assert _poll_threads() == []


def test_after_the_last_watch_the_next_begins_afresh(server: ScriptedServer, connect: Connection) -> None:
    server.on("getTaskStatus", _answers)

    async def scenario() -> list[Observation]:
        return [await _one_look(connect, "a1"), await _one_look(connect, "a2")]

    assert [observation.id for observation in run(scenario())] == ["a1", "a2"]
    assert len(connect.clients) == 2


def test_a_watcher_that_is_cancelled_leaves_the_others_alone(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)

    async def scenario() -> Observation:
        staying = asyncio.create_task(_one_look(connect, "stays", 4.0))
        leaving = asyncio.create_task(_one_look(connect, "leaves", 3.0))
        await asyncio.sleep(1.0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        return await staying

    assert run(scenario()) == OcrTask(id="stays", status="Queued")
    assert [request.query["taskId"] for request in server.received] == ["stays"]


def test_connections_and_event_loops_have_pollers_of_their_own(connect: Connection) -> None:
    async def scenario() -> list[Any]:
        async with shared_poller("first", connect).watch("a1"):
            return [
                shared_poller("first", connect),
                shared_poller("first", connect),
                shared_poller("second", connect),
            ]

    first, again, second = run(scenario())
    elsewhere, _, _ = run(scenario())
    assert first is again
    assert first is not second
    assert first is not elsewhere


def test_the_loop_does_not_run_in_the_context_of_who_came_first(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)
    log_file = contextvars.ContextVar("log_file", default="the triggerer's own")
    seen: list[str] = []

    async def noting() -> CloudOcrClient:
        seen.append(log_file.get())
        return await connect()

    async def scenario() -> None:
        log_file.set("a stranger's")
        async with shared_poller(KEY, noting).watch("a1") as watch:
            await watch.look(0.0)

    run(scenario())
    assert seen == ["the triggerer's own"]


def test_one_odd_refusal_of_a_list_does_not_end_listing(server: ScriptedServer, connect: Connection) -> None:
    names = [f"task{number}" for number in range(300)]
    server.on("getTaskStatus", _answers)
    server.reply("listTasks", status=404)
    server.reply("listTasks", render_tasks([OcrTask(id=name, status="Queued") for name in names]))

    async def watcher(name: str) -> list[Observation]:
        async with shared_poller(KEY, connect).watch(name) as watch:
            return [await watch.look(10.0) for _ in range(5)]

    async def scenario() -> list[list[Observation]]:
        return await asyncio.gather(*map(watcher, names))

    run(scenario())
    assert len(server.asked("getTaskStatus")) <= 40 + FEW
    assert len(server.asked("listTasks")) <= 12


def test_those_who_begin_to_wait_one_after_the_other_come_together(
    server: ScriptedServer, connect: Connection
) -> None:
    server.on("getTaskStatus", _answers)
    names = [f"task{number}" for number in range(40)]
    server.reply("listTasks", render_tasks([OcrTask(id=name, status="Queued") for name in names]))

    async def watcher(name: str, starts_after: float) -> None:
        await asyncio.sleep(starts_after)
        async with shared_poller(KEY, connect).watch(name) as watch:
            for _ in range(4):
                await watch.look(6.0)

    async def scenario() -> None:
        await asyncio.gather(*(watcher(name, number * 0.15) for number, name in enumerate(names)))

    run(scenario())
    assert len(server.received) <= 14


def test_a_service_in_trouble_is_asked_less_and_less_often(
    diary: Diary, connect: Connection, reply: Callable[..., Any]
) -> None:
    diary.answer = lambda _: reply(status=503, body=render_error("Come back later."))

    async def scenario() -> None:
        async with shared_poller(KEY, connect).watch("a1") as watch:
            for _ in range(7):
                await watch.look(0.0)

    run(scenario(), diary.clock)
    assert max(diary.gaps[:2]) < 5.0
    assert min(diary.gaps[-2:]) > 8.0
    assert max(diary.gaps) < 25.0
