# SPDX-License-Identifier: Apache-2.0
"""A submission and the real server agree on what the idempotency key means: never two tasks for one image."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.network import Timeouts
from airflow_provider_ocr.lifecycle.submission import (
    Decision,
    Submission,
    Submitter,
    idempotency_key,
    remote_image,
)
from airflow_provider_ocr.protocol.errors import ConnectionFailedError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer, ScanServer

Connect = Callable[[OcrServer], CloudOcrClient]
Submit = Callable[..., Submission]
WaitFor = Callable[..., OcrTask]

SETTINGS = ProcessingSettings.parse(export_format="txt")


class MemoryRecord(dict[str, str]):
    """What Airflow keeps from one try to the next."""

    def set(self, key: str, value: str) -> None:
        self[key] = value


@pytest.fixture
def source(scans: ScanServer, request: pytest.FixtureRequest) -> str:
    """An image that no other test submits."""
    return f"{scans.url}/receipt.png?test={request.node.name}"


@pytest.fixture
def missing(scans: ScanServer, request: pytest.FixtureRequest) -> str:
    """An image that is not there."""
    return f"{scans.url}/missing.png?test={request.node.name}"


def _submit(
    client: CloudOcrClient, source: str, *, record: MemoryRecord | None = None, is_retry: bool = False
) -> Submission:
    key = idempotency_key("dag", "task", "run", source=source, settings=SETTINGS)
    submitter = Submitter(client=client, record=record, is_retry=is_retry, sleep=lambda seconds: None)
    return submitter.submit(remote_image(client, source), SETTINGS, key=key)


def _tasks_of(client: CloudOcrClient, source: str) -> int:
    key = idempotency_key("dag", "task", "run", source=source, settings=SETTINGS)
    return sum(key in (task.description or "") for task in client.list_tasks())


@pytest.mark.parametrize("keeps", [True, False], ids=["with a record", "without a record"])
def test_a_try_that_knows_nothing_of_the_last_one_gets_its_task(
    client: CloudOcrClient, source: str, keeps: bool
) -> None:
    first = _submit(client, source, record=MemoryRecord() if keeps else None)
    # Neither a record nor a retry: only the server can know.
    second = _submit(client, source, record=MemoryRecord() if keeps else None)
    assert (second.task.id, _tasks_of(client, source)) == (first.task.id, 1)


@pytest.mark.parametrize("keeps", [True, False], ids=["with a record", "without a record"])
def test_a_try_after_a_failed_task_gets_a_new_one_each_time(
    client: CloudOcrClient, missing: str, wait_for: WaitFor, keeps: bool
) -> None:
    record = MemoryRecord() if keeps else None
    seen = []
    for number in range(3):
        submission = _submit(client, missing, record=record, is_retry=number > 0)
        assert submission.decision is Decision.NEW
        seen.append(submission.task.id)
        assert wait_for(client, submission.task.id).status == "ProcessingFailed"
    assert len(set(seen)) == _tasks_of(client, missing) == 3


def test_a_try_that_does_not_know_of_failed_ones_gets_a_new_task_all_the_same(
    client: CloudOcrClient, missing: str, wait_for: WaitFor
) -> None:
    seen = set()
    for _ in range(3):
        submission = _submit(client, missing)
        seen.add(submission.task.id)
        assert wait_for(client, submission.task.id).status == "ProcessingFailed"
    assert len(seen) == _tasks_of(client, missing) == 3


def test_a_try_after_a_deleted_task_gets_a_new_one(
    client: CloudOcrClient, missing: str, wait_for: WaitFor
) -> None:
    record = MemoryRecord()
    first = _submit(client, missing, record=record).task
    wait_for(client, first.id)
    client.delete_task(first.id)
    second = _submit(client, missing, record=record, is_retry=True).task
    assert second.id != first.id
    # Nothing of this try but its intent has outlived it.
    del record["ocr_task_id"]
    third = _submit(client, missing, record=record, is_retry=True).task
    assert third.id != first.id


@pytest.fixture
def forgetful(ocr_server: OcrServer) -> Iterator[str]:
    """URL of a way to the server on which each answer to a starting method is lost."""
    target = urlsplit(ocr_server.url)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def relay(connection: socket.socket) -> None:
            with (
                connection,
                socket.create_connection((target.hostname or "", target.port or 80)) as server,
                suppress(OSError),
            ):
                request = connection.recv(65536)
                server.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                answer = b""
                while piece := server.recv(65536):
                    answer += piece
                if b"/processRemoteImage" not in request:
                    connection.sendall(answer)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=relay, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("keeps", [True, False], ids=["with a record", "without a record"])
def test_a_lost_answer_costs_nothing(
    client: CloudOcrClient, forgetful: str, source: str, keeps: bool
) -> None:
    record = MemoryRecord() if keeps else None
    timeouts = Timeouts(connect=5.0, read=20.0)
    with CloudOcrClient(
        base_url=forgetful, application_id=APPLICATION_ID, password=PASSWORD, timeouts=timeouts
    ) as unlucky:
        with pytest.raises(ConnectionFailedError, match="without an answer"):
            _submit(unlucky, source, record=record)
        again = _submit(unlucky, source, record=record, is_retry=True)
    assert again.decision is Decision.ADOPTED_BY_KEY
    assert (_submit(client, source).task.id, _tasks_of(client, source)) == (again.task.id, 1)
