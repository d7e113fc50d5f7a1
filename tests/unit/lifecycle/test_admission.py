# SPDX-License-Identifier: Apache-2.0
"""One more task is made only while there is room for it, and none that would cost too much."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.admission import Limits, admitted, recent_tasks
from airflow_provider_ocr.lifecycle.submission import Submitter, family_mark, idempotency_key, remote_image
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

SOURCE = "https://images.example/scan.png"
SETTINGS = ProcessingSettings.parse(export_format="txt")
KEYS = [idempotency_key("dag", "run", "task", index, source=SOURCE, settings=SETTINGS) for index in range(3)]
STRANGER = idempotency_key("dag", "run", "another", 0, source=SOURCE, settings=SETTINGS)
NOW = pendulum.datetime(2026, 11, 22, 12)


def task(status: str, *, key: str = KEYS[1], **attributes: Any) -> OcrTask:
    return OcrTask(id=f"{status}-{key}", status=status, description=f"Invoice [airflow:{key}]", **attributes)


def test_the_instances_of_a_mapped_task_have_keys_of_one_family() -> None:
    assert len(set(KEYS)) == len(KEYS)
    assert len({family_mark(key) for key in KEYS}) == 1
    assert family_mark(STRANGER) != family_mark(KEYS[0])


@pytest.mark.parametrize("status", ["Submitted", "Queued", "InProgress", "NotEnoughCredits", "Pondering"])
def test_an_unfinished_task_takes_up_room(status: str) -> None:
    with pytest.raises(errors.TooManyInFlightError, match=r"has 1 unfinished.* max_in_flight is 1"):
        Limits(max_in_flight=1).require_room([task(status, key=STRANGER)], KEYS[0])
    Limits(max_in_flight=2).require_room([task(status, key=STRANGER)], KEYS[0])


@pytest.mark.parametrize("status", ["Completed", "ProcessingFailed", "Deleted"])
def test_a_finished_task_takes_up_none(status: str) -> None:
    Limits(max_in_flight=1).require_room([task(status)], KEYS[0])


@pytest.mark.parametrize(
    ("listed", "spent"),
    [
        (task("Completed", credits=15), 15),
        (task("Queued", credits=10), 10),
        # Until the image was fetched, nobody knows its pages; one it will have.
        (task("Submitted", credits=0), 5),
        (task("Submitted"), 5),
        (task("Deleted", credits=15), 15),
        (task("Deleted", credits=0), 0),
        (task("ProcessingFailed", credits=15), 0),
        (task("Completed", credits=15, key=STRANGER), 0),
        (OcrTask(id="foreign", status="Completed", credits=15), 0),
    ],
)
def test_what_a_family_spends_is_counted_by_the_services_list(listed: OcrTask, spent: int) -> None:
    Limits(max_credits=spent + 5).require_room([listed], KEYS[0])
    with pytest.raises(errors.CreditLimitError, match=f"will cost, {spent} credits"):
        Limits(max_credits=spent + 4).require_room([listed], KEYS[0])


def test_a_task_that_two_windows_show_counts_once(
    server: ScriptedServer, client: CloudOcrClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.lifecycle.listing.LIST_LIMIT", 2)
    twice = [task("Queued", registration_time=NOW), task("InProgress", registration_time=NOW)]
    server.reply("listTasks", render_tasks(twice))
    server.reply("listTasks", render_tasks(twice[:1]))
    server.reply("listTasks", render_tasks(twice[:1]))
    assert [found.status for found in recent_tasks(client, NOW)] == ["Queued"]


@pytest.fixture
def submit(client: CloudOcrClient) -> Callable[..., str]:
    def run(limits: Limits, *, record: dict[str, str] | None = None, is_retry: bool = False) -> str:
        submitter = Submitter(client=client, record=Memory(record or {}), is_retry=is_retry)
        image = admitted(remote_image(client, SOURCE), client=client, limits=limits, key=KEYS[0])
        return submitter.submit(image, SETTINGS, key=KEYS[0]).task.id

    return run


class Memory:
    def __init__(self, kept: dict[str, str]) -> None:
        self.kept = kept

    def get(self, key: str) -> str | None:
        return self.kept.get(key)

    def set(self, key: str, value: str) -> None:
        self.kept[key] = value


def test_without_limits_nothing_is_asked(
    server: ScriptedServer, submit: Callable[..., str], tasks_body: Callable[..., bytes]
) -> None:
    server.reply("processRemoteImage", tasks_body(id="new", status="Submitted"))
    assert submit(Limits()) == "new"
    assert server.asked("listTasks") == []


def test_an_earlier_task_is_taken_up_however_many_there_are(
    server: ScriptedServer, submit: Callable[..., str], tasks_body: Callable[..., bytes]
) -> None:
    server.reply("getTaskStatus", tasks_body(id="old", status="Queued"))
    limits = Limits(max_in_flight=1, max_credits=5)
    assert submit(limits, record={"ocr_task_id": f"{KEYS[0]} old"}, is_retry=True) == "old"


def test_nothing_is_sent_and_no_intent_is_noted_while_there_is_no_room(
    server: ScriptedServer, submit: Callable[..., str]
) -> None:
    server.reply("listTasks", render_tasks([task("Queued")]))
    record = {"other": "kept"}
    with pytest.raises(errors.TooManyInFlightError):
        submit(Limits(max_in_flight=1), record=record)
    assert server.asked("processRemoteImage") == []
    assert record == {"other": "kept"}


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (450, "Too many images are waiting.", errors.QuotaExceededError),
        (450, "language: it is not known.", errors.ParameterRejectedError),
        (404, "Too many images are waiting.", errors.RequestRejectedError),
    ],
)
def test_only_a_refusal_of_the_service_without_a_parameters_name_is_taken_for_its_quota(
    server: ScriptedServer, submit: Callable[..., str], status: int, message: str, kind: type[Exception]
) -> None:
    server.refuse("processRemoteImage", status, message)
    with pytest.raises(errors.RequestRejectedError) as caught:
        submit(Limits())
    assert type(caught.value) is kind
    assert message in str(caught.value)


def test_a_look_up_that_is_refused_is_not_taken_for_the_quota(
    server: ScriptedServer, submit: Callable[..., str]
) -> None:
    server.refuse("listTasks", 450, "Too many images are waiting.")
    with pytest.raises(errors.RequestRejectedError) as caught:
        submit(Limits(max_in_flight=1))
    assert type(caught.value) is errors.RequestRejectedError
