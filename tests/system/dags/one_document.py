# SPDX-License-Identifier: Apache-2.0
"""The plain pipeline, with everything that can be wrong about its input taken from the run's parameters."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

CONNECTION = "{{ params.cloud_ocr_conn_id }}"


@dag(
    schedule=None,
    # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
    default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
    params={
        "source": Param(type="string"),
        "cloud_ocr_conn_id": Param(type="string"),
        "destination": Param(type="string"),
        "language": Param("English", type="string"),
    },
)
def one_document() -> None:
    submit = ProcessRemoteImageOperator(
        task_id="submit",
        source="{{ params.source }}",
        language="{{ params.language }}",
        export_format="txt",
        cloud_ocr_conn_id=CONNECTION,
    )
    wait = CloudOcrTaskSensor(
        task_id="wait",
        ocr_task_id=submit.output,
        deferrable=True,
        poke_interval=2,
        timeout=60,
        cloud_ocr_conn_id=CONNECTION,
    )
    CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=wait.output,
        export_format="txt",
        destination="{{ params.destination }}",
        cloud_ocr_conn_id=CONNECTION,
    )


one_document()
