# SPDX-License-Identifier: Apache-2.0
"""What a user who ends an Airflow task does to its OCR task, in a real triggerer and on a real worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

DAG_ID = "cancelling"
RUN_ID = "ended-by-a-user"
IN_TRIGGERER = ("kept", "cleared", "cancelled")
ON_WORKER = "cancelled_on_worker"
SECONDS = 300.0


def wait_until(come: Callable[[], bool], what: str) -> None:
    """Return once it has come."""
    deadline = time.monotonic() + SECONDS
    while not come():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


@pytest.fixture(scope="module")
def statuses(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> Iterator[dict[str, str]]:
    """By Airflow task, the status of its OCR task in the end; the service has begun none of them before."""

    def found() -> dict[str, str]:
        tasks = cloud_ocr_session.tasks()
        return {str(task.source).rpartition("/")[2].removesuffix(".tif"): str(task.status) for task in tasks}

    def states() -> dict[str, str | None]:
        return {item.task_id: item.state for item in airflow.task_instances(DAG_ID, RUN_ID)}

    def tries_of_cleared() -> int:
        [cleared] = (item for item in airflow.task_instances(DAG_ID, RUN_ID) if item.task_id == "cleared")
        return cleared.try_number

    waiting = {**dict.fromkeys(IN_TRIGGERER, "deferred"), ON_WORKER: "running"}
    cloud_ocr_session.reset()
    cloud_ocr_session.hold("Submitted")
    airflow.run_dag(DAG_ID, RUN_ID, {})
    wait_until(lambda: states() == waiting and set(found()) == set(waiting), "all wait")
    wait_until(
        lambda: all(
            "the first look comes" in airflow.task_log(DAG_ID, RUN_ID, name) for name in IN_TRIGGERER
        ),
        "all triggers run",
    )
    before = tries_of_cleared()
    airflow.clear(DAG_ID, RUN_ID, "cleared")
    airflow.mark(DAG_ID, RUN_ID, "kept", "failed")
    wait_until(
        lambda: tries_of_cleared() > before and states()["cleared"] == "deferred", "cleared waits again"
    )
    for task_id in ("cancelled", ON_WORKER):
        airflow.mark(DAG_ID, RUN_ID, task_id, "failed")
    wait_until(lambda: len(cloud_ocr_session.requests("deleteTask")) >= 2, f"two are deleted: {found()}")
    cloud_ocr_session.release()
    airflow.wait_for_run(DAG_ID, RUN_ID, seconds=SECONDS)
    yield found()
    cloud_ocr_session.reset()


@pytest.mark.parametrize("task_id", ["cancelled", ON_WORKER])
def test_an_airflow_task_that_a_user_fails_deletes_its_ocr_task_if_asked_to(
    statuses: dict[str, str], task_id: str
) -> None:
    assert statuses[task_id] == "Deleted"


def test_without_being_asked_to_it_is_left(statuses: dict[str, str]) -> None:
    assert statuses["kept"] == "Completed"


def test_that_of_a_cleared_airflow_task_is_left_and_taken_up_by_its_next_try(
    statuses: dict[str, str], airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    assert statuses["cleared"] == "Completed"
    submitted = [request.parameters["source"] for request in cloud_ocr_session.requests("processRemoteImage")]
    assert len(submitted) == len(set(submitted)) == len(statuses)
    of_cleared = [task.id for task in cloud_ocr_session.tasks() if str(task.source).endswith("/cleared.tif")]
    assert [airflow.xcom(DAG_ID, RUN_ID, "cleared")] == of_cleared


def test_nothing_else_is_deleted(statuses: dict[str, str], cloud_ocr_session: CloudOcrRehearsal) -> None:
    assert len(cloud_ocr_session.requests("deleteTask")) == 2
