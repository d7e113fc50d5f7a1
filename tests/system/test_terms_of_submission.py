# SPDX-License-Identifier: Apache-2.0
"""A real Airflow waits for quota and room without a worker, and pays again only for a clear that is to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

DAG_ID = "terms_of_submission"
RUN_ID = "terms"


@pytest.fixture(scope="module")
def run(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> Iterator[LocalAirflow]:
    """Airflow in the middle of a run: the first document is in progress, and all the others wait."""
    cloud_ocr_session.reset()
    cloud_ocr_session.exceed_quota(times=1)
    cloud_ocr_session.hold()
    airflow.run_dag(DAG_ID, RUN_ID, {})
    wait_until(lambda: states(airflow, "rest") == ["deferred"] * 2)
    yield airflow
    cloud_ocr_session.reset()


def test_the_quota_was_waited_for_in_the_triggerer(
    run: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    refused, paid = cloud_ocr_session.requests("processRemoteImage")
    assert (refused.status, paid.status) == (450, 200)
    assert run.xcom(DAG_ID, RUN_ID, "first") == paid.ocr_task_id
    # Airflow may have had to try more than once to resume it.
    logs = (run.home / "logs" / f"dag_id={DAG_ID}" / f"run_id={RUN_ID}" / "task_id=first").iterdir()
    written = "".join(log.read_text() for log in logs if log.is_file())
    assert "Most likely the quota is exceeded; trying again at" in written
    assert f"OCR task {paid.ocr_task_id}: new (" in written


def test_mapped_tasks_wait_for_room_in_the_triggerer_and_are_submitted_then(
    run: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    assert [task.source for task in cloud_ocr_session.tasks()] == ["https://nowhere.invalid/first.tif"]
    cloud_ocr_session.release()
    assert run.wait_for_run(DAG_ID, RUN_ID, seconds=300) == "success"
    assert len({run.xcom(DAG_ID, RUN_ID, "rest", index) for index in range(2)}) == 2
    assert len(cloud_ocr_session.tasks()) == 3


def test_a_clear_that_is_to_submit_anew_pays_once_more(
    run: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    assert run.wait_for_run(DAG_ID, RUN_ID, seconds=300) == "success"
    before, paid = run.xcom(DAG_ID, RUN_ID, "first"), len(cloud_ocr_session.tasks())
    run.clear(DAG_ID, RUN_ID, "first")
    wait_until(lambda: run.xcom(DAG_ID, RUN_ID, "first") not in (None, before))
    assert run.wait_for_run(DAG_ID, RUN_ID, seconds=300) == "success"
    assert len(cloud_ocr_session.tasks()) == paid + 1
    assert run.xcom(DAG_ID, RUN_ID, "first") == cloud_ocr_session.tasks()[-1].id


def states(airflow: LocalAirflow, task_id: str) -> list[str | None]:
    return [item.state for item in airflow.task_instances(DAG_ID, RUN_ID) if item.task_id == task_id]


def wait_until(condition: Callable[[], bool]) -> None:
    """Until Airflow has got so far."""
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)
