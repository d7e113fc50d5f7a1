# SPDX-License-Identifier: Apache-2.0
"""A crowd of queued tasks on a server that rehearses, and what the server was asked about it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from benchmarks.filling import multiply_task
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer

REHEARSING = ("--recognition", "none", "--recognition-seconds", "3600")
"""Options of a server on which nothing ends."""

_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """Tasks of one application that all are queued.

    :param data: the data folder of a server that is stopped; it has to be started with one worker.
    :param ours: those that are waited for.
    """

    data: Path
    ours: list[str]


def filled(folder: Path, *, ours: int, others: int) -> Crowd:
    """A data folder with a crowd."""
    data = folder / "data"
    with (
        OcrServer(data=data, logs=folder / "logs", workers=1, options=REHEARSING) as server,
        client_of(server) as client,
    ):
        settings = ProcessingSettings.parse(export_format="txt")
        ahead = client.process_remote_image("https://nowhere.invalid/1", settings).id
        _wait_for(client, ahead, "InProgress")
        behind = client.process_remote_image("https://nowhere.invalid/2", settings).id
        _wait_for(client, behind, "Queued")
        server.kill()
    multiply_task(data, behind, others)
    return Crowd(data, multiply_task(data, behind, ours))


def client_of(server: OcrServer) -> CloudOcrClient:
    """A client that tries each call once, as a trigger's does."""
    return CloudOcrClient(
        base_url=server.url, application_id=APPLICATION_ID, password=PASSWORD, read_attempts=1
    )


def requests_in(log: Path) -> Counter[str]:
    """How often each method of looking was asked for, by a server's log, which comes after its answers."""
    words = (line.partition(" /")[2].split(" ")[0] for line in log.read_text().splitlines())
    return Counter(word for word in words if word in {"listTasks", "getTaskStatus"})


def _wait_for(client: CloudOcrClient, ocr_task_id: str, status: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while (found := client.get_task_status(ocr_task_id).status) != status:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The server's task is {found}, and not {status} in {_SECONDS:.0f} s.")
        time.sleep(0.1)
