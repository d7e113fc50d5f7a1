# SPDX-License-Identifier: Apache-2.0
"""One OCR task that succeeds and one that fails, each waited for in every mode, softly and not."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor

CONNECTION = "cloud_ocr_rehearsal"
MODES = {
    "poke": {"mode": "poke"},
    "reschedule": {"mode": "reschedule"},
    "deferred": {"deferrable": True},
}


@dag(
    schedule=None,
    # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
    default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
)
def sensor_modes() -> None:
    good, bad = (
        ProcessRemoteImageOperator(
            task_id=f"submit_{name}",
            source=f"https://nowhere.invalid/{name}.tif",
            export_format="txt",
            cloud_ocr_conn_id=CONNECTION,
        )
        for name in ("good", "bad")
    )
    for name, mode in MODES.items():
        for task_id, submit, soft_fail in (
            (f"good_{name}", good, False),
            (f"bad_{name}", bad, False),
            (f"bad_{name}_soft", bad, True),
        ):
            CloudOcrTaskSensor(
                task_id=task_id,
                ocr_task_id=submit.output,
                soft_fail=soft_fail,
                poke_interval=3,
                timeout=120,
                cloud_ocr_conn_id=CONNECTION,
                **mode,
            )


sensor_modes()
