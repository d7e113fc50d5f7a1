# SPDX-License-Identifier: Apache-2.0
"""How tests speak to a real server: with the package's own client, and with HTTP as others would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer

_SECONDS = 120.0


@pytest.fixture
def connect() -> Iterator[Callable[[OcrServer], CloudOcrClient]]:
    """Makes clients of servers."""
    with ExitStack() as clients:

        def connect_to(server: OcrServer) -> CloudOcrClient:
            return clients.enter_context(
                CloudOcrClient(base_url=server.url, application_id=APPLICATION_ID, password=PASSWORD)
            )

        yield connect_to


@pytest.fixture
def client(ocr_server: OcrServer, connect: Callable[[OcrServer], CloudOcrClient]) -> CloudOcrClient:
    """A client of the server that all tests share."""
    return connect(ocr_server)


@pytest.fixture
def wait_for() -> Callable[..., OcrTask]:
    """Waits until a task is in one of some states, or has ended."""

    def wait(client: CloudOcrClient, ocr_task_id: str, *statuses: str) -> OcrTask:
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            task = client.get_task_status(ocr_task_id)
            if task.status in (statuses or ("Completed", "ProcessingFailed")):
                return task
            time.sleep(0.05)
        raise AssertionError(f"task {ocr_task_id} is still {task.status}")

    return wait
