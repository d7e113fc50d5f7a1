# SPDX-License-Identifier: Apache-2.0
"""An image in object storage, recognised and landed."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

# Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
RETRIES = {"retries": 6, "retry_delay": timedelta(seconds=1)}


@dag(schedule=None, params={name: Param(type="string") for name in ("source", "destination")})
def stored_image() -> None:
    submit = ProcessRemoteImageOperator.partial(
        task_id="submit", export_format="txt", source="{{ params.source }}"
    )
    wait = CloudOcrTaskSensor.partial(
        task_id="wait", deferrable=True, poke_interval=2, timeout=240, **RETRIES
    )
    land = CloudOcrToObjectStorageOperator.partial(
        task_id="land", export_format="txt", destination="{{ params.destination }}", **RETRIES
    )
    submitted = submit.expand(source_access=["sign", "upload"])
    waited = wait.expand(ocr_task_id=submitted.output)
    land.expand(ocr_task_id=waited.output)


stored_image()
