# SPDX-License-Identifier: Apache-2.0
"""What waiting costs a real server, by its own record, over all that the API's documentation leaves open."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.poller import Watch, shared_poller
from airflow_provider_ocr.lifecycle.verdict import Observation, Outcome, Policy, judge
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger
from benchmarks.crowd import REHEARSING, Crowd, client_of, filled, requests_in
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer

NOBODY_IN_A_HURRY = parse_time("2100-01-01T00:00:00Z")


SWITCHES = pytest.mark.parametrize(
    "switches",
    [
        ("changed", "oldest", "error"),
        pytest.param(("changed", "newest", "status"), marks=pytest.mark.long),
        pytest.param(("registered", "oldest", "status"), marks=pytest.mark.long),
        ("registered", "newest", "error"),
    ],
    ids="-".join,
)


def _options(switches: tuple[str, ...]) -> Iterator[str]:
    for option, value in zip(("--list-filter", "--list-order", "--deleted-task"), switches, strict=False):
        yield from (option, value)


class Connection:
    """Connects to a server, and counts how often."""

    def __init__(self, server: OcrServer) -> None:
        self.clients: list[CloudOcrClient] = []
        self._server = server

    async def __call__(self) -> CloudOcrClient:
        self.clients.append(client_of(self._server))
        return self.clients[-1]


@dataclass(frozen=True, slots=True)
class Look:
    """What all watches saw in one interval, and what was asked of the server for it."""

    seen: dict[str, Observation]
    asked: Counter[str]


async def asked_since(before: Counter[str], log: Path) -> Counter[str]:
    """What was asked of a server, once its log, which comes after its answers, has come to rest."""
    asked: Counter[str] = Counter()
    async with asyncio.timeout(60.0):
        while True:
            await asyncio.sleep(0.3)
            earlier, asked = asked, requests_in(log) - before
            if asked and asked == earlier:
                return asked


def waiting(server: OcrServer, ours: list[str], steps: list[Callable[[], None]]) -> list[Look]:
    """Wait for tasks: a look at all of them after each of the steps."""
    connect = Connection(server)

    async def scenario() -> list[Look]:
        looks = []
        async with AsyncExitStack() as watches:
            poller = shared_poller("crowd", connect)
            watching: dict[str, Watch] = {
                name: await watches.enter_async_context(poller.watch(name)) for name in ours
            }
            for step in steps:
                await asyncio.to_thread(step)
                before = requests_in(server.log)
                seen = await asyncio.gather(*(watch.look(2.0) for watch in watching.values()))
                asked = await asked_since(before, server.log)
                looks.append(Look(dict(zip(ours, seen, strict=True)), asked))
        return looks

    try:
        return asyncio.run(scenario())
    finally:
        assert len(connect.clients) == 1
        connect.clients[0].close()


def nothing() -> None:
    """Let time pass."""


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """200 tasks among 2,000."""
    return filled(tmp_path_factory.mktemp("some"), ours=200, others=2000)


@pytest.fixture
def serve_crowd(
    tmp_path: Path, new_ocr_server: Callable[..., OcrServer]
) -> Iterator[Callable[..., OcrServer]]:
    """Starts a server of the test's own with a crowd."""

    def start(crowd: Crowd, switches: tuple[str, ...] = ()) -> OcrServer:
        shutil.copytree(crowd.data, tmp_path / "data")
        return new_ocr_server(workers=1, options=(*REHEARSING, *_options(switches)))

    return start


def check(looks: list[Look], crowd: Crowd, *, gone: list[str], most: int) -> None:
    """All were seen in each interval, with so many requests at most; some are gone in the last."""
    for look in looks:
        assert set(look.seen) == set(crowd.ours)
        assert look.asked.total() <= most
    for name, observation in looks[-1].seen.items():
        verdict = judge(
            observation,
            ocr_task_id=name,
            policy=Policy(),
            deadline=NOBODY_IN_A_HURRY,
            now=parse_time("2026-01-01T00:00:00Z"),
        )
        assert verdict.outcome is (Outcome.FAIL if name in gone else Outcome.WAIT)
        assert not isinstance(observation, OcrTask) or observation.id == name


def delete(server: OcrServer, names: list[str]) -> None:
    with client_of(server) as client:
        for name in names:
            client.delete_task(name)


@SWITCHES
def test_nothing_is_missed_in_a_crowd_and_few_requests_are_made(
    some: Crowd, serve_crowd: Callable[..., OcrServer], switches: tuple[str, ...]
) -> None:
    server = serve_crowd(some, switches)
    gone = some.ours[::70]
    looks = waiting(server, some.ours, [nothing, nothing, lambda: delete(server, gone)])
    check(looks, some, gone=gone, most=12)


@pytest.mark.long
@SWITCHES
@pytest.mark.parametrize(("others", "most"), [(0, 12), (10_000, 40)])
def test_a_thousand_waiting_tasks_cost_few_requests(
    tmp_path_factory: pytest.TempPathFactory,
    serve_crowd: Callable[..., OcrServer],
    switches: tuple[str, ...],
    others: int,
    most: int,
) -> None:
    crowd = filled(tmp_path_factory.mktemp("many"), ours=1000, others=others)
    server = serve_crowd(crowd, switches)
    gone = crowd.ours[::400]
    looks = waiting(server, crowd.ours, [nothing, nothing, lambda: delete(server, gone)])
    check(looks, crowd, gone=gone, most=most)


def test_a_task_that_is_waited_for_alone_costs_one_request(
    some: Crowd, serve_crowd: Callable[..., OcrServer]
) -> None:
    (look,) = waiting(serve_crowd(some), some.ours[:1], [nothing])
    assert look.asked == {"getTaskStatus": 1}


class Rotation:
    """Triggers that wait by the connection that Airflow has, while the server's password is another one.

    :param server: serves the crowd.
    :param data: its data folder.
    :param monkeypatch: gives Airflow its connection.
    """

    def __init__(self, server: OcrServer, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.look_ups = 0
        self._server = server
        self._data = data
        self._monkeypatch = monkeypatch
        look_up = CloudOcrHook.aget_conn

        async def counted(hook: CloudOcrHook) -> CloudOcrClient:
            self.look_ups += 1
            return await look_up(hook)

        monkeypatch.setattr(CloudOcrHook, "aget_conn", counted)
        self.tell_airflow(PASSWORD)

    def tell_airflow(self, password: str) -> None:
        """Have Airflow's connection hold this password."""
        fields = {"host": self._server.url, "login": APPLICATION_ID, "password": password}
        connection = json.dumps({"conn_type": "cloud_ocr", **fields})
        self._monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", connection)

    def tell_server(self, password: str) -> None:
        """Have the server take this password, and no other from now on."""
        command = [Path(sys.prefix) / "bin" / "cloud-ocr-server", "applications", "set-password"]
        options = ["--data", self._data, "--password-file", "-", APPLICATION_ID]
        subprocess.run([*command, *options], input=password, text=True, check=True)

    def answered(self, status: int) -> int:
        """So many questions the server has answered with this HTTP status."""
        lines = self._server.log.read_text().splitlines()
        return sum(f"/{name} {status}" in line for line in lines for name in ("listTasks", "getTaskStatus"))

    async def until(self, *, status: int, count: int) -> None:
        """Wait until it has answered so many more questions with this status."""
        before = self.answered(status)
        async with asyncio.timeout(120.0):
            while self.answered(status) - before < count:  # noqa: ASYNC110 - the server is another process
                await asyncio.sleep(0.1)

    def fire(self, name: str) -> asyncio.Task[str | None]:
        """A trigger that waits for this OCR task; it gives the status with which it fires."""

        async def status() -> str | None:
            trigger = CloudOcrTaskTrigger(
                ocr_task_id=name,
                deadline=NOBODY_IN_A_HURRY.isoformat(),
                poll_interval=2.0,
                cloud_ocr_conn_id="cloud_ocr_default",
            )
            return (await anext(aiter(trigger.run()))).payload["status"]

        return asyncio.create_task(status())


def test_a_changed_password_is_picked_up_and_one_that_stays_wrong_is_given_up_soon(
    some: Crowd,
    serve_crowd: Callable[..., OcrServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rotation = Rotation(serve_crowd(some), tmp_path / "data", monkeypatch)

    async def scenario() -> list[str | None]:
        waiting = [rotation.fire(name) for name in some.ours]
        await rotation.until(status=200, count=1)
        assert rotation.look_ups == 1
        rotation.tell_airflow("second password")
        await asyncio.to_thread(rotation.tell_server, "second password")
        await rotation.until(status=401, count=1)
        await rotation.until(status=200, count=3)
        assert not any(task.done() for task in waiting)
        assert rotation.look_ups == 2
        await asyncio.to_thread(rotation.tell_server, "third password")
        async with asyncio.timeout(120.0):
            return await asyncio.gather(*waiting)

    assert asyncio.run(scenario()) == [None] * len(some.ours)
    # Each time up to four calls are under way at once; one tries the fresh look-up, for all.
    assert rotation.look_ups == 3
    assert rotation.answered(401) <= 4 + 4 + 1
