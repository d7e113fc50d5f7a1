# SPDX-License-Identifier: Apache-2.0
"""Submits and waits in one Airflow task, in a worker and in the triggerer, with and without trouble."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor

COMMON = {
    "export_format": "txt",
    "cloud_ocr_conn_id": "cloud_ocr_rehearsal",
}

for dag_id, resumes in (("submit_and_wait", False), ("resume_after_top_up", True)):
    with DAG(
        dag_id,
        schedule=None,
        # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716).
        default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
    ) as dag:
        for name, deferrable in (("worker", False), ("triggerer", True)):
            if resumes:
                submit = ProcessRemoteImageOperator(
                    task_id=f"submit_{name}", source=f"https://nowhere.invalid/sensor-{name}.tif", **COMMON
                )
                CloudOcrTaskSensor(
                    task_id=f"sensor_{name}",
                    ocr_task_id=submit.output,
                    deferrable=deferrable,
                    poke_interval=2,
                    on_not_enough_credits="resume",
                    resume_with={"export_format": "txt"},
                    resume_interval=4,
                    cloud_ocr_conn_id=COMMON["cloud_ocr_conn_id"],
                )
            ProcessRemoteImageOperator(
                task_id=f"operator_{name}",
                source=f"https://nowhere.invalid/{name}.tif",
                wait_for_completion="{{ true }}",
                deferrable=deferrable,
                poll_interval="{{ 2 }}",
                on_not_enough_credits="resume" if resumes else "fail",
                resume_interval=4,
                **COMMON,
            )
    globals()[dag_id] = dag
