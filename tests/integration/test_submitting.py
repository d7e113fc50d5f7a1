# SPDX-License-Identifier: Apache-2.0
"""The terms on which the operator submits, with a real server: gate, budget, quota, clears, keys of authors.

Each try is carried out as Airflow does it: `execute`, or `submit_later` with what the deferral handed on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_provider_ocr.exceptions import (
    CloudOcrCreditLimitError,
    CloudOcrRejectedError,
    CloudOcrTooManyInFlightError,
)
from airflow_provider_ocr.lifecycle.submission import Submitter
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.testing import CloudOcrRehearsal

SOURCE = "https://nowhere.invalid/scan.tif"


class Store(dict[str, Any]):
    """Airflow's task state store."""

    def set(self, key: str, value: Any) -> None:
        self[key] = value


class Task:
    """One Airflow task, whose tries are carried out one after the other.

    :param keeps: whether Airflow keeps something from one try to the next.
    """

    def __init__(
        self, *, keeps: bool = True, map_index: int = -1, run_id: str = "r", **arguments: Any
    ) -> None:
        self.operator = ProcessRemoteImageOperator(
            task_id="submit", **{"source": SOURCE, "export_format": "txt", **arguments}
        )
        self.ti = SimpleNamespace(
            dag_id="d", run_id=run_id, task_id="submit", map_index=map_index, try_number=0, max_tries=0
        )
        self.context: dict[str, Any] = {"ti": self.ti}
        if keeps:
            self.context["task_state_store"] = Store()

    def run(self) -> str:
        """A new try."""
        self.ti.try_number += 1
        return self.operator.execute(self.context)  # type: ignore[arg-type]  # as much of a context as is used

    def clear(self) -> None:
        """What Airflow does to a task that has no retries of its own."""
        self.ti.max_tries = self.ti.try_number

    def go_on(self, deferred: TaskDeferred) -> str:
        """The same try, after a deferral."""
        return self.operator.submit_later(self.context, {"waited": "room"}, **(deferred.kwargs or {}))  # type: ignore[arg-type]  # as above

    def deferral(self, go_on: Callable[[], str] | None = None) -> TaskDeferred:
        """That of a new try, or of one that goes on."""
        with pytest.raises(TaskDeferred) as caught:
            (go_on or self.run)()
        return caught.value


@pytest.fixture(autouse=True)
def _no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a lost call may take is tested elsewhere."""
    monkeypatch.setattr(Submitter, "_settle_seconds", lambda submitter, intent: 0.0)
    monkeypatch.setattr("airflow_provider_ocr.lifecycle.submission._SECONDS_BETWEEN_LOOKS", 0.0)


@pytest.fixture
def service(cloud_ocr: CloudOcrRehearsal) -> CloudOcrRehearsal:
    """A server as new."""
    return cloud_ocr


def paid(service: CloudOcrRehearsal) -> int:
    return len(service.requests("processRemoteImage"))


def test_no_more_are_submitted_than_may_be_in_flight_and_the_rest_once_there_is_room(
    service: CloudOcrRehearsal,
) -> None:
    service.hold()
    tasks = [Task(map_index=index, max_in_flight=2) for index in range(4)]
    made = [tasks[0].run(), tasks[1].run()]
    waiting = [tasks[2].deferral(), tasks[3].deferral()]
    # Whoever comes too early waits on, until the same deadline.
    again = tasks[2].deferral(lambda: tasks[2].go_on(waiting[0]))
    assert again.kwargs == waiting[0].kwargs
    assert paid(service) == 2
    service.release()
    wait_until(lambda: {task.status for task in service.tasks()} == {"Completed"})
    made += [tasks[2].go_on(again), tasks[3].go_on(waiting[1])]
    assert (len(set(made)), paid(service)) == (4, 4)


def test_the_trigger_of_the_gate_fires_when_there_is_room(
    service: CloudOcrRehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.lifecycle.gate.LOOK_SECONDS", 0.1)
    service.hold()
    Task(map_index=0).run()
    trigger = Task(map_index=1, max_in_flight=1).deferral().trigger

    async def scene() -> Any:
        firing = asyncio.ensure_future(anext(trigger.run()))
        before = len(service.requests("listTasks"))
        async with asyncio.timeout(60):
            while len(service.requests("listTasks")) < before + 2:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.05)
        assert not firing.done()
        service.release()
        return await asyncio.wait_for(firing, 60)

    assert asyncio.run(scene()).payload == {"waited": "room"}


def test_who_finds_no_room_in_time_fails_and_may_be_retried(service: CloudOcrRehearsal) -> None:
    service.hold()
    Task(map_index=0).run()
    task = Task(map_index=1, max_in_flight=1, max_in_flight_wait=0)
    with pytest.raises(CloudOcrTooManyInFlightError, match="1 unfinished"):
        task.run()
    service.release()
    wait_until(lambda: service.tasks("Completed") != [])
    task.run()
    assert paid(service) == 2


def test_a_trigger_whose_deadline_has_come_says_so(service: CloudOcrRehearsal) -> None:
    service.hold()
    Task(map_index=0).run()
    trigger = Task(map_index=1, max_in_flight=1).deferral().trigger
    trigger.deadline = pendulum.now("UTC").isoformat()
    assert asyncio.run(anext(trigger.run())).payload == {"waited": "deadline"}


def test_a_mapped_task_spends_no_more_than_its_credits(service: CloudOcrRehearsal) -> None:
    service.recognise_as("one\ftwo", source="*/two.tif")
    two_pages = "https://nowhere.invalid/two.tif"
    Task(map_index=0, source=two_pages, max_credits=15).run()
    wait_until(lambda: service.credits_charged == 10)
    Task(map_index=0, run_id="another", source=two_pages).run()  # is no concern of this run's
    last = Task(map_index=1, max_credits=15)
    last.run()
    wait_until(lambda: service.credits_charged == 25)
    with pytest.raises(CloudOcrCreditLimitError, match=r"15 credits.* max_credits is 15"):
        Task(map_index=2, max_credits=15).run()
    # What is paid for already is taken up all the same.
    last.run()
    assert paid(service) == 3


def test_a_quota_is_waited_for_and_then_submitted_once(service: CloudOcrRehearsal) -> None:
    service.exceed_quota(times=2)
    task = Task(quota_wait=600)
    first = task.deferral()
    second = task.deferral(lambda: task.go_on(first))
    assert second.kwargs["patience"]["refusals"] == 2
    assert second.kwargs["patience"]["quota_until"] == first.kwargs["patience"]["quota_until"]
    assert task.go_on(second) == service.tasks()[0].id
    assert (paid(service), service.requests("listTasks")) == (3, [])


def test_a_retry_that_waited_for_the_quota_need_not_make_sure_again(service: CloudOcrRehearsal) -> None:
    task = Task(quota_wait=600, keeps=False)
    task.ti.try_number = 1
    service.exceed_quota(times=1)
    deferred = task.deferral()
    looks = len(service.requests("listTasks"))
    assert looks > 0
    task.go_on(deferred)
    assert len(service.requests("listTasks")) == looks


@pytest.mark.parametrize("quota_wait", [0, 600])
def test_a_quota_that_stays_exceeded_fails_in_the_end(service: CloudOcrRehearsal, quota_wait: float) -> None:
    service.exceed_quota()
    task = Task(quota_wait=quota_wait)
    if not quota_wait:
        with pytest.raises(CloudOcrRejectedError, match="quota of images is exceeded"):
            task.run()
        return
    deferred = task.deferral()
    deferred.kwargs["patience"]["quota_until"] = pendulum.now("UTC").isoformat()
    with pytest.raises(CloudOcrRejectedError, match="quota of images is exceeded"):
        task.go_on(deferred)


@pytest.mark.parametrize("keeps", [True, False], ids=["with a store", "without a store"])
@pytest.mark.parametrize(("on_clear", "tasks"), [("adopt", 1), ("resubmit", 3)])
def test_a_clear_adopts_or_submits_once_more_and_its_retries_adopt(
    service: CloudOcrRehearsal, on_clear: str, tasks: int, keeps: bool
) -> None:
    task = Task(on_clear=on_clear, keeps=keeps)
    made = []
    for _ in range(3):
        # Each clear, and then a retry.
        made += [task.run(), task.run()]
        task.clear()
    pairs = list(zip(made[::2], made[1::2], strict=True))
    assert all(first == retry for first, retry in pairs)
    assert (len(set(made)), len(service.tasks())) == (tasks, tasks)


@pytest.mark.parametrize("keeps", [True, False], ids=["with a store", "without a store"])
def test_an_authors_key_names_one_task_in_all_runs(service: CloudOcrRehearsal, keeps: bool) -> None:
    made = {
        Task(run_id=run_id, map_index=index, idempotency_key=key, keeps=keeps).run()
        for run_id, index, key in (("a", 0, "scan 7"), ("b", -1, "scan 7"), ("b", 5, "scan 8"))
    }
    # The second was found before anything was sent: this does not rest on the server knowing such keys.
    assert (len(made), paid(service)) == (2, 2)


def test_the_authors_description_stays_readable(service: CloudOcrRehearsal) -> None:
    Task(description="Invoice 7", max_in_flight=5).run()
    assert service.tasks()[0].settings.description.startswith("Invoice 7 [airflow:")


def test_how_it_came_to_its_task_is_one_line(
    service: CloudOcrRehearsal, capsys: pytest.CaptureFixture[str]
) -> None:
    task = Task()
    ocr_task_id = task.run()
    task.run()
    lines = [line for line in capsys.readouterr().out.splitlines() if f"OCR task {ocr_task_id}" in line]
    assert ["new (first try)" in lines[0], "adopted by ID (an earlier try made it" in lines[1]] == [True] * 2
    assert len(lines) == 2


def wait_until(condition: Callable[[], bool]) -> None:
    """Until the server has got so far."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
