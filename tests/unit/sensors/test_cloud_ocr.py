# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum
import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.testing import CloudOcrRehearsal
from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger

OCR_TASK_ID = "0f4d2a86-6a3c-4a55-9c0e-1d2f3a4b5c6d"


def sensor(**arguments: Any) -> CloudOcrTaskSensor:
    return CloudOcrTaskSensor(task_id="wait", ocr_task_id=OCR_TASK_ID, **arguments)


@pytest.mark.parametrize("interval", [0, 1.9, timedelta(seconds=1)])
def test_it_does_not_ask_more_often_than_the_service_allows(interval: float | timedelta) -> None:
    with pytest.raises(ValueError, match="poke_interval: the service wants at least 2 s"):
        sensor(poke_interval=interval)


def test_it_waits_a_day_unless_told_otherwise() -> None:
    assert sensor().timeout == 24 * 3600


def test_deferring_hands_the_trigger_an_absolute_deadline_and_nothing_secret() -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(deferrable=True, timeout=100, poke_interval=5).execute({})
    trigger = deferred.value.trigger
    assert isinstance(trigger, CloudOcrTaskTrigger)
    assert trigger.serialize()[1] == {
        "ocr_task_id": OCR_TASK_ID,
        "deadline": deferred.value.kwargs["deadline"],
        "poll_interval": 5,
        "cloud_ocr_conn_id": "cloud_ocr_default",
        "on_not_enough_credits": "fail",
        "resume_interval": 900.0,
        "cancel_on_kill": False,
    }


def test_a_completed_event_ends_the_wait_without_another_request() -> None:
    event = {"ocr_task_id": OCR_TASK_ID, "status": "Completed"}
    assert sensor().resume({}, event, "2026-01-01T00:00:00+00:00") == OCR_TASK_ID


def test_the_wait_begins_again_where_airflow_has_forgotten_its_deadline(cloud_ocr: CloudOcrRehearsal) -> None:
    cloud_ocr.hold()
    with CloudOcrHook().get_conn() as client:
        settings = ProcessingSettings.parse(export_format="txt")
        made = client.process_remote_image("https://nowhere.invalid/a.tif", settings)
    waiting = CloudOcrTaskSensor(task_id="wait", ocr_task_id=made.id, timeout=100)
    # DAG.test hands on nothing but the event.
    with pytest.raises(TaskDeferred) as deferred:
        waiting.resume({}, {"ocr_task_id": made.id, "status": None})
    left = parse_time(deferred.value.kwargs["deadline"]) - pendulum.now("UTC")
    assert 90 < left.total_seconds() <= 100
