# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

import pytest
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_ocr.hooks.cloud_ocr import DEFAULT_CONN_ID, CloudOcrHook
from airflow_provider_ocr.operators.cancelling import Cancelling
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.testing import CloudOcrRehearsal


def submit() -> str:
    """The ID of a new OCR task."""
    with CloudOcrHook().get_conn() as client:
        settings = ProcessingSettings.parse(export_format="txt")
        return client.process_remote_image("https://nowhere.invalid/a.tif", settings).id


def test_what_is_ready_deletes_the_task_without_a_look_at_the_connection(
    cloud_ocr: CloudOcrRehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud_ocr.hold("Submitted")
    cancelling = Cancelling(DEFAULT_CONN_ID, submit())

    def forbidden(*given: object) -> None:
        raise AssertionError("Airflow's supervisor cannot be asked in a signal handler.")

    monkeypatch.setattr(BaseHook, "get_connection", forbidden)
    cancelling.run()
    assert [task.status for task in cloud_ocr.tasks()] == ["Deleted"]


def test_a_service_that_does_not_answer_is_a_line_in_the_log(
    cloud_ocr: CloudOcrRehearsal, caplog: pytest.LogCaptureFixture
) -> None:
    cloud_ocr.hold("Submitted")
    cancelling = Cancelling(DEFAULT_CONN_ID, submit())
    cloud_ocr.break_connection(methods=("getTaskStatus",))
    with caplog.at_level(logging.WARNING):
        cancelling.run()
    assert "not deleted" in caplog.text
    assert [task.status for task in cloud_ocr.tasks()] == ["Submitted"]


def test_an_operator_that_has_submitted_nothing_cancels_nothing(cloud_ocr: CloudOcrRehearsal) -> None:
    task = ProcessRemoteImageOperator(
        task_id="submit", source="https://nowhere.invalid/a.tif", cancel_on_kill=True
    )
    task.on_kill()
    assert not cloud_ocr.requests()
