# SPDX-License-Identifier: Apache-2.0
"""Scanned documents at a URL become text files and searchable PDFs: submit, wait, land.

Each document goes its own way through the three tasks; while the service works on it, it waits in the
triggerer and holds no worker slot.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task, task_group

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

EXPORT_FORMATS = ["txt", "pdfSearchable"]


@dag(
    schedule=None,
    tags=["ocr"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "documents": Param(
            type="array",
            description="What to recognise: a list of objects with source (a URL), name and language.",
            items={"type": "object", "required": ["source", "name", "language"]},
        ),
        "destination": Param(
            type="string",
            description="A folder, for example file:///data/texts or s3://aws_default@bucket/texts.",
        ),
    },
)
def example_process_remote_image() -> None:
    """Recognise every document of the run's ``documents``."""

    @task
    def list_documents(params: dict[str, Any]) -> list[dict[str, str]]:
        return list(params["documents"])

    # [START howto_process_remote_image]
    @task_group
    def document(source: str, name: str, language: str) -> None:
        submit = ProcessRemoteImageOperator(
            task_id="submit", source=source, language=language, export_format=EXPORT_FORMATS
        )
        wait = CloudOcrTaskSensor(
            task_id="wait", ocr_task_id=submit.output, deferrable=True, poke_interval=2, timeout=3600
        )
        CloudOcrToObjectStorageOperator(
            task_id="land",
            ocr_task_id=wait.output,
            export_format=EXPORT_FORMATS,
            destination="{{ params.destination }}",
            name=name,
        )

    # [END howto_process_remote_image]

    document.expand_kwargs(list_documents())


example_process_remote_image()
