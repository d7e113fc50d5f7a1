# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.cancelling import cancel
from airflow_provider_ocr.protocol.errors import ServerError, TaskDeletedError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.testing import CloudOcrRehearsal

_DEADLINE = 60.0
BEFORE: dict[str, Callable[[CloudOcrRehearsal], None]] = {
    "Submitted": lambda cloud_ocr: cloud_ocr.hold("Submitted"),
    "Queued": lambda cloud_ocr: cloud_ocr.hold("Queued"),
    "NotEnoughCredits": lambda cloud_ocr: cloud_ocr.limit_credits(0),
}
TOO_LATE: dict[str, Callable[[CloudOcrRehearsal], None]] = {
    "InProgress": lambda cloud_ocr: cloud_ocr.hold("InProgress"),
    "Completed": lambda cloud_ocr: cloud_ocr.recognise_as("text"),
    "ProcessingFailed": lambda cloud_ocr: cloud_ocr.fail(),
}


@pytest.fixture
def client(cloud_ocr: CloudOcrRehearsal) -> Iterator[CloudOcrClient]:
    """Speaks to the server of the test."""
    with CloudOcrHook().get_conn() as client:
        yield client


def submit(client: CloudOcrClient, cloud_ocr: CloudOcrRehearsal, status: str) -> str:
    """The ID of a new OCR task that has come to a state."""
    settings = ProcessingSettings.parse(export_format="txt")
    ocr_task_id = client.process_remote_image("https://nowhere.invalid/a.tif", settings).id
    deadline = time.monotonic() + _DEADLINE
    while [task.status for task in cloud_ocr.tasks()] != [status]:
        assert time.monotonic() < deadline, cloud_ocr.tasks()
        time.sleep(0.05)
    return ocr_task_id


@pytest.mark.parametrize("status", BEFORE)
def test_a_task_that_the_service_has_not_begun_is_deleted(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient, status: str
) -> None:
    BEFORE[status](cloud_ocr)
    ocr_task_id = submit(client, cloud_ocr, status)
    assert cancel(client, ocr_task_id).startswith(f"OCR task {ocr_task_id}: deleted")
    assert [task.status for task in cloud_ocr.tasks()] == ["Deleted"]
    assert cloud_ocr.credits_charged == 0


@pytest.mark.parametrize("status", TOO_LATE)
def test_a_task_that_is_recognised_or_has_ended_is_left(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient, status: str
) -> None:
    TOO_LATE[status](cloud_ocr)
    said = cancel(client, submit(client, cloud_ocr, status))
    assert "not deleted" in said
    assert status in said
    assert not cloud_ocr.requests("deleteTask")
    assert [task.status for task in cloud_ocr.tasks()] == [status]


def test_a_task_that_is_gone_is_said_to_be(cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient) -> None:
    ocr_task_id = submit(client, cloud_ocr, "Completed")
    client.delete_task(ocr_task_id)
    with pytest.raises(TaskDeletedError):
        cancel(client, ocr_task_id)


def test_nothing_is_deleted_where_the_state_cannot_be_learned(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.hold("Queued")
    ocr_task_id = submit(client, cloud_ocr, "Queued")
    cloud_ocr.answer(503, methods=("getTaskStatus",), times=None)
    with CloudOcrHook().get_conn(read_attempts=1) as hasty, pytest.raises(ServerError):
        cancel(hasty, ocr_task_id)
    assert not cloud_ocr.requests("deleteTask")
