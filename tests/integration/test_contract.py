# SPDX-License-Identifier: Apache-2.0
"""What the real server refuses, the client tells by its kind and with what is to blame."""

from __future__ import annotations

from collections.abc import Callable

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import ScanServer
from tests.unit.server.scans import pdf, png

TEXT = ProcessingSettings.parse(export_format="txt")
ZULU = ProcessingSettings.parse(export_format="txt", language="Zulu")  # which nobody has data for
LEGACY = ProcessingSettings.parse(export_format="txt", profile="fieldLevelRecognition")
NOBODYS = "0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"
SOURCE = "https://example.com/scan.png"
NOON = pendulum.datetime(2026, 11, 1, 12)
BEFORE_NOON = NOON.subtract(seconds=1)
PROTECTED = pdf(password="open")
NAMED, REFUSED = errors.ParameterRejectedError, errors.RequestRejectedError
UNSUPPORTED, GONE = errors.UnsupportedImageError, errors.TaskDeletedError

Call = Callable[[CloudOcrClient, str], object]


@pytest.fixture
def failed_task(client: CloudOcrClient, scans: ScanServer, wait_for: Callable[..., OcrTask]) -> str:
    """A task whose image could not be fetched."""
    task = wait_for(client, client.process_remote_image(f"{scans.url}/missing.png", TEXT).id)
    assert task.status == "ProcessingFailed"
    return task.id


@pytest.fixture
def deleted_task(client: CloudOcrClient) -> str:
    return client.delete_task(client.submit_image(png()).id).id


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda client: client.process_remote_image(SOURCE, ZULU), NAMED, "language: "),
        (lambda client: client.process_remote_image(SOURCE, LEGACY), NAMED, "profile: "),
        (lambda client: client.process_image(png(), ZULU), NAMED, "language: "),
        (lambda client: client.process_image(PROTECTED, TEXT), REFUSED, "pdfPassword: "),
        (lambda client: client.submit_image(PROTECTED), REFUSED, "pdfPassword: "),
        (lambda client: client.process_image(b"<html>", TEXT), UNSUPPORTED, "no type that can be read"),
        (lambda client: client.submit_image(pdf(printable=False)), UNSUPPORTED, "print"),
        (lambda client: client.submit_image(png(), NOBODYS), NAMED, "there is no task"),
        (lambda client: client.process_document(NOBODYS, TEXT), GONE, "there is no task"),
        (lambda client: client.delete_task(NOBODYS), GONE, "there is no task"),
        (lambda client: client.get_task_status(NOBODYS), GONE, "there is no task"),
        (lambda client: client.list_tasks(from_date=NOON, to_date=BEFORE_NOON), NAMED, "fromDate: "),
    ],
)
def test_a_refusal_has_its_kind_and_names_what_is_to_blame(
    client: CloudOcrClient, call: Callable[[CloudOcrClient], object], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        call(client)


@pytest.mark.parametrize(
    ("call", "state", "said"),
    [
        (lambda client, task: client.submit_image(png(), task), "failed_task", "is ProcessingFailed"),
        (lambda client, task: client.submit_image(png(), task), "deleted_task", "is deleted"),
        (lambda client, task: client.process_document(task, TEXT), "failed_task", "is ProcessingFailed"),
    ],
    ids=["submitImage failed", "submitImage deleted", "processDocument failed"],
)
def test_what_cannot_go_on_is_refused_with_its_state(
    client: CloudOcrClient, call: Call, state: str, said: str, request: pytest.FixtureRequest
) -> None:
    ocr_task_id: str = request.getfixturevalue(state)
    with pytest.raises(errors.ParameterRejectedError, match=said) as refused:
        call(client, ocr_task_id)
    assert (refused.value.http_status, refused.value.ocr_task_id) == (450, ocr_task_id)


def test_a_deleted_task_is_not_started_again(client: CloudOcrClient, deleted_task: str) -> None:
    with pytest.raises(errors.TaskDeletedError, match="is deleted") as refused:
        client.process_document(deleted_task, TEXT)
    assert refused.value.ocr_task_id == deleted_task


def test_a_protected_pdf_is_added_with_its_password(client: CloudOcrClient) -> None:
    assert client.submit_image(PROTECTED, pdf_password="open").status == "Submitted"
    with pytest.raises(NAMED, match="pdfPassword: "):
        client.submit_image(PROTECTED, pdf_password="sesame")


def test_a_task_can_be_deleted_twice(client: CloudOcrClient, deleted_task: str) -> None:
    assert client.delete_task(deleted_task).status == "Deleted"
    with pytest.raises(errors.TaskDeletedError):
        client.get_task_status(deleted_task)
