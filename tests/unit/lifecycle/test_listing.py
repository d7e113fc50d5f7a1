# SPDX-License-Identifier: Apache-2.0
"""A list that is cut off at 1,000 rows hides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.listing import list_window
from airflow_provider_ocr.lifecycle.submission import Submitter, remote_image
from airflow_provider_ocr.lifecycle.windows import LIST_LIMIT
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time

if TYPE_CHECKING:
    from tests.unit.conftest import Received, ScriptedServer

SOURCE = "https://images.example/scan.png"
KEY = "0123456789abcdef0123"
START = pendulum.datetime(2026, 11, 22, 12)


class Archive:
    """Answers listTasks as the service does: a window of its tasks, cut off at 1,000."""

    def __init__(self, tasks: list[OcrTask]) -> None:
        self._tasks = tasks

    def __call__(self, received: Received) -> bytes:
        start, end = (parse_time(received.query[name]) for name in ("fromDate", "toDate"))
        inside = [
            task for task in self._tasks if task.registration_time and start <= task.registration_time <= end
        ]
        return render_tasks(inside[:LIST_LIMIT])


def _at(second: int, count: int) -> list[OcrTask]:
    return [
        OcrTask(id=f"{second}-{number}", status="Queued", registration_time=START.add(seconds=second))
        for number in range(count)
    ]


@pytest.mark.parametrize(
    "tasks",
    [
        [],
        _at(0, 999),
        _at(0, 999) + _at(1, 999) + _at(2, 999),
        [task for second in range(0, 60, 7) for task in _at(second, 200)],
        _at(59, 999) + _at(60, 999),
    ],
    ids=["none", "one answer", "full seconds", "spread", "at the end"],
)
def test_a_full_answer_is_cut_into_smaller_windows_until_all_are_there(
    server: ScriptedServer, client: CloudOcrClient, tasks: list[OcrTask]
) -> None:
    server.on("listTasks", Archive(tasks))
    found = list_window(client, START, START.add(seconds=60))
    assert sorted(task.id for task in found) == sorted(task.id for task in tasks)


def test_a_single_second_that_is_too_full_is_an_error(server: ScriptedServer, client: CloudOcrClient) -> None:
    server.on("listTasks", Archive(_at(7, LIST_LIMIT)))
    with pytest.raises(errors.UnreadableAnswerError, match="1,000 tasks or more in the second 2"):
        list_window(client, START, START.add(seconds=60))


@pytest.fixture
def retry(client: CloudOcrClient) -> Submitter:
    """A second try, whose first left nothing."""
    return Submitter(client=client, record=None, is_retry=True, now=lambda: START, sleep=lambda seconds: None)


def test_a_task_in_a_crowd_is_found(server: ScriptedServer, client: CloudOcrClient, retry: Submitter) -> None:
    crowd = [task for second in range(10) for task in _at(second, 300)]
    ours = OcrTask(
        id="ours", status="Queued", registration_time=START.add(seconds=9), description=f"[airflow:{KEY}]"
    )
    server.on("listTasks", Archive([*crowd, ours]))
    assert retry.submit(remote_image(client, SOURCE), ProcessingSettings(), key=KEY).task.id == "ours"
    assert server.asked("processRemoteImage") == []


def test_a_crowd_that_cannot_be_looked_through_never_submits(
    server: ScriptedServer, client: CloudOcrClient, retry: Submitter
) -> None:
    server.on("listTasks", Archive(_at(7, LIST_LIMIT)))
    with pytest.raises(errors.UnreadableAnswerError):
        retry.submit(remote_image(client, SOURCE), ProcessingSettings(), key=KEY)
    assert server.asked("processRemoteImage") == []
