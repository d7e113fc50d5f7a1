# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from airflow.sdk import DAG, BaseOperator
from airflow.serialization.serialized_objects import DagSerialization

from airflow_provider_ocr.get_provider_info import get_provider_info
from airflow_provider_ocr.links import CloudOcrResultLink
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator


def test_airflow_is_told_of_the_link_and_keeps_it_with_the_dag() -> None:
    assert get_provider_info()["extra-links"] == [
        f"{CloudOcrResultLink.__module__}.{CloudOcrResultLink.__qualname__}"
    ]
    with DAG("landing", schedule=None) as dag:
        CloudOcrToObjectStorageOperator(
            task_id="land", ocr_task_id="an-ID", destination="file:///data", export_format="txt"
        )
    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    [link] = stored.get_task("land").operator_extra_links
    assert (link.name, link.xcom_key) == ("Result", CloudOcrResultLink().xcom_key)


def test_an_operator_that_lands_nothing_has_no_address() -> None:
    assert CloudOcrResultLink().get_link(BaseOperator(task_id="other"), ti_key=None) == ""
