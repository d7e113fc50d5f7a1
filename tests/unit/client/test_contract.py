# SPDX-License-Identifier: Apache-2.0
"""The client has the contract's methods and no others, each with its documented verb and body."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.messages import render_application_info
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import ApplicationInfo

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

ID = "c3187247-7e81-4d12-8767-bc886c1ab878"
SETTINGS = ProcessingSettings()
IMAGE = b"\x89PNG & more"
SOURCE = "https://images.example/scan.png"

# method, how it is called, its verb, its body
METHODS: list[tuple[str, Callable[[CloudOcrClient], object], str, bytes]] = [
    ("processRemoteImage", lambda client: client.process_remote_image(SOURCE, SETTINGS), "GET", b""),
    ("processImage", lambda client: client.process_image(IMAGE, SETTINGS), "POST", IMAGE),
    ("submitImage", lambda client: client.submit_image(IMAGE, ID), "POST", IMAGE),
    ("processDocument", lambda client: client.process_document(ID, SETTINGS), "GET", b""),
    ("getTaskStatus", lambda client: client.get_task_status(ID), "GET", b""),
    ("listTasks", lambda client: client.list_tasks(exclude_deleted=True), "GET", b""),
    ("listFinishedTasks", lambda client: client.list_finished_tasks(), "GET", b""),
    ("deleteTask", lambda client: client.delete_task(ID), "GET", b""),
    ("getApplicationInfo", lambda client: client.get_application_info(), "GET", b""),
]
OF_THE_CLIENT = {"base_url", "close", "download_result", "scan_tasks", "timeouts"}
"""What it has besides the methods of the service, one of which, ``listTasks``, may be read in two ways."""


@pytest.mark.parametrize(("method", "call", "verb", "body"), METHODS, ids=[row[0] for row in METHODS])
def test_each_method_is_called_with_its_documented_verb_and_body(
    *,
    server: ScriptedServer,
    client: CloudOcrClient,
    tasks_body: Callable[..., bytes],
    method: str,
    call: Callable[[CloudOcrClient], object],
    verb: str,
    body: bytes,
) -> None:
    answer = tasks_body(id=ID, status="Queued")
    server.reply(method, render_application_info(ApplicationInfo()) if "Info" in method else answer)
    call(client)
    (received,) = server.received
    assert (received.path, received.verb, received.body) == (method, verb, body)


def test_there_is_a_call_for_each_method_in_scope_and_for_no_other() -> None:
    public = {name for name in vars(CloudOcrClient) if not name.startswith("_")}
    called = {name.replace("_", "") for name in public - OF_THE_CLIENT}
    assert called == {method.lower() for method, *_ in METHODS}
