# SPDX-License-Identifier: Apache-2.0
"""One document that meets an exceeded quota, and two that there is no room for while it is in progress."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import Param, dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator

CONNECTION = "cloud_ocr_rehearsal"


@dag(
    schedule=None,
    # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
    default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
    params={"quota_wait": Param(4, type="integer"), "max_in_flight": Param(1, type="integer")},
)
def terms_of_submission() -> None:
    first = ProcessRemoteImageOperator(
        task_id="first",
        source="https://nowhere.invalid/first.tif",
        quota_wait="{{ params.quota_wait }}",
        on_clear="resubmit",
        cloud_ocr_conn_id=CONNECTION,
    )
    rest = ProcessRemoteImageOperator.partial(
        task_id="rest",
        max_in_flight="{{ params.max_in_flight }}",
        max_credits=500,
        cloud_ocr_conn_id=CONNECTION,
    ).expand(source=[f"https://nowhere.invalid/rest-{number}.tif" for number in range(2)])
    first >> rest


terms_of_submission()
