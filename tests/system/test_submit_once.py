# SPDX-License-Identifier: Apache-2.0
"""One document is paid for once, whatever happens between Airflow and the service and to the Airflow task."""

from __future__ import annotations

import time

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

DAG_ID = "one_document"
RUN_ID = "answer-lost"


@pytest.fixture(scope="module")
def run(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> LocalAirflow:
    """Airflow after a run whose paid call was carried out, and the answer to it was lost."""
    cloud_ocr_session.reset()
    cloud_ocr_session.break_connection(methods=("processRemoteImage",), carried_out=True)
    conf = {
        "source": "https://nowhere.invalid/receipt.png?signature=canary",
        "cloud_ocr_conn_id": "cloud_ocr_rehearsal",
        "destination": f"file://{airflow.home}/answer-lost",
    }
    airflow.run_dag(DAG_ID, RUN_ID, conf)
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=120) == "success"
    return airflow


def test_a_retry_after_a_lost_answer_takes_up_the_task_that_was_paid_for(
    run: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    [paid] = cloud_ocr_session.requests("processRemoteImage")
    assert paid.status is None
    assert tries(run) == 2
    assert run.xcom(DAG_ID, RUN_ID, "submit") == paid.ocr_task_id
    assert [task.id for task in cloud_ocr_session.tasks()] == [paid.ocr_task_id]
    assert cloud_ocr_session.credits_charged == 5


def test_a_cleared_submission_takes_up_the_task_that_was_paid_for(
    run: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    paid, before = run.xcom(DAG_ID, RUN_ID, "submit"), tries(run)
    run.clear(DAG_ID, RUN_ID, "submit")
    deadline = time.monotonic() + 120
    while tries(run) == before or run.run_state(DAG_ID, RUN_ID) != "success":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert run.xcom(DAG_ID, RUN_ID, "submit") == paid
    assert len(cloud_ocr_session.requests("processRemoteImage")) == 1
    assert cloud_ocr_session.credits_charged == 5
    assert f"OCR task {paid}: adopted by" in run.task_log(DAG_ID, RUN_ID, "submit")


def tries(airflow: LocalAirflow) -> int:
    [submit] = (item for item in airflow.task_instances(DAG_ID, RUN_ID) if item.task_id == "submit")
    return submit.try_number
