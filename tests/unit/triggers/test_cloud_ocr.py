# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import BaseHook, Connection

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
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
}


def test_it_is_made_again_from_what_it_serialises() -> None:
    path, arguments = CloudOcrTaskTrigger(**ARGUMENTS).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**arguments)
    assert again.serialize() == (path, ARGUMENTS)


def test_it_leaves_the_task_id_of_airflow_to_airflow() -> None:
    assert "task_id" not in CloudOcrTaskTrigger(**ARGUMENTS).serialize()[1]


def fire(deadline: pendulum.DateTime, ocr_task_id: str = ARGUMENTS["ocr_task_id"]) -> dict[str, Any]:
    """The event of a trigger that runs until it fires."""

    async def first_event() -> dict[str, Any]:
        changes = {"ocr_task_id": ocr_task_id, "deadline": deadline.isoformat(), "poll_interval": 2.0}
        trigger = CloudOcrTaskTrigger(**{**ARGUMENTS, **changes})
        return (await anext(aiter(trigger.run()))).payload

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
