# SPDX-License-Identifier: Apache-2.0
"""Many documents, two Airflow tasks each: submit and wait in one, then land.

It spares the service and the budget: only so many documents are there at a time, a quota and missing credits
are waited out without a worker slot, and what was read badly goes where a person looks at it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task, task_group

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator


@dag(
    schedule=None,
    tags=["ocr"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "sources": Param(
            type="array",
            description="URLs of images, or paths in object storage such as s3://aws_default@bucket/scan.tif.",
            items={"type": "string"},
        ),
        "destination": Param(
            type="string", description="A folder, for example s3://aws_default@bucket/texts."
        ),
        "review_destination": Param(type="string", description="A folder for what a person should look at."),
    },
)
def example_submit_and_wait() -> None:
    """Recognise every one of the run's ``sources``."""

    @task
    def list_sources(params: dict[str, Any]) -> list[str]:
        return list(params["sources"])

    # [START howto_submit_and_wait]
    @task_group
    def document(source: str) -> None:
        recognise = ProcessRemoteImageOperator(
            task_id="recognise",
            source=source,
            export_format="txt",
            wait_for_completion=True,
            deferrable=True,
            max_in_flight=100,
            quota_wait=timedelta(hours=6),
            on_not_enough_credits="resume",
        )
        CloudOcrToObjectStorageOperator(
            task_id="land",
            ocr_task_id=recognise.output,
            export_format="txt",
            destination="{{ params.destination }}",
            if_exists="skip_if_same",
            review_if={"word_confidence": 80, "failed_pages": 0},
            review_destination="{{ params.review_destination }}",
            delete_after=True,
        )

    # [END howto_submit_and_wait]

    document.expand(source=list_sources())


example_submit_and_wait()
