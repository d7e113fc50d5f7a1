# SPDX-License-Identifier: Apache-2.0
"""What the gate's trigger stores and says; that it fires once there is room, integration tests show, too."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pendulum
import pytest

from airflow_provider_ocr.lifecycle import gate
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.triggers.submission_gate import SubmissionGateTrigger

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

ARGUMENTS = {
    "max_in_flight": 2,
    "deadline": "2126-11-22T12:00:00+00:00",
    "cloud_ocr_conn_id": "cloud_ocr_default",
}


@pytest.fixture(autouse=True)
def _connection(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "pass/word"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    monkeypatch.setattr(gate, "LOOK_SECONDS", 0.1)


def said(trigger: SubmissionGateTrigger) -> object:
    return asyncio.run(asyncio.wait_for(anext(trigger.run()), 60)).payload  # type: ignore[arg-type]  # it is an async generator


def test_its_arguments_survive_a_restarted_triggerer() -> None:
    path, arguments = SubmissionGateTrigger(**ARGUMENTS).serialize()
    assert path == "airflow_provider_ocr.triggers.submission_gate.SubmissionGateTrigger"
    assert json.loads(json.dumps(arguments)) == ARGUMENTS
    assert SubmissionGateTrigger(**arguments).serialize() == (path, arguments)


def test_a_service_that_is_away_for_a_while_is_asked_again(server: ScriptedServer) -> None:
    server.reply("listTasks", status=503)
    server.reply("listTasks", cut=0)
    server.reply("listTasks", render_tasks([]))
    assert said(SubmissionGateTrigger(**ARGUMENTS)) == {"waited": "room"}


@pytest.mark.parametrize("status", [401, 450])
def test_trouble_that_does_not_pass_is_left_to_a_worker(server: ScriptedServer, status: int) -> None:
    server.refuse("listTasks", status, "No.")
    assert said(SubmissionGateTrigger(**ARGUMENTS)) == {"waited": "trouble"}


def test_a_deadline_that_is_past_is_told_at_once() -> None:
    past = pendulum.now("UTC").subtract(seconds=1).isoformat()
    trigger = SubmissionGateTrigger(max_in_flight=2, deadline=past, cloud_ocr_conn_id="cloud_ocr_default")
    assert said(trigger) == {"waited": "deadline"}
