# SPDX-License-Identifier: Apache-2.0
"""A landing with outlets of both kinds."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Asset, AssetAlias, Param, dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

CONNECTION = "cloud_ocr_rehearsal"
FORMATS = ["txt", "pdfSearchable"]


@dag(
    schedule=None,
    # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
    default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
    params={"destination": Param(type="string")},
)
def landed_news() -> None:
    submit = ProcessRemoteImageOperator(
        task_id="submit",
        source="https://nowhere.invalid/a.tif?sig=SIGNATURE-OF-THE-NEWS",
        export_format=FORMATS,
        cloud_ocr_conn_id=CONNECTION,
    )
    wait = CloudOcrTaskSensor(
        task_id="wait",
        ocr_task_id=submit.output,
        poke_interval=2,
        timeout=120,
        cloud_ocr_conn_id=CONNECTION,
    )
    CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=wait.output,
        export_format=FORMATS,
        destination="{{ params.destination }}",
        name="scan",
        outlets=[Asset("landed_texts"), AssetAlias("landed_files")],
        cloud_ocr_conn_id=CONNECTION,
    )


landed_news()
