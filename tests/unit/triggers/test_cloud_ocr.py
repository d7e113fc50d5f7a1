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


def fire(deadline: pendulum.DateTime) -> dict[str, Any]:
    """The event of a trigger that runs until it fires."""

    async def first_event() -> dict[str, Any]:
        trigger = CloudOcrTaskTrigger(**{**ARGUMENTS, "deadline": deadline.isoformat(), "poll_interval": 2.0})
        return (await anext(aiter(trigger.run()))).payload

    return asyncio.run(first_event())


@pytest.fixture
def service(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    return server


@pytest.mark.parametrize("status", ["Completed", "ProcessingFailed", "NotEnoughCredits", "Deleted"])
def test_it_fires_with_the_status_that_ends_the_wait_and_nothing_else(
    service: ScriptedServer, tasks_body: Callable[..., bytes], status: str
) -> None:
    secret = ("https://results.example/1?sig=canary",)
    service.reply(
        "getTaskStatus",
        tasks_body(id=ARGUMENTS["ocr_task_id"], status=status, error="torn page", result_urls=secret),
    )
    event = fire(pendulum.now("UTC").add(hours=1))
    assert event == {"ocr_task_id": ARGUMENTS["ocr_task_id"], "status": status}


def test_it_fires_at_the_deadline_with_the_status_seen_last(
    service: ScriptedServer, tasks_body: Callable[..., bytes]
) -> None:
    service.reply("getTaskStatus", tasks_body(id=ARGUMENTS["ocr_task_id"], status="InProgress"))
    assert fire(pendulum.now("UTC"))["status"] == "InProgress"


def test_a_connection_that_cannot_be_looked_up_is_left_to_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps({"conn_type": "cloud_ocr"}))
    assert fire(pendulum.now("UTC").add(hours=1))["status"] is None


def test_it_looks_the_connection_up_without_blocking_the_event_loop(
    service: ScriptedServer, tasks_body: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*given: Any, **more: Any) -> Any:
        raise AssertionError("A synchronous look-up on an event loop deadlocks Airflow's triggerer.")

    monkeypatch.setattr(BaseHook, "get_connection", forbidden)
    monkeypatch.setattr(Connection, "extra_dejson", property(forbidden))
    service.reply("getTaskStatus", tasks_body(id=ARGUMENTS["ocr_task_id"], status="Completed"))
    assert fire(pendulum.now("UTC").add(minutes=5))["status"] == "Completed"
