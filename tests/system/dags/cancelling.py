# SPDX-License-Identifier: Apache-2.0
"""Airflow tasks that wait for their own OCR task, in the triggerer or on a worker, until a user ends them."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pendulum
from airflow.sdk import dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger

CONNECTION = "cloud_ocr_rehearsal"
SECONDS = 3600


class WaitInTriggerer(ProcessRemoteImageOperator):
    """Submits, and waits without a worker."""

    def execute(self, context: Any) -> str:
        trigger = CloudOcrTaskTrigger(
            ocr_task_id=super().execute(context),
            deadline=pendulum.now("UTC").add(seconds=SECONDS).isoformat(),
            poll_interval=2,
            cloud_ocr_conn_id=self.cloud_ocr_conn_id,
            cancel_on_kill=self.cancel_on_kill,
        )
        self.defer(trigger=trigger, method_name="resume")

    def resume(self, context: Any, event: dict[str, Any]) -> str:
        """What the trigger saw."""
        return str(event["status"])


class WaitOnWorker(ProcessRemoteImageOperator):
    """Submits, and waits where it is."""

    def execute(self, context: Any) -> str:
        ocr_task_id = super().execute(context)
        time.sleep(SECONDS)
        return ocr_task_id


@dag(
    schedule=None,
    # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
    default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
)
def cancelling() -> None:
    for task_id, operator, cancel_on_kill in (
        ("kept", WaitInTriggerer, False),
        ("cleared", WaitInTriggerer, True),
        ("cancelled", WaitInTriggerer, True),
        ("cancelled_on_worker", WaitOnWorker, True),
    ):
        operator(
            task_id=task_id,
            source=f"https://nowhere.invalid/{task_id}.tif",
            export_format="txt",
            cancel_on_kill=cancel_on_kill,
            cloud_ocr_conn_id=CONNECTION,
        )


cancelling()
