# SPDX-License-Identifier: Apache-2.0
"""One Airflow task that submits and waits; and suspended tasks, which go on after a top-up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

pytestmark = pytest.mark.long  # tests/unit/test_waiting.py has a short form

WAYS = ["worker", "triggerer"]
FAILING = "submit_and_wait"
SUSPENDED = "resume_after_top_up"
RUN_ID = "waits"


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.5)


@pytest.fixture(scope="module")
def failing(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> LocalAirflow:
    """Airflow after a run whose OCR tasks failed until the service got better."""
    cloud_ocr_session.reset()
    cloud_ocr_session.fail("The image could not be fetched.")
    airflow.run_dag(FAILING, RUN_ID, {})
    wait_until(lambda: all(failed(cloud_ocr_session, way) for way in WAYS))
    cloud_ocr_session.recognise_as("text")
    assert airflow.wait_for_run(FAILING, RUN_ID, seconds=300) == "success"
    return airflow


def failed(rehearsal: CloudOcrRehearsal, way: str) -> bool:
    return any(task.source and way in task.source for task in rehearsal.tasks("ProcessingFailed"))


@pytest.mark.parametrize("way", WAYS)
def test_a_retry_submits_again_what_failed_and_gives_the_task_that_is_completed(
    failing: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal, way: str
) -> None:
    tasks = {task.id: task for task in cloud_ocr_session.tasks() if task.source and way in task.source}
    given = failing.xcom(FAILING, RUN_ID, f"operator_{way}")
    assert [task.id for task in tasks.values() if task.status == "Completed"] == [given]
    assert sum(task.status == "ProcessingFailed" for task in tasks.values()) == len(tasks) - 1 >= 1
    assert failing.xcom(FAILING, RUN_ID, f"operator_{way}", key="ocr_task_id") == given


@pytest.fixture(scope="module")
def resumed(
    failing: LocalAirflow, airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal
) -> Iterator[LocalAirflow]:
    """Airflow after a run whose account was empty for a while."""
    cloud_ocr_session.reset()
    cloud_ocr_session.limit_credits(0)
    airflow.run_dag(SUSPENDED, RUN_ID, {})
    # Each of the four was asked to go on, in vain.
    wait_until(
        lambda: len({asked.ocr_task_id for asked in cloud_ocr_session.requests("processDocument")}) == 4
    )
    assert cloud_ocr_session.credits_charged == 0
    cloud_ocr_session.top_up(20)
    assert airflow.wait_for_run(SUSPENDED, RUN_ID, seconds=300) == "success"
    yield airflow
    cloud_ocr_session.reset()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("waits", "submits"), [("operator", "operator"), ("sensor", "submit")])
def test_a_suspended_task_goes_on_after_a_top_up(
    resumed: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal, way: str, waits: str, submits: str
) -> None:
    given = resumed.xcom(SUSPENDED, RUN_ID, f"{waits}_{way}")
    assert given == resumed.xcom(SUSPENDED, RUN_ID, f"{submits}_{way}")
    [task] = [task for task in cloud_ocr_session.tasks() if task.id == given]
    assert (task.status, task.settings.export_format) == ("Completed", ("txt",))
    assert "[airflow:" in task.settings.description
    if way == "worker":  # where a deferred task resumes too quickly for Airflow, an earlier try has the line
        log = resumed.task_log(SUSPENDED, RUN_ID, f"{waits}_{way}")
        assert f"OCR task {given} lacked credits; asked to start it again" in log


def test_each_image_was_paid_for_once(resumed: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> None:
    assert len(cloud_ocr_session.requests("processRemoteImage")) == 4
    assert (cloud_ocr_session.credits_charged, cloud_ocr_session.credits_left) == (20, 0)
