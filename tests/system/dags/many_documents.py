# SPDX-License-Identifier: Apache-2.0
"""As many documents as the run says, each submitted, waited for and landed by mapped tasks of its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task, task_group

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

CONNECTION = "cloud_ocr_rehearsal"
SETTINGS: dict[str, Any] = {"cloud_ocr_conn_id": CONNECTION, "export_format": "txt"}


@dag(
    schedule=None,
    # Tries are used up by kills, and under load by Airflow itself (apache/airflow#67287, #72716).
    default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
    max_active_tasks=64,
    params={"documents": Param(type="integer"), "destination": Param(type="string")},
)
def many_documents() -> None:
    @task
    def name_documents(params: dict[str, Any] | None = None) -> list[dict[str, str]]:
        assert params is not None
        names = [f"document-{number}" for number in range(params["documents"])]
        return [{"source": f"https://nowhere.invalid/{name}.tif", "name": name} for name in names]

    @task_group
    def document(source: str, name: str) -> None:
        submit = ProcessRemoteImageOperator(task_id="submit", source=source, **SETTINGS)
        wait = CloudOcrTaskSensor(
            task_id="wait",
            ocr_task_id=submit.output,
            deferrable=True,
            poke_interval=5,
            timeout=3600,
            cloud_ocr_conn_id=CONNECTION,
        )
        CloudOcrToObjectStorageOperator(
            task_id="land",
            ocr_task_id=wait.output,
            destination="{{ params.destination }}",
            name=name,
            **SETTINGS,
        )

    document.expand_kwargs(name_documents())


many_documents()
