# SPDX-License-Identifier: Apache-2.0
"""A pipeline whose every input is a secret, as users are told to pass them, and a task that leaks one."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, Variable, dag, task

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

CONNECTION = "{{ params.cloud_ocr_conn_id }}"
# Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
RETRIES = {"retries": 6, "retry_delay": timedelta(seconds=1)}


@dag(
    schedule=None,
    params={
        "source_variable": Param(type="string"),
        "cloud_ocr_conn_id": Param(type="string"),
        "destination": Param(type="string"),
    },
)
def secrets_everywhere() -> None:
    submit = ProcessRemoteImageOperator(
        task_id="submit",
        source="{{ var.value.get(params.source_variable) }}",
        pdf_password="{{ var.value.how_to_open_it }}",
        export_format="txt",
        cloud_ocr_conn_id=CONNECTION,
    )
    wait = CloudOcrTaskSensor(
        task_id="wait",
        ocr_task_id=submit.output,
        deferrable=True,
        poke_interval=2,
        timeout=120,
        cloud_ocr_conn_id=CONNECTION,
        **RETRIES,
    )
    CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=wait.output,
        export_format="txt",
        destination="{{ params.destination }}",
        cloud_ocr_conn_id=CONNECTION,
        **RETRIES,
    )


@dag(schedule=None)
def leaking() -> None:
    @task
    def leak() -> str:
        canary = str(Variable.get("canary"))
        print(f"The canary is {canary}")  # noqa: T201 - it leaks on purpose
        return canary

    leak()


secrets_everywhere()
leaking()
