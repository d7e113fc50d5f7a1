# SPDX-License-Identifier: Apache-2.0
"""Servers that share a PostgreSQL database and an object storage answer for each other."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import fsspec
import pytest
import requests

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database
from demo.ocr_server import APPLICATION_ID, OcrServer
from tests.postgresql import PostgresqlServer

pytest_plugins = ["tests.object_store"]

SETTINGS = ProcessingSettings.parse(export_format="txt,pdfSearchable")


@dataclass(frozen=True)
class Pair:
    """Two servers on one database and one storage."""

    servers: tuple[OcrServer, OcrServer]
    database: str
    storage: str

    def charges(self) -> list[str | None]:
        """Which tasks were charged, one entry for each time."""
        database = Database(self.database)
        entries = Applications(database).ledger(APPLICATION_ID)
        database.close()
        return [entry.ocr_task_id for entry in entries]

    def stored(self) -> list[str]:
        """The keys in the storage, but for the mark that says whose it is."""
        store = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
        keys = store.find(self.storage.removeprefix("s3://"))
        return [key for key in keys if not key.endswith("/database-identity")]


@pytest.fixture
def pair(
    postgresql: PostgresqlServer,
    s3_url: str,
    s3_environment: Mapping[str, str],
    new_ocr_server: Callable[..., OcrServer],
    tmp_path: Path,
) -> Pair:
    secret = tmp_path / "secret"
    secret.write_bytes(os.urandom(32))
    database = postgresql.new_database()
    options = ["--database", database, "--storage", s3_url, "--secret-file", str(secret)]
    first, second = (
        new_ocr_server(data=tmp_path / name, workers=1, options=options, environment=s3_environment)
        for name in ("first", "second")
    )
    return Pair((first, second), database, s3_url)


def test_what_one_has_accepted_the_other_tells_and_sends_and_deletes(
    *,
    pair: Pair,
    connect: Callable[[OcrServer], CloudOcrClient],
    wait_for: Callable[..., OcrTask],
    samples: Path,
    tmp_path: Path,
) -> None:
    first, second = (connect(server) for server in pair.servers)
    scan = (samples / "receipt.png").read_bytes()
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda client: client.process_image(scan, SETTINGS).id, [first, second] * 2))
    done = [wait_for(client, task) for client, task in zip([second, first] * 2, made, strict=True)]
    assert {task.status for task in done} == {TaskStatus.COMPLETED}
    assert all("Rye bread" in requests.get(task.result_urls[0], timeout=20).text for task in done)
    assert sorted(pair.charges(), key=str) == sorted(made)
    again = second.process_document(made[0], ProcessingSettings.parse(export_format="xml"))
    assert b"<document" in requests.get(wait_for(first, again.id).result_urls[0], timeout=20).content
    assert len(pair.charges()) == 4
    for task in made:
        first.delete_task(task)
    assert pair.stored() == []
    left = {path.name for name in ("first", "second") for path in (tmp_path / name / "work").iterdir()}
    assert left == set()


@pytest.mark.long
def test_what_a_dead_one_had_in_hand_the_other_takes_over_when_its_lease_ends(
    *,
    pair: Pair,
    connect: Callable[[OcrServer], CloudOcrClient],
    wait_for: Callable[..., OcrTask],
    samples: Path,
) -> None:
    first, second = pair.servers
    client = connect(second)
    minutes = (samples / "minutes.tif").read_bytes()
    made = [client.process_image(minutes, SETTINGS).id for _ in range(4)]
    deadline = time.monotonic() + 60
    while "page 1 of 3" not in first.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    end = time.monotonic() + 240
    while time.monotonic() < end and {wait_for(client, task, *TaskStatus).status for task in made} != {
        TaskStatus.COMPLETED
    }:
        time.sleep(1)
    assert [client.get_task_status(task).status for task in made] == ["Completed"] * 4
    assert sorted(pair.charges(), key=str) == sorted(made)
