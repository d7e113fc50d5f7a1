# SPDX-License-Identifier: Apache-2.0
"""An application is shown its own tasks, with URLs that open the results of the last run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pendulum
import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.call import Call, RejectedError
from airflow_provider_ocr.server.own_tasks import OwnTasks

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server


@pytest.fixture
def tasks(server: Server) -> OwnTasks:
    return OwnTasks(store=server.store, files=server.files, seconds_until_done=lambda: 9)


def call(ocr_task_id: str, application: str = "app") -> Call:
    return Call(application=application, query={"taskid": ocr_task_id}, base_url="http://h")


def test_a_task_is_its_owners_alone(server: Server, tasks: OwnTasks) -> None:
    ocr_task_id = server.task_in(TaskStatus.QUEUED)
    assert tasks.require(call(f" {ocr_task_id.upper()} ")).id == ocr_task_id
    with pytest.raises(RejectedError, match="taskId: there is no task"):
        tasks.require(call(ocr_task_id, "other"))
    with pytest.raises(RejectedError, match="taskId: the parameter is missing"):
        tasks.require(call(""))


def test_an_estimate_is_asked_for_where_it_is_told(server: Server, tasks: OwnTasks) -> None:
    told = {
        status: tasks.show(tasks.require(call(server.task_in(status))), call("")).estimated_processing_time
        for status in TaskStatus
    }
    assert {status for status, seconds in told.items() if seconds == 9} == {"Queued", "InProgress"}


def test_a_clock_that_is_set_back_does_not_make_urls_of_an_earlier_run(
    server: Server, tasks: OwnTasks
) -> None:
    ocr_task_id = server.task_in(TaskStatus.COMPLETED)
    completed = pendulum.now("UTC").add(hours=1)
    server.set_changed(ocr_task_id, completed)
    (url,) = tasks.show(tasks.require(call(ocr_task_id)), call("")).result_urls
    expires = parse_qs(urlsplit(url).query)["expires"][0]
    assert not server.files.was_signed_before(completed, expires=expires)
