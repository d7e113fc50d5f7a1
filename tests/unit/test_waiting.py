# SPDX-License-Identifier: Apache-2.0
"""Sensor and operator as they wait, in this process and against a real server."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pendulum
import pytest
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSkipException,
    TaskDeferred,
)

from airflow_provider_ocr.exceptions import (
    CloudOcrNotEnoughCreditsError,
    CloudOcrParameterError,
    CloudOcrProcessingFailedError,
    CloudOcrSensorTimeout,
)
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.resuming import is_turn, next_turn, turn_left
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.testing import CloudOcrRehearsal

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

SOURCE = "https://nowhere.invalid/a.tif"


def operator(**arguments: Any) -> ProcessRemoteImageOperator:
    given = {"wait_for_completion": True, "export_format": "txt", "poll_interval": 2, **arguments}
    return ProcessRemoteImageOperator(task_id="recognise", source=SOURCE, **given)


def sensor(ocr_task_id: str, **arguments: Any) -> CloudOcrTaskSensor:
    given = {"poke_interval": 2, "timeout": 600, **arguments}
    return CloudOcrTaskSensor(task_id="wait", ocr_task_id=ocr_task_id, **given)


@pytest.fixture
def pushed() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def context(pushed: list[tuple[str, str]]) -> Any:
    """As much of a first try's as the operator asks for."""
    ti = SimpleNamespace(
        dag_id="d",
        run_id="r",
        task_id="recognise",
        map_index=-1,
        try_number=1,
        xcom_push=lambda key, value: pushed.append((key, value)),
        get_first_reschedule_date=lambda context: None,
    )
    return {"ti": ti}


def submit() -> str:
    with CloudOcrHook().get_conn() as client:
        return client.process_remote_image(SOURCE, ProcessingSettings.parse(export_format="txt")).id


def suspended(cloud_ocr: CloudOcrRehearsal) -> str:
    """The ID of a task that lacks credits."""
    cloud_ocr.limit_credits(0)
    ocr_task_id = submit()
    wait_until(lambda: cloud_ocr.tasks()[0].status == "NotEnoughCredits")
    return ocr_task_id


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_id_is_told_before_the_operator_waits_and_returned_after(
    cloud_ocr: CloudOcrRehearsal, context: Any, pushed: list[tuple[str, str]]
) -> None:
    ocr_task_id = operator().execute(context)
    assert pushed == [("ocr_task_id", ocr_task_id)]
    assert [(task.id, task.status) for task in cloud_ocr.tasks()] == [(ocr_task_id, "Completed")]


def test_the_operator_defers_with_the_id_and_goes_on_with_it(
    cloud_ocr: CloudOcrRehearsal, context: Any, pushed: list[tuple[str, str]]
) -> None:
    recognise = operator(deferrable="true", timeout="100", on_not_enough_credits="Wait")
    with pytest.raises(TaskDeferred) as deferred:
        recognise.execute(context)
    [(_, ocr_task_id)] = pushed
    assert deferred.value.trigger.serialize()[1] == {
        "ocr_task_id": ocr_task_id,
        "deadline": deferred.value.kwargs["deadline"],
        "poll_interval": 2.0,
        "cloud_ocr_conn_id": "cloud_ocr_default",
        "on_not_enough_credits": "wait",
        "resume_interval": 900.0,
        "cancel_on_kill": False,
    }
    event = {"ocr_task_id": ocr_task_id, "status": "Completed"}
    again = getattr(recognise, deferred.value.method_name)
    assert again(context, event, **deferred.value.kwargs) == ocr_task_id
    assert len(cloud_ocr.requests("processRemoteImage")) == 1


def test_without_being_asked_to_the_operator_waits_for_nothing(
    cloud_ocr: CloudOcrRehearsal, context: Any, pushed: list[tuple[str, str]]
) -> None:
    cloud_ocr.hold()
    assert operator(wait_for_completion="False", deferrable=True).execute(context)
    assert pushed == []


def test_a_failed_task_is_no_reason_for_the_operator_to_forgo_its_retries(
    cloud_ocr: CloudOcrRehearsal, context: Any
) -> None:
    cloud_ocr.fail("The image could not be fetched.")
    with pytest.raises(CloudOcrProcessingFailedError, match="could not be fetched") as caught:
        operator().execute(context)
    assert not isinstance(caught.value, AirflowFailException)
    assert caught.value.ocr_task_id == cloud_ocr.tasks()[0].id


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("poll_interval", "1"),
        ("timeout", "long"),
        ("deferrable", "perhaps"),
        ("wait_for_completion", "perhaps"),
        ("on_not_enough_credits", "pay"),
        ("resume_interval", "nan"),
    ],
)
def test_what_cannot_be_waited_for_is_found_out_before_anything_is_paid_for(
    cloud_ocr: CloudOcrRehearsal, context: Any, name: str, value: str
) -> None:
    recognise = operator(**{name: "{{ params.x }}"})
    recognise.render_template_fields({"params": {"x": value}})
    with pytest.raises(CloudOcrParameterError, match=f"^{name}: "):
        recognise.execute(context)
    assert cloud_ocr.requests() == []


def test_an_operator_without_credits_fails_unless_told_otherwise(
    cloud_ocr: CloudOcrRehearsal, context: Any
) -> None:
    cloud_ocr.limit_credits(0)
    with pytest.raises(CloudOcrNotEnoughCreditsError):
        operator().execute(context)


def test_a_suspended_task_is_started_again_until_there_are_credits(cloud_ocr: CloudOcrRehearsal) -> None:
    ocr_task_id = suspended(cloud_ocr)

    def top_up_after_an_attempt_in_vain() -> None:
        wait_until(lambda: bool(cloud_ocr.requests("processDocument")))
        cloud_ocr.top_up(5)

    somebody = threading.Thread(target=top_up_after_an_attempt_in_vain)
    somebody.start()
    waiting = sensor(
        ocr_task_id, on_not_enough_credits="resume", resume_with={"export_format": "xml"}, resume_interval=2
    )
    assert waiting.execute({}) == ocr_task_id
    somebody.join()
    [task] = cloud_ocr.tasks()
    assert (task.status, task.settings.export_format) == ("Completed", ("xml",))
    assert cloud_ocr.credits_charged == 5


def test_a_rescheduled_sensor_comes_back_when_the_task_has_its_turn(
    cloud_ocr: CloudOcrRehearsal, context: Any
) -> None:
    ocr_task_id = suspended(cloud_ocr)
    waiting = sensor(
        ocr_task_id,
        mode="reschedule",
        timeout=48 * 3600,
        on_not_enough_credits="resume",
        resume_with={"export_format": "txt"},
        resume_interval=24 * 3600,
    )
    began = pendulum.now("UTC")
    with pytest.raises(AirflowRescheduleException) as rescheduled:
        waiting.execute(context)
    earliest, latest = (next_turn(ocr_task_id, 24 * 3600, moment) for moment in (began, pendulum.now("UTC")))
    assert earliest.subtract(seconds=1) <= rescheduled.value.reschedule_date <= latest.add(seconds=1)
    assert len(cloud_ocr.requests("processDocument")) <= 1


def test_a_rescheduled_sensor_uses_a_turn_once_also_where_the_service_takes_the_attempt(
    server: ScriptedServer, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    interval, now = 24 * 3600.0, pendulum.now("UTC")
    # A task whose turn it is, and will be for an hour at least.
    name = next(f"a{n}" for n in itertools.count() if turn_left(f"a{n}", interval, now) > 3600)
    server.reply("getTaskStatus", render_tasks([OcrTask(id=name, status="NotEnoughCredits")]))
    server.reply("processDocument", render_tasks([OcrTask(id=name, status="Queued")]))
    waiting = sensor(
        name,
        mode="reschedule",
        timeout=48 * 3600,
        on_not_enough_credits="resume",
        resume_with={"export_format": "txt"},
        resume_interval=interval,
    )
    with pytest.raises(AirflowRescheduleException) as rescheduled:
        waiting.execute(context)
    assert len(server.asked("processDocument")) == 1
    again = pendulum.instance(rescheduled.value.reschedule_date)
    assert is_turn(name, interval, again.subtract(minutes=1))
    assert not is_turn(name, interval, again.add(seconds=1))


def test_waiting_for_credits_ends_at_the_timeout(cloud_ocr: CloudOcrRehearsal) -> None:
    waiting = sensor(suspended(cloud_ocr), on_not_enough_credits="wait", timeout=3)
    with pytest.raises(CloudOcrSensorTimeout, match="it is still NotEnoughCredits"):
        waiting.execute({})
    assert cloud_ocr.requests("processDocument") == []


@pytest.mark.parametrize("status", [None, "NotEnoughCredits"])
def test_the_deadline_stays_when_a_worker_looks_in_between(
    cloud_ocr: CloudOcrRehearsal, status: str | None
) -> None:
    ocr_task_id = suspended(cloud_ocr)
    waiting = sensor(
        ocr_task_id,
        deferrable=True,
        timeout=9999,
        on_not_enough_credits="resume",
        resume_with={"export_format": "txt"},
    )
    deadline = pendulum.now("UTC").add(hours=1).isoformat()
    with pytest.raises(TaskDeferred) as deferred:
        waiting.resume({}, {"ocr_task_id": ocr_task_id, "status": status}, deadline)
    assert deferred.value.kwargs == {"deadline": deadline}
    # The trigger fires for a suspended task when its turn has come.
    assert len(cloud_ocr.requests("processDocument")) == (0 if status is None else 1)


def test_a_task_that_somebody_else_has_started_again_is_not_paid_for_twice(
    cloud_ocr: CloudOcrRehearsal,
) -> None:
    ocr_task_id = submit()
    wait_until(lambda: cloud_ocr.tasks()[0].status == "Completed")
    waiting = sensor(ocr_task_id, on_not_enough_credits="resume", resume_with={"export_format": "txt"})
    event = {"ocr_task_id": ocr_task_id, "status": "NotEnoughCredits"}
    assert waiting.resume({}, event, pendulum.now("UTC").add(hours=1).isoformat()) == ocr_task_id
    assert cloud_ocr.requests("processDocument") == []


@pytest.mark.parametrize(
    ("resume_with", "said"),
    [
        (None, 'resume_with: on_not_enough_credits="resume" needs the settings'),
        ({"exportFormat": "txt"}, "resume_with: exportFormat: not a setting"),
        ({"export_format": "text"}, "exportFormat: 'text' is not one of"),
        ({"export_format": "txt", "pdf_password": ["SECRET"]}, "resume_with: pdf_password: a list was given"),
    ],
)
def test_settings_that_cannot_be_sent_are_refused_when_the_dag_is_parsed(resume_with: Any, said: str) -> None:
    with pytest.raises(CloudOcrParameterError) as caught:
        sensor("x", on_not_enough_credits="resume", resume_with=resume_with)
    assert str(caught.value).startswith(said)
    assert "SECRET" not in str(caught.value)


def test_the_password_for_starting_again_is_shown_to_nobody() -> None:
    waiting = sensor(
        "x",
        on_not_enough_credits="resume",
        resume_with={
            "export_format": "{{ format }}",
            "pdf_password": "{{ password }}",
            "description": "ours",
        },
    )
    waiting.render_template_fields({"format": "txt", "password": "SECRET-1"})
    assert "SECRET" not in repr(vars(waiting))
    assert waiting.resume_with is not None
    assert waiting.resume_with["export_format"] == "txt"
    assert waiting.resume_with["pdf_password"].revealed == "SECRET-1"


def test_never_fail_skips_where_there_is_no_connection_and_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", '{"conn_type": "cloud_ocr"}')
    with pytest.raises(CloudOcrParameterError):
        sensor("x", soft_fail=True).execute({})
    with pytest.raises(AirflowSkipException):
        sensor("x", never_fail=True).execute({})
    assert "Skipped: " in capsys.readouterr().out
