# SPDX-License-Identifier: Apache-2.0
"""Who waits for room is let through in turn, by looks at the service's list that all share."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.lifecycle import gate
from airflow_provider_ocr.protocol.errors import AuthenticationError
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer
    from tests.unit.lifecycle.conftest import Connection


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks follow each other as fast as may be; only in which order things happen is tested."""
    monkeypatch.setattr(gate, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(gate, "_SHARE", 0.0)


class Service:
    """A list that changes only when a test wants it to."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.tasks: list[OcrTask] = []
        server.on("listTasks", lambda received: render_tasks(self.tasks))

    def has(self, *statuses: str) -> None:
        """These tasks, and no others."""
        self.tasks = [OcrTask(id=f"task{number}", status=status) for number, status in enumerate(statuses)]

    @property
    def looks(self) -> int:
        return len(self.server.asked("listTasks"))

    async def looked_at(self, times: int) -> None:
        """Wait for so many more looks to have been begun."""
        target = self.looks + times
        async with asyncio.timeout(60):
            while self.looks < target:  # noqa: ASYNC110 - a thread of the server counts them
                await asyncio.sleep(0.01)


@pytest.fixture
def service(server: ScriptedServer) -> Service:
    return Service(server)


def run(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 120))


def test_as_many_are_let_through_as_there_is_room_for_and_in_turn(
    service: Service, connect: Connection
) -> None:
    async def scene() -> None:
        service.has("Queued", "Completed")
        passed: list[int] = []
        waiting = [asyncio.create_task(go(gate.shared_gate("c", connect, 3), passed, n)) for n in range(5)]
        await service.looked_at(3)
        assert passed == [0, 1]
        # Both have submitted, and one of all is finished.
        service.has("Completed", "Completed", "Queued", "Queued")
        await service.looked_at(3)
        assert passed == [0, 1, 2]
        for one in waiting:
            one.cancel()

    run(scene())


def test_whoever_was_let_through_and_submitted_nothing_counts_no_longer_after_a_while(
    service: Service, connect: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        passed: list[int] = []
        waiting = [asyncio.create_task(go(gate.shared_gate("c", connect, 1), passed, n)) for n in range(2)]
        await service.looked_at(3)
        assert passed == [0]
        monkeypatch.setattr(gate, "_PATIENCE_SECONDS", 0.0)
        await asyncio.gather(*waiting)
        assert passed == [0, 1]

    run(scene())


def test_who_was_let_through_is_known_by_its_task_where_there_was_none_before(
    service: Service, connect: Connection
) -> None:
    async def scene() -> None:
        service.has()
        passed: list[int] = []
        waiting = [asyncio.create_task(go(gate.shared_gate("c", connect, 2), passed, n)) for n in range(3)]
        await service.looked_at(3)
        assert passed == [0, 1]
        service.has("Completed", "Completed")
        await asyncio.gather(*waiting)
        assert passed == [0, 1, 2]

    run(scene())


def test_a_crowd_costs_no_more_looks_than_one(
    service: Service, connect: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "LOOK_SECONDS", 3600.0)

    async def scene() -> None:
        waiting = [gate.shared_gate("c", connect, 200).wait() for _ in range(200)]
        await asyncio.gather(*waiting)
        assert service.looks == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(gate.shared_gate("c", connect, 200).wait(), 0.2)
        assert service.looks == 1

    run(scene())


def test_connections_and_limits_have_gates_of_their_own(service: Service, connect: Connection) -> None:
    async def scene() -> None:
        first = gate.shared_gate("c", connect, 1)
        assert gate.shared_gate("c", connect, 1) is first
        assert gate.shared_gate("c", connect, 2) is not first
        assert gate.shared_gate("d", connect, 1) is not first

    run(scene())


def test_trouble_is_for_one_who_waits_and_the_next_looks_again(service: Service, connect: Connection) -> None:
    connect.failures.append(AuthenticationError("no"))

    async def scene() -> None:
        shared = gate.shared_gate("c", connect, 2)
        found = await asyncio.gather(shared.wait(), shared.wait(), return_exceptions=True)
        assert [type(one) for one in found] == [AuthenticationError, type(None)]

    run(scene())


async def go(shared: gate.Gate, passed: list[int], number: int) -> None:
    await shared.wait()
    passed.append(number)
