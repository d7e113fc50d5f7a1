# SPDX-License-Identifier: Apache-2.0
"""A pipeline whose every input is a secret, as users are told to pass them, and a task that leaks one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, Variable, dag, task

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.sensors.cloud_ocr import CloudOcrTaskSensor
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

CONNECTION = "{{ params.cloud_ocr_conn_id }}"
# Under load Airflow fails a task that resumes quickly (apache/airflow#67287, #72716); a retry cures it.
RETRIES = {"retries": 6, "retry_delay": timedelta(seconds=1)}


SOURCE = "{{ var.value.get(params.source_variable) }}"
DESCRIPTION = f"see {SOURCE}"
STORE = "memory://{{ var.value.user_of_the_store }}@bucket/x?sig={{ var.value.signature_of_the_store }}"
PASSWORD = "{{ var.value.how_to_open_it }}"


class CarelessOperator(ProcessRemoteImageOperator):
    """A subclass that reads the URL as users are told to, and repeats it in a log line and in an error."""

    def execute(self, context: Any) -> str:
        words = f"{reveal(self.source)}, {reveal(self.description)}, {reveal(self.pdf_password)}"
        self.log.info("Carelessly: %s", words)
        raise ValueError(f"Carelessly: {words}")


@dag(
    schedule=None,
    params={
        "source_variable": Param(type="string"),
        "cloud_ocr_conn_id": Param(type="string"),
        "destination": Param(type="string"),
    },
)
def secrets_everywhere() -> None:
    submit = ProcessRemoteImageOperator(
        task_id="submit",
        source=SOURCE,
        description=DESCRIPTION,
        pdf_password=PASSWORD,
        export_format="txt",
        cloud_ocr_conn_id=CONNECTION,
    )
    wait = CloudOcrTaskSensor(
        task_id="wait",
        ocr_task_id=submit.output,
        deferrable=True,
        poke_interval=2,
        timeout=120,
        cloud_ocr_conn_id=CONNECTION,
        **RETRIES,
    )
    CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=wait.output,
        export_format="txt",
        destination="{{ params.destination }}",
        cloud_ocr_conn_id=CONNECTION,
        **RETRIES,
    )


@dag(schedule=None)
def careless() -> None:
    """Everything here fails before the service is asked anything."""
    source, password = "{{ var.value.where_to_careless }}", "{{ var.value.how_to_open_the_careless }}"
    seen = f"see {source}"
    CarelessOperator(task_id="raise", source=source, description=seen, pdf_password=password)
    CarelessOperator.partial(task_id="mapped", pdf_password=password).expand_kwargs(
        [{"source": source, "description": seen}]
    )
    CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id="00000001-0000-4000-8000-000000000000",
        export_format="txt",
        destination=STORE,
    )
    CloudOcrToObjectStorageOperator(
        task_id="name",
        ocr_task_id="00000001-0000-4000-8000-000000000000",
        export_format="txt",
        destination="file:///nowhere",
        name="{{ var.value.where_to_refuse }}",
    )


@dag(schedule=None)
def leaking() -> None:
    @task
    def leak() -> str:
        canary = str(Variable.get("canary"))
        print(f"The canary is {canary}")  # noqa: T201 - it leaks on purpose
        return canary

    leak()


secrets_everywhere()
careless()
leaking()
