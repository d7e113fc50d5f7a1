# SPDX-License-Identifier: Apache-2.0
"""A landing in S3, of which lineage is told. S3's users have the amazon provider, and these OpenLineage's."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import AssetAlias, Param, dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

try:
    from airflow.providers.openlineage.utils.selective_enable import enable_lineage
except ImportError:  # the oldest Airflow, whose tests have neither of the two and do not run this
    enable_lineage = None

CONNECTION = "cloud_ocr_rehearsal"


@dag(
    schedule=None,
    # Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
    default_args={"retries": 6, "retry_delay": timedelta(seconds=1)},
    params={"destination": Param(type="string")},
)
def landed_in_s3() -> None:
    submit = ProcessRemoteImageOperator(
        task_id="submit",
        source="https://nowhere.invalid/a.tif?sig=SIGNATURE-OF-THE-SOURCE-FOR-S3",
        export_format="txt",
        cloud_ocr_conn_id=CONNECTION,
    )
    wait = CloudOcrTaskSensor(
        task_id="wait",
        ocr_task_id=submit.output,
        poke_interval=2,
        timeout=120,
        cloud_ocr_conn_id=CONNECTION,
    )
    CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=wait.output,
        export_format="txt",
        destination="{{ params.destination }}",
        name="scan",
        outlets=[AssetAlias("landed_in_s3")],
        cloud_ocr_conn_id=CONNECTION,
    )


landed = landed_in_s3()
if enable_lineage is not None:
    enable_lineage(landed)
