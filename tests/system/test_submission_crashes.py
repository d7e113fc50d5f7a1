# SPDX-License-Identifier: Apache-2.0
"""Airflow itself retries what was killed, or is told to run it again: one charged task all the same."""

from __future__ import annotations

import time
from collections.abc import Callable

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

CLEARED = "after_the_request_left"
ONE_PAGE = 5  # credits
SECONDS = 300


def xcoms(airflow: LocalAirflow, dag_id: str, run_id: str) -> list[str]:
    """What the tasks of a run returned, each in a second try or a later one."""
    instances = airflow.task_instances(dag_id, run_id)
    return [str(airflow.xcom(dag_id, run_id, item.task_id, item.map_index)) for item in instances]


def wait_until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_killed_submission_is_paid_once_when_airflow_retries_it_and_when_it_is_cleared(
    airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    dag_id, run_id = "crash_and_clear", "killed"
    cloud_ocr_session.reset()
    airflow.run_dag(dag_id, run_id, {"cloud_ocr_conn_id": "cloud_ocr_rehearsal"})
    assert airflow.wait_for_run(dag_id, run_id, seconds=SECONDS) == "failed"
    by_name = {item.task_id: item for item in airflow.task_instances(dag_id, run_id)}
    assert (by_name[CLEARED].state, by_name[CLEARED].try_number) == ("failed", 1)
    # One is cleared after a crash, the others after their success.
    for task_id in by_name:
        airflow.clear(dag_id, run_id, task_id)
    wait_until(lambda: airflow.run_state(dag_id, run_id) == "success")
    for item in airflow.task_instances(dag_id, run_id):
        assert item.try_number >= by_name[item.task_id].try_number + 1 >= 2
    tasks = cloud_ocr_session.tasks()
    assert sorted(xcoms(airflow, dag_id, run_id)) == sorted(task.id for task in tasks)
    assert len(tasks) == len(cloud_ocr_session.requests("processRemoteImage")) == len(by_name)
    assert cloud_ocr_session.credits_charged == len(by_name) * ONE_PAGE
