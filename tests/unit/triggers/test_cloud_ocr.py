# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import importlib
import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import BaseHook, Connection

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.resuming import next_turn
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.testing import CloudOcrRehearsal
from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

ARGUMENTS: dict[str, Any] = {
    "ocr_task_id": "0f4d2a86-6a3c-4a55-9c0e-1d2f3a4b5c6d",
    "deadline": "2026-11-22T15:00:00+00:00",
    "poll_interval": 10.0,
    "cloud_ocr_conn_id": "cloud_ocr_default",
    "on_not_enough_credits": "resume",
    "resume_interval": 600.0,
    "cancel_on_kill": True,
}


def test_it_is_made_again_from_what_it_serialises() -> None:
    path, arguments = CloudOcrTaskTrigger(**ARGUMENTS).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**arguments)
    assert again.serialize() == (path, ARGUMENTS)


def test_it_leaves_the_task_id_of_airflow_to_airflow() -> None:
    assert "task_id" not in CloudOcrTaskTrigger(**ARGUMENTS).serialize()[1]


def fire(
    deadline: pendulum.DateTime, ocr_task_id: str = ARGUMENTS["ocr_task_id"], **others: Any
) -> dict[str, Any]:
    """The event of a trigger that runs until it fires."""

    async def first_event() -> dict[str, Any]:
        changes = {"ocr_task_id": ocr_task_id, "deadline": deadline.isoformat(), "poll_interval": 2.0}
        arguments = {**ARGUMENTS, "on_not_enough_credits": "fail", **changes, **others}
        trigger = CloudOcrTaskTrigger(**arguments)
        return (await asyncio.wait_for(anext(aiter(trigger.run())), timeout=120)).payload

    return asyncio.run(first_event())


def submit() -> str:
    """The ID of a new OCR task."""
    with CloudOcrHook().get_conn() as client:
        settings = ProcessingSettings.parse(export_format="txt")
        return client.process_remote_image("https://nowhere.invalid/a.tif?sig=canary", settings).id


ENDS: dict[str, Callable[[CloudOcrRehearsal], None]] = {
    "Completed": lambda cloud_ocr: cloud_ocr.recognise_as("text"),
    "ProcessingFailed": lambda cloud_ocr: cloud_ocr.fail("canary"),
    "NotEnoughCredits": lambda cloud_ocr: cloud_ocr.limit_credits(0),
}


@pytest.mark.parametrize("status", ENDS)
def test_it_fires_with_the_status_that_ends_the_wait_and_nothing_else(
    cloud_ocr: CloudOcrRehearsal, status: str
) -> None:
    ENDS[status](cloud_ocr)
    ocr_task_id = submit()
    event = fire(pendulum.now("UTC").add(hours=1), ocr_task_id)
    assert event == {"ocr_task_id": ocr_task_id, "status": status}


def test_it_fires_when_a_server_tells_of_a_deleted_task(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tasks_body: Callable[..., bytes]
) -> None:
    # Our own server answers as documented, by HTTP 450; the service was seen to give the status.
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    server.reply("getTaskStatus", tasks_body(id=ARGUMENTS["ocr_task_id"], status="Deleted"))
    assert fire(pendulum.now("UTC").add(hours=1))["status"] == "Deleted"


def test_it_fires_at_the_deadline_with_the_status_seen_last(cloud_ocr: CloudOcrRehearsal) -> None:
    cloud_ocr.hold("Submitted")
    assert fire(pendulum.now("UTC"), submit())["status"] == "Submitted"


def test_a_row_that_was_written_before_there_were_these_arguments_still_makes_a_trigger() -> None:
    old = {
        name: ARGUMENTS[name] for name in ("ocr_task_id", "deadline", "poll_interval", "cloud_ocr_conn_id")
    }
    assert CloudOcrTaskTrigger(**old).on_not_enough_credits == "fail"


def test_it_goes_on_for_as_long_as_credits_are_waited_for(cloud_ocr: CloudOcrRehearsal) -> None:
    cloud_ocr.limit_credits(0)
    deadline = pendulum.now("UTC").add(seconds=5)
    event = fire(deadline, submit(), on_not_enough_credits="wait")
    assert pendulum.now("UTC") >= deadline
    assert event["status"] == "NotEnoughCredits"
    assert looks(cloud_ocr) >= 2


def test_it_fires_when_it_is_the_tasks_turn_to_be_started_again(cloud_ocr: CloudOcrRehearsal) -> None:
    cloud_ocr.limit_credits(0)
    ocr_task_id, began = submit(), pendulum.now("UTC")
    later = pendulum.now("UTC").add(hours=1)
    event = fire(later, ocr_task_id, on_not_enough_credits="resume", resume_interval=6.0)
    assert event["status"] == "NotEnoughCredits"
    assert pendulum.now("UTC") >= next_turn(ocr_task_id, 6.0, began)


def test_a_task_that_somebody_else_starts_again_ends_before_its_turn(cloud_ocr: CloudOcrRehearsal) -> None:
    cloud_ocr.limit_credits(0)
    ocr_task_id = submit()

    def start_again() -> None:
        wait_until(lambda: looks(cloud_ocr) >= 2)
        cloud_ocr.top_up(5)
        with CloudOcrHook().get_conn() as client:
            client.process_document(ocr_task_id, ProcessingSettings.parse(export_format="txt"))

    somebody = threading.Thread(target=start_again)
    somebody.start()
    event = fire(
        pendulum.now("UTC").add(hours=1), ocr_task_id, on_not_enough_credits="resume", resume_interval=7200.0
    )
    somebody.join()
    assert event["status"] == "Completed"


def test_the_deadline_stays_what_it_was_when_another_triggerer_takes_over(
    cloud_ocr: CloudOcrRehearsal,
) -> None:
    cloud_ocr.hold()
    deadline = pendulum.now("UTC").add(seconds=5)
    arguments = {**ARGUMENTS, "ocr_task_id": submit(), "deadline": deadline.isoformat(), "poll_interval": 2.0}

    async def die_on_the_way() -> tuple[str, dict[str, Any]]:
        trigger = CloudOcrTaskTrigger(**arguments)
        waiting = asyncio.ensure_future(anext(aiter(trigger.run())))
        while not looks(cloud_ocr):
            await asyncio.wait([waiting], timeout=0.1)
        waiting.cancel()
        return trigger.serialize()

    path, kept = asyncio.run(die_on_the_way())
    wait_until(lambda: pendulum.now("UTC") >= deadline)
    before = looks(cloud_ocr)

    async def take_over() -> dict[str, Any]:
        module, _, name = path.rpartition(".")
        again = getattr(importlib.import_module(module), name)(**json.loads(json.dumps(kept)))
        event = await asyncio.wait_for(anext(aiter(again.run())), timeout=60)
        payload: dict[str, Any] = event.payload
        return payload

    # It has a last look and ends; a deadline that began anew would have been seen by more of them.
    assert asyncio.run(take_over())["status"] == "InProgress"
    assert looks(cloud_ocr) == before + 1


def test_it_warns_of_results_that_are_found_late_and_of_no_others(
    server: ScriptedServer,
    monkeypatch: pytest.MonkeyPatch,
    tasks_body: Callable[..., bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    for hours, warned in ((19, True), (1, False)):
        ended = pendulum.now("UTC").subtract(hours=hours)
        body = tasks_body(id=ARGUMENTS["ocr_task_id"], status="Completed", status_change_time=ended)
        server.forget("getTaskStatus")
        server.reply("getTaskStatus", body)
        assert fire(pendulum.now("UTC").add(hours=1))["status"] == "Completed"
        assert ("its results are 19 h old; land them now" in capsys.readouterr().out) is warned


def looks(cloud_ocr: CloudOcrRehearsal) -> int:
    """How often the service was asked about tasks, whichever way."""
    return len(cloud_ocr.requests("getTaskStatus")) + len(cloud_ocr.requests("listTasks"))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_connection_that_cannot_be_looked_up_is_left_to_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps({"conn_type": "cloud_ocr"}))
    assert fire(pendulum.now("UTC").add(hours=1))["status"] is None


def test_it_looks_the_connection_up_without_blocking_the_event_loop(
    cloud_ocr: CloudOcrRehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocr_task_id = submit()

    def forbidden(*given: Any, **more: Any) -> Any:
        raise AssertionError("A synchronous look-up on an event loop deadlocks Airflow's triggerer.")

    monkeypatch.setattr(BaseHook, "get_connection", forbidden)
    monkeypatch.setattr(Connection, "extra_dejson", property(forbidden))
    assert fire(pendulum.now("UTC").add(minutes=5), ocr_task_id)["status"] == "Completed"


def test_one_that_an_older_version_has_stored_is_made_again_and_cancels_nothing() -> None:
    stored = {name: value for name, value in ARGUMENTS.items() if name != "cancel_on_kill"}
    assert CloudOcrTaskTrigger(**stored).cancel_on_kill is False


@pytest.mark.parametrize("cancel_on_kill", [False, True])
def test_a_kill_deletes_nothing_unless_asked_to_and_airflow_says_how_its_task_is(
    cloud_ocr: CloudOcrRehearsal, cancel_on_kill: bool
) -> None:
    # There is no Airflow here that could be asked; with one, tests/system/test_cancelling.py kills.
    cloud_ocr.hold("Submitted")
    arguments = {**ARGUMENTS, "ocr_task_id": submit(), "cancel_on_kill": cancel_on_kill}
    asyncio.run(CloudOcrTaskTrigger(**arguments).on_kill())
    assert {request.method for request in cloud_ocr.requests()} == {"processRemoteImage"}
