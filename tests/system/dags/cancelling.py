# SPDX-License-Identifier: Apache-2.0
"""Airflow tasks that wait for their own OCR task, in the triggerer or on a worker, until a user ends them."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator

CONNECTION = "cloud_ocr_rehearsal"


def submit_and_wait(task_id: str, *, cancel_on_kill: bool, deferrable: bool = True) -> None:
    ProcessRemoteImageOperator(
        task_id=task_id,
        source=f"https://nowhere.invalid/{task_id}.tif",
        export_format="txt",
        wait_for_completion=True,
        deferrable=deferrable,
        poll_interval=2,
        timeout=3600,
        cancel_on_kill=cancel_on_kill,
        cloud_ocr_conn_id=CONNECTION,
        # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716).
        retries=6,
        retry_delay=timedelta(seconds=1),
    )


@dag(schedule=None)
def cancelling() -> None:
    submit_and_wait("kept", cancel_on_kill=False)
    submit_and_wait("cleared", cancel_on_kill=True)
    submit_and_wait("cancelled", cancel_on_kill=True)
    submit_and_wait("cancelled_on_worker", cancel_on_kill=True, deferrable=False)


@dag(schedule=None)
def ready_to_cancel() -> None:
    submit_and_wait("ended_by_a_user", cancel_on_kill=True)
    submit_and_wait("healthy", cancel_on_kill=True)


cancelling()
ready_to_cancel()
