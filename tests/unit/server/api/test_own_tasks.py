# SPDX-License-Identifier: Apache-2.0
"""An application is shown its own tasks, with URLs that open the results of the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pendulum
import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api.call import Call, RejectedError
from airflow_provider_ocr.server.api.own_tasks import OwnTasks
from airflow_provider_ocr.server.records.stored_task import StoredTask

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server


@pytest.fixture
def tasks(server: Server) -> OwnTasks:
    def seconds_until_done(task: StoredTask) -> int:
        return 9 + task.pages

    return OwnTasks(store=server.store, signer=server.backend.signer, seconds_until_done=seconds_until_done)


def call(ocr_task_id: str, application: str = "app") -> Call:
    return Call(application=application, query={"taskid": ocr_task_id}, base_url="http://h")


def test_a_task_is_its_owners_alone(server: Server, tasks: OwnTasks) -> None:
    ocr_task_id = server.task_in(TaskStatus.QUEUED)
    assert tasks.require(call(f" {ocr_task_id.upper()} ")).id == ocr_task_id
    with pytest.raises(RejectedError, match="taskId: there is no task"):
        tasks.require(call(ocr_task_id, "other"))
    with pytest.raises(RejectedError, match="taskId: the parameter is missing"):
        tasks.require(call(""))


@pytest.mark.parametrize("status", list(TaskStatus))
def test_an_estimate_is_asked_for_where_it_is_told(
    status: TaskStatus, server: Server, tasks: OwnTasks
) -> None:
    shown = tasks.show(tasks.require(call(server.task_in(status))), call(""))
    running = status in (TaskStatus.QUEUED, TaskStatus.IN_PROGRESS)
    assert shown.estimated_processing_time == (10 if running else None)


def test_urls_name_the_run_that_is_the_tasks_and_open_for_ten_hours(server: Server, tasks: OwnTasks) -> None:
    ocr_task_id = server.task_in(TaskStatus.COMPLETED, exportFormat="txt,xml")
    urls = tasks.show(tasks.require(call(ocr_task_id)), call("")).result_urls
    assert len(urls) == 2
    for position, url in enumerate(urls, start=1):
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"http://h/results/{ocr_task_id}/{position}"
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert query["run"] == "run-1"
        soon, late = (
            pendulum.now("UTC").add(hours=9, minutes=50),
            pendulum.now("UTC").add(hours=11, minutes=1),
        )
        verify = server.backend.signer.verify
        assert verify(ocr_task_id, str(position), now=soon, **query)
        assert not verify(ocr_task_id, str(position), now=late, **query)
        assert not verify(ocr_task_id, str(position), now=soon, **{**query, "run": "run-2"})


def test_a_task_that_is_started_again_has_no_urls(server: Server, tasks: OwnTasks) -> None:
    ocr_task_id = server.task_in(TaskStatus.COMPLETED)
    server.call("processDocument", {"taskId": ocr_task_id, "exportFormat": "txt"})
    assert tasks.show(tasks.require(call(ocr_task_id)), call("")).result_urls == ()
