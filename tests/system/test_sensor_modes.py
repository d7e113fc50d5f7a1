# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

DAG_ID = "sensor_modes"
RUN_ID = "all-modes"
REASON = "The page is torn from top to bottom."
MODES = ["poke", "reschedule", "deferred"]


@pytest.fixture(scope="module")
def run(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> LocalAirflow:
    """Airflow after a run in which every sensor has ended."""
    cloud_ocr_session.fail(REASON, source="*/bad.tif")
    airflow.run_dag(DAG_ID, RUN_ID, {})
    airflow.wait_for_run(DAG_ID, RUN_ID, seconds=240)
    return airflow


def state(run: LocalAirflow, task_id: str) -> str | None:
    return {item.task_id: item.state for item in run.task_instances(DAG_ID, RUN_ID)}[task_id]


@pytest.mark.parametrize("mode", MODES)
def test_a_completed_task_lets_the_sensor_succeed_and_return_its_id(run: LocalAirflow, mode: str) -> None:
    assert state(run, f"good_{mode}") == "success"
    submitted = run.xcom(DAG_ID, RUN_ID, "submit_good")
    assert submitted
    assert run.xcom(DAG_ID, RUN_ID, f"good_{mode}") == submitted


@pytest.mark.parametrize("mode", MODES)
def test_a_failed_task_fails_the_sensor_with_the_reason_of_the_service(run: LocalAirflow, mode: str) -> None:
    assert state(run, f"bad_{mode}") == "failed"
    assert REASON in run.task_log(DAG_ID, RUN_ID, f"bad_{mode}")


@pytest.mark.parametrize("mode", MODES)
def test_a_failed_task_skips_the_sensor_under_soft_fail(run: LocalAirflow, mode: str) -> None:
    assert state(run, f"bad_{mode}_soft") == "skipped"
