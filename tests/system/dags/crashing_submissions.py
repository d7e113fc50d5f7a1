# SPDX-License-Identifier: Apache-2.0
"""Submissions whose first try is killed at an exact point of it, or has its request lost or delayed."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import Param, dag

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator

CONNECTION = "{{ params.cloud_ocr_conn_id }}"
KILLED = ("before_the_call", "after_the_request_left", "after_the_answer", "after_the_id_was_recorded")
ON_THE_WIRE = ("answer_lost", "request_late")
COPIES = 50


class MortalOperator(ProcessRemoteImageOperator):
    """Its first try is killed.

    :param killed: where.
    """

    def __init__(self, *, killed: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.killed = killed

    def execute(self, context: Any) -> str:
        is_first = context["ti"].try_number == 1
        if is_first:
            # This process ends before anybody else would meet what is changed here.
            self._prepare()
        ocr_task_id = super().execute(context)
        if is_first:
            die()  # the ID is recorded, and nothing was returned to Airflow yet
        return ocr_task_id

    def _prepare(self) -> None:
        from urllib3.connection import HTTPConnection

        from airflow_provider_ocr.client.client import CloudOcrClient

        submit = CloudOcrClient.process_remote_image

        def call(*arguments: Any, **named: Any) -> Any:
            if self.killed == "before_the_call":
                die()
            if self.killed == "after_the_request_left":
                # It is called once the whole request has been given to the system.
                HTTPConnection.getresponse = lambda _: die()
            task = submit(*arguments, **named)
            if self.killed == "after_the_answer":
                die()
            return task

        CloudOcrClient.process_remote_image = call


class EveryTenthIsMortal(ProcessRemoteImageOperator):
    """Of the copies of a mapped task every tenth is killed in its first try, when it has paid."""

    def execute(self, context: Any) -> str:
        ti = context["ti"]
        ocr_task_id = super().execute(context)
        if ti.try_number == 1 and ti.map_index % 10 == 0:
            die()
        return ocr_task_id


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives SIGKILL")


ARGUMENTS = {"export_format": "txt", "cloud_ocr_conn_id": CONNECTION}
DAG_ARGUMENTS: dict[str, Any] = {
    "default_args": {"retries": 6, "retry_delay": timedelta(seconds=1)},
    "params": {"cloud_ocr_conn_id": Param(type="string")},
}


@dag(schedule=None, **DAG_ARGUMENTS)
def crashing_submissions() -> None:
    for killed in KILLED:
        source = f"https://nowhere.invalid/{killed}.png"
        MortalOperator(task_id=killed, killed=killed, source=source, **ARGUMENTS)
    for name in ON_THE_WIRE:
        ProcessRemoteImageOperator(task_id=name, source=f"https://nowhere.invalid/{name}.png", **ARGUMENTS)


@dag(schedule=None, **DAG_ARGUMENTS)
def crash_and_clear() -> None:
    """Without a wait for a call that may still register: whoever is killed here has made its call."""
    for killed in KILLED[1:]:
        MortalOperator(
            task_id=killed,
            killed=killed,
            source=f"https://nowhere.invalid/{killed}.png",
            retries=0 if killed == "after_the_request_left" else 6,
            **ARGUMENTS,
        )


@dag(schedule=None, **DAG_ARGUMENTS)
def identical_copies() -> None:
    EveryTenthIsMortal.partial(task_id="submit", export_format="txt", cloud_ocr_conn_id=CONNECTION).expand(
        source=["https://nowhere.invalid/the_same.png"] * COPIES
    )


crashing_submissions()
crash_and_clear()
identical_copies()
