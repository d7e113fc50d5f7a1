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


def submit(operator: type[ProcessRemoteImageOperator], task_id: str, *, cancel_on_kill: bool) -> None:
    operator(
        task_id=task_id,
        source=f"https://nowhere.invalid/{task_id}.tif",
        export_format="txt",
        cancel_on_kill=cancel_on_kill,
        cloud_ocr_conn_id=CONNECTION,
        # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716).
        retries=6,
        retry_delay=timedelta(seconds=1),
    )


@dag(schedule=None)
def cancelling() -> None:
    submit(WaitInTriggerer, "kept", cancel_on_kill=False)
    submit(WaitInTriggerer, "cleared", cancel_on_kill=True)
    submit(WaitInTriggerer, "cancelled", cancel_on_kill=True)
    submit(WaitOnWorker, "cancelled_on_worker", cancel_on_kill=True)


@dag(schedule=None)
def ready_to_cancel() -> None:
    submit(WaitInTriggerer, "ended_by_a_user", cancel_on_kill=True)
    submit(WaitInTriggerer, "healthy", cancel_on_kill=True)


cancelling()
ready_to_cancel()
