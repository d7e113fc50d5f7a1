# SPDX-License-Identifier: Apache-2.0
"""Scanned invoices become a workbook, an archive file and coordinates for machines: one paid task each.

The three formats of a task cost no more than one. Tables are cells in the workbook, and their amounts are
numbers; the archive file is PDF/A with headings and tables tagged for screen readers; in the XML every
character has its place on the scan, and barcodes are read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task, task_group

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

EXPORT_FORMATS = ["xlsx", "pdfa", "xml"]


@dag(
    schedule=None,
    tags=["ocr"],
    default_args={"retries": 3, "retry_delay": timedelta(seconds=10)},
    params={
        "invoices": Param(
            type="array",
            description="What to recognise: a list of objects with source (a URL), name and language.",
            items={"type": "object", "required": ["source", "name", "language"]},
        ),
        "destination": Param(
            type="string", description="A folder, for example s3://aws_default@bucket/books."
        ),
    },
)
def example_invoices() -> None:
    """Recognise every one of the run's ``invoices``."""

    @task
    def list_invoices(params: dict[str, Any]) -> list[dict[str, str]]:
        return list(params["invoices"])

    # [START howto_invoices]
    @task_group
    def invoice(source: str, name: str, language: str) -> None:
        recognise = ProcessRemoteImageOperator(
            task_id="recognise",
            source=source,
            language=language,  # decides how amounts are written, too
            profile="documentConversion",  # with tables
            export_format=EXPORT_FORMATS,
            write_tags="write",
            wait_for_completion=True,
            deferrable=True,
        )
        CloudOcrToObjectStorageOperator(
            task_id="land",
            ocr_task_id=recognise.output,
            export_format=EXPORT_FORMATS,
            destination="{{ params.destination }}",
            name=name,
        )

    # [END howto_invoices]

    invoice.expand_kwargs(list_invoices())


example_invoices()
