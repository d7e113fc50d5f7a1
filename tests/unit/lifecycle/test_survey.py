# SPDX-License-Identifier: Apache-2.0
"""What one survey asks of the service, and whom it tells what: a real client and a real server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.survey import FEW, Survey
from airflow_provider_ocr.lifecycle.verdict import Observation
from airflow_provider_ocr.lifecycle.windows import LIST_LIMIT, Chart
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time

if TYPE_CHECKING:
    from tests.unit.conftest import Received, ScriptedServer


class Archive:
    """Answers as the service does, from tasks that were registered some seconds ago."""

    def __init__(self, ages: dict[str, int]) -> None:
        now = pendulum.from_timestamp(int(time.time()))
        self.tasks = {
            name: OcrTask(
                id=name,
                status="Completed",
                registration_time=now.subtract(seconds=age),
                status_change_time=now.subtract(seconds=age),
                result_urls=(f"https://results.example/{name}?sig=canary",),
            )
            for name, age in ages.items()
        }
        self.unlisted: set[str] = set()

    def list(self, received: Received) -> bytes:
        start, end = (parse_time(received.query[name]) for name in ("fromDate", "toDate"))
        return render_tasks(
            [
                task
                for task in self.tasks.values()
                if task.registration_time is not None
                and start <= task.registration_time <= end
                and task.id not in self.unlisted
            ][:LIST_LIMIT]
        )

    def status(self, received: Received) -> bytes:
        return render_tasks([self.tasks[received.query["taskId"]]])


class Look:
    """One survey after another of a scripted server."""

    def __init__(self, client: CloudOcrClient) -> None:
        self.chart = Chart()
        self.seen: dict[str, Observation] = {}
        self._client = client

    async def _call(self, ask: Callable[[CloudOcrClient], Any], /) -> Any:
        return await asyncio.to_thread(ask, self._client)

    def at(self, *names: str, lists: bool = True) -> Survey:
        """Survey these tasks."""
        survey = Survey(
            call=self._call, chart=self.chart, wanted=names, tell=self.seen.__setitem__, lists=lists
        )
        self.left = asyncio.run(survey.make())
        return survey


@pytest.fixture
def look(server: ScriptedServer) -> Iterator[Look]:
    """With a client that tries each call once, as a trigger's does."""
    with CloudOcrClient(
        base_url=server.url, application_id="app", password="secret", read_attempts=1
    ) as client:
        yield Look(client)


def asked(server: ScriptedServer) -> Counter[str]:
    return Counter(received.path for received in server.received)


def crowd(count: int, *, age: int = 60, prefix: str = "task") -> dict[str, int]:
    return {f"{prefix}{number}": age + number for number in range(count)}


@pytest.mark.parametrize(
    ("count", "methods"),
    [
        (1, {"getTaskStatus": 1}),
        (FEW, {"getTaskStatus": FEW}),
        (FEW + 1, {"listTasks": 1}),
        (500, {"listTasks": 1}),
    ],
)
def test_few_tasks_are_asked_for_by_id_and_many_by_a_listing(
    server: ScriptedServer, look: Look, count: int, methods: dict[str, int]
) -> None:
    archive = Archive(crowd(count, age=0))
    server.on("listTasks", archive.list)
    server.on("getTaskStatus", archive.status)
    look.at(*archive.tasks)
    assert {
        name: observation.status
        for name, observation in look.seen.items()
        if isinstance(observation, OcrTask)
    } == dict.fromkeys(archive.tasks, "Completed")
    assert asked(server) == methods


def test_a_listing_leaves_no_result_urls(server: ScriptedServer, look: Look) -> None:
    archive = Archive(crowd(10))
    server.on("listTasks", archive.list)
    look.at(*archive.tasks)
    assert [
        observation.result_urls for observation in look.seen.values() if isinstance(observation, OcrTask)
    ] == [()] * 10


def test_what_no_listing_shows_is_asked_for_by_id(server: ScriptedServer, look: Look) -> None:
    archive = Archive(crowd(10))
    archive.unlisted = {"task3", "task7"}
    server.on("listTasks", archive.list)
    server.on("getTaskStatus", archive.status)
    look.at(*archive.tasks)
    assert len(look.seen) == 10
    assert {received.query["taskId"] for received in server.asked("getTaskStatus")} == archive.unlisted


@pytest.mark.parametrize("hours", [1, 8, 20, 100])
def test_tasks_that_were_submitted_hours_before_a_restart_are_found_again_and_then_at_once(
    server: ScriptedServer, look: Look, hours: int
) -> None:
    archive = Archive(crowd(900, age=hours * 3600))
    server.on("listTasks", archive.list)
    look.at(*archive.tasks)
    assert len(look.seen) == 900
    assert asked(server)["listTasks"] <= 12
    before = asked(server)
    look.at(*archive.tasks)
    assert (asked(server) - before).total() <= 3


def test_the_number_of_requests_is_bounded_and_who_finds_no_place_is_named(
    server: ScriptedServer, look: Look
) -> None:
    archive = Archive(crowd(200))
    archive.unlisted = set(archive.tasks)
    server.on("listTasks", archive.list)
    server.on("getTaskStatus", archive.status)
    look.at(*archive.tasks)
    assert asked(server).total() <= 40
    assert len(look.seen) + len(look.left) == 200
    assert set(look.left).isdisjoint(look.seen)
    rounds = 1
    while look.left:
        look.at(*look.left)
        rounds += 1
    assert rounds <= 8
    assert len(look.seen) == 200


@pytest.mark.parametrize("status", [404, 405, 450])
def test_without_lists_some_tasks_are_asked_for_at_each_look_and_all_in_turn(
    server: ScriptedServer, look: Look, status: int
) -> None:
    archive = Archive(crowd(100))
    server.refuse("listTasks", status, "No such method.")
    server.on("getTaskStatus", archive.status)
    survey = look.at(*archive.tasks)
    assert survey.lists_answered is False
    assert len(server.asked("listTasks")) == 1
    assert asked(server).total() <= 40 + FEW
    before = asked(server)
    while look.left:
        assert look.at(*look.left, lists=False).lists_answered is None
        assert (asked(server) - before).total() <= 40
        before = asked(server)
    assert asked(server) == {"listTasks": 1, "getTaskStatus": 100}
    assert len(look.seen) == 100


def test_a_service_in_trouble_is_spared(server: ScriptedServer, look: Look) -> None:
    server.refuse("listTasks", 503, "Come back later.")
    server.refuse("getTaskStatus", 503, "Come back later.")
    survey = look.at(*crowd(100))
    assert asked(server).total() <= 1 + FEW
    assert {type(observation).__mro__[1] for observation in look.seen.values()} == {errors.ServerError}
    assert survey.trouble is not None
    assert not survey.answered


@pytest.mark.parametrize("status", [403, 404, 405, 408])
def test_what_a_proxy_refuses_is_trouble_and_no_state_of_a_task(
    server: ScriptedServer, look: Look, status: int
) -> None:
    server.refuse("listTasks", status, "Not through here.")
    server.refuse("getTaskStatus", status, "Not through here.")
    survey = look.at(*crowd(100))
    assert asked(server).total() <= 1 + FEW
    assert len(look.seen) == 100
    assert isinstance(survey.trouble, errors.RequestRejectedError)
    assert not survey.answered


def test_tasks_are_seen_where_only_lists_are_in_trouble(server: ScriptedServer, look: Look) -> None:
    archive = Archive(crowd(30))
    server.refuse("listTasks", 500, "Too many.")
    server.on("getTaskStatus", archive.status)
    look.at(*archive.tasks)
    assert {type(observation) for observation in look.seen.values()} == {OcrTask}
    assert len(look.seen) == 30


def test_a_listing_that_cannot_be_read_hides_nothing(server: ScriptedServer, look: Look) -> None:
    archive = Archive(crowd(30))
    server.reply("listTasks", b"<html>")
    server.on("getTaskStatus", archive.status)
    look.at(*archive.tasks)
    assert {type(observation) for observation in look.seen.values()} == {OcrTask}
    assert len(look.seen) == 30


def test_a_task_that_tells_no_times_is_seen_without_going_back_each_time(
    server: ScriptedServer, look: Look
) -> None:
    names = [f"task{number}" for number in range(10)]
    server.reply("listTasks", render_tasks([]))
    server.on(
        "getTaskStatus",
        lambda received: render_tasks([OcrTask(id=received.query["taskId"], status="Queued")]),
    )
    look.at(*names)
    first = asked(server)
    look.at(*names)
    assert len(look.seen) == 10
    assert (asked(server) - first) == {"listTasks": 1, "getTaskStatus": 10}


def test_a_slow_listing_does_not_hold_back_another(server: ScriptedServer, look: Look) -> None:
    archive = Archive({**crowd(300, age=7200, prefix="old"), **crowd(300, age=0, prefix="new")})
    server.on("listTasks", archive.list)
    look.at(*archive.tasks)  # from now on there are two windows
    seen = look.seen = _Awaited({name for name in archive.tasks if name.startswith("new")})
    others_came_first: list[bool] = []

    def slowly(received: Received) -> bytes:
        if parse_time(received.query["fromDate"]) < pendulum.now("UTC").subtract(hours=1):
            others_came_first.append(seen.all_are_there.wait(60.0))
        return archive.list(received)

    server.forget("listTasks")
    server.on("listTasks", slowly)
    look.at(*archive.tasks)
    assert others_came_first == [True]
    assert set(seen) == set(archive.tasks)


class _Awaited(dict[str, Observation]):
    """Says when all of these are there."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.all_are_there = threading.Event()
        self._names = names

    def __setitem__(self, name: str, observation: Observation) -> None:
        super().__setitem__(name, observation)
        if self._names <= self.keys():
            self.all_are_there.set()


def test_a_task_that_has_not_changed_is_given_out_as_it_was(server: ScriptedServer, look: Look) -> None:
    archive = Archive(crowd(10))
    server.on("listTasks", archive.list)
    look.at(*archive.tasks)
    before = dict(look.seen)
    archive.tasks["task3"] = replace(archive.tasks["task3"], status="ProcessingFailed", error="canary")
    look.at(*archive.tasks)
    assert {name for name in before if look.seen[name] is not before[name]} == {"task3"}
    changed = look.seen["task3"]
    assert isinstance(changed, OcrTask)
    assert (changed.status, changed.error) == ("ProcessingFailed", "canary")
