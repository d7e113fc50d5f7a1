# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

from airflow_provider_ocr.client.client import CloudOcrClient
from demo.local_airflow import LocalAirflow
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer, ScanServer

DAG_ID = "one_document"
RUN_ID = "cleared"


def test_a_cleared_submission_takes_up_the_task_that_was_paid_for(
    airflow: LocalAirflow, ocr_server: OcrServer, scans: ScanServer
) -> None:
    conf = {
        "source": f"{scans.url}/receipt.png?signature=canary",
        "cloud_ocr_conn_id": "cloud_ocr_default",
        "destination": f"file://{airflow.home}/cleared",
    }
    airflow.run_dag(DAG_ID, RUN_ID, conf)
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=120) == "success"
    paid = airflow.xcom(DAG_ID, RUN_ID, "submit")
    client = CloudOcrClient(base_url=ocr_server.url, application_id=APPLICATION_ID, password=PASSWORD)
    with client:
        description = client.get_task_status(paid).description
        airflow.clear(DAG_ID, RUN_ID, "submit")
        deadline = time.monotonic() + 120
        while tries(airflow) < 2 or airflow.run_state(DAG_ID, RUN_ID) != "success":
            assert time.monotonic() < deadline
            time.sleep(0.5)
        alike = [task.id for task in client.list_tasks() if task.description == description]
    assert airflow.xcom(DAG_ID, RUN_ID, "submit") == paid
    assert alike == [paid]
    assert f"OCR task {paid}: adopted by" in airflow.task_log(DAG_ID, RUN_ID, "submit")


def tries(airflow: LocalAirflow) -> int:
    [submit] = (item for item in airflow.task_instances(DAG_ID, RUN_ID) if item.task_id == "submit")
    return submit.try_number
