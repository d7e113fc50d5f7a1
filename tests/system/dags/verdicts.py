# SPDX-License-Identifier: Apache-2.0
"""Every end that a wait can come to, in every mode, strictly, softly and never failing, in two DAGs.

The test makes the OCR tasks, and tells their IDs by the run's configuration.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor

MODES = {
    "poke": {"mode": "poke"},
    "reschedule": {"mode": "reschedule"},
    "deferred": {"deferrable": True},
}
POLICIES = {"strict": {}, "soft": {"soft_fail": True}, "never": {"never_fail": True}}
LONG = 900
# Which OCR task, by which connection, for how many seconds.
CASES = {
    "completed": ("completed", "cloud_ocr_rehearsal", LONG),
    "late_completion": ("completed", "cloud_ocr_rehearsal", 0),
    "processing_failed": ("failed", "cloud_ocr_rehearsal", LONG),
    "deleted": ("deleted", "cloud_ocr_rehearsal", LONG),
    "not_enough_credits": ("suspended", "cloud_ocr_rehearsal", LONG),
    "timeout": ("held", "cloud_ocr_rehearsal", 3),
    "auth": ("completed", "cloud_ocr_wrong_password", LONG),
    "transport": ("completed", "cloud_ocr_unreachable", 3),
}

DAILY = [*((case, "soft") for case in CASES), ("processing_failed", "strict")]
LENGTHY = [(case, policy) for policy in ("strict", "never") for case in CASES if (case, policy) not in DAILY]

for dag_id, rows in {"verdicts": DAILY, "verdicts_long": LENGTHY}.items():
    with DAG(
        dag_id,
        schedule=None,
        # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716).
        default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
    ) as dag:
        for case, policy in rows:
            ocr_task, connection, timeout = CASES[case]
            for name, mode in MODES.items():
                more = {}
                if (case, policy) == ("not_enough_credits", "strict"):
                    more["retries"] = 1  # it is retried as no other failure is: a top-up would help
                CloudOcrTaskSensor(
                    task_id=f"{case}_{policy}_{name}",
                    ocr_task_id=f"{{{{ dag_run.conf['{ocr_task}'] }}}}",
                    cloud_ocr_conn_id=connection,
                    poke_interval=2,
                    timeout=timeout,
                    **mode,
                    **POLICIES[policy],
                    **more,
                )
    globals()[dag_id] = dag
