# SPDX-License-Identifier: Apache-2.0
"""After a purge nothing of what was purged is anywhere, and everything else is where it was."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pendulum
import pytest
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.storage import FolderStorage
from airflow_provider_ocr.server.operations.command_errors import CommandError
from airflow_provider_ocr.server.operations.purging import Purge, Selection
from airflow_provider_ocr.server.records import database as tables
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database, to_ms
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import TaskRows

NOW = pendulum.datetime(2026, 5, 4, 12)
SEALER = Sealer(b"s" * 32)
CANARY = "canary-4711"
ALL = Selection(application=None, before=NOW)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a running server keeps."""

    database: Database
    files: ResultFiles
    folder: Path

    def add(self, status: TaskStatus, *, hours: float = 0, application: str = "invoices") -> str:
        """A task full of canaries; its ID."""
        ocr_task_id = str(uuid.uuid4())
        settings = ProcessingSettings(
            export_format=(ExportFormat.TXT,), description=CANARY, pdf_password=CANARY
        )
        row = {
            "id": ocr_task_id,
            "application": application,
            "status": status,
            "registered_ms": 0,
            "changed_ms": to_ms(NOW.subtract(seconds=int(3600 * hours))),
            "error": f"{CANARY} is damaged",
            **TaskRows(SEALER).encode(settings, f"https://host/{CANARY}"),
        }
        with self.database.write() as connection:
            connection.execute(sa.insert(tables.tasks).values(row))
        with self.files.incoming() as image:
            image.write_text(CANARY)
            self.files.keep(image, ocr_task_id)
        (self.files.pages_folder(ocr_task_id, "english") / "1").write_text(CANARY)
        (self.files.new_run(ocr_task_id, "run") / "result1.txt").write_text(CANARY)
        self.files.publish(ocr_task_id, "run")
        return ocr_task_id

    def purge(self, which: Selection = ALL) -> Purge:
        return Purge(database=self.database, sealer=SEALER, files=self.files, which=which)

    def status(self, ocr_task_id: str) -> str:
        query = sa.select(tables.tasks.c.status).where(tables.tasks.c.id == ocr_task_id)
        with self.database.read() as connection:
            return str(connection.execute(query).scalar_one())

    def holding(self, text: str) -> list[Path]:
        """The files that have a text in their content or their name."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return [path for path in files if text.encode() in path.read_bytes() + str(path).encode()]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database.in_folder(folder)
    for name in ("invoices", "other"):
        Applications(database).add(name, "a hash")
    yield Kept(database, ResultFiles(folder), folder)
    database.close()


def test_a_canary_is_nowhere_after_a_purge(kept: Kept) -> None:
    deletable = [status for status in TaskStatus if status not in ("InProgress", "Deleted")]
    tasks = [kept.add(status) for status in deletable for _ in range(4)]
    # Errors are in the clear until then, and so the search does find what is there.
    assert any(path.name.startswith("server.sqlite") for path in kept.holding(CANARY))
    assert kept.purge().run() == len(tasks)
    assert kept.holding(CANARY) == []
    assert {kept.status(task) for task in tasks} == {TaskStatus.DELETED}
    assert kept.purge().run() == 0
    assert kept.purge().count() == {}


def test_what_is_being_recognised_stays(kept: Kept) -> None:
    task = kept.add(TaskStatus.IN_PROGRESS)
    kept.add(TaskStatus.QUEUED)
    assert kept.purge().count() == {TaskStatus.IN_PROGRESS: 1, TaskStatus.QUEUED: 1}
    assert kept.purge().run() == 1
    assert kept.status(task) == TaskStatus.IN_PROGRESS
    assert len(kept.holding(task)) >= 3


def test_other_applications_and_younger_tasks_stay(kept: Kept) -> None:
    meant = kept.add(TaskStatus.COMPLETED, hours=5)
    young = kept.add(TaskStatus.COMPLETED, hours=3)
    others = kept.add(TaskStatus.COMPLETED, hours=5, application="other")
    purge = kept.purge(Selection(application="invoices", before=NOW.subtract(hours=4)))
    assert purge.count() == {TaskStatus.COMPLETED: 1}
    assert purge.run() == 1
    assert [kept.status(task) for task in (meant, young, others)] == ["Deleted", "Completed", "Completed"]
    for task in (young, others):
        assert {part for path in kept.holding(task) for part in path.parts} >= {"images", "pages", "results"}


def test_more_tasks_than_are_read_at_once_go(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_ocr.server.operations.purging._AT_ONCE", 2)
    tasks = [kept.add(TaskStatus.COMPLETED) for _ in range(5)]
    assert kept.purge().run() == 5
    assert {kept.status(task) for task in tasks} == {"Deleted"}


def test_a_task_that_a_worker_takes_meanwhile_stays(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    task = kept.add(TaskStatus.QUEUED)
    purge = kept.purge()
    read = purge._next

    def read_then_claim(last: str) -> object:
        found = read(last)
        with kept.database.write() as connection:
            connection.execute(sa.update(tables.tasks).values(status="InProgress", lease="worker"))
        return found

    monkeypatch.setattr(purge, "_next", read_then_claim)
    assert purge.run() == 0
    assert kept.status(task) == "InProgress"
    assert len(kept.holding(CANARY)) >= 3


def test_a_purge_takes_along_what_earlier_deletions_and_crashes_left(kept: Kept) -> None:
    kept.add(TaskStatus.DELETED)
    unknown, young = str(uuid.uuid4()), str(uuid.uuid4())
    for task in (unknown, young):
        with kept.files.incoming() as image:
            image.write_text(CANARY)
            kept.files.keep(image, task)
    for path in (kept.folder / "images" / unknown, kept.folder / "images" / unknown / "1"):
        os.utime(path, (0, 0))
    assert kept.purge().run() == 0
    assert kept.files.owners() == {young}


def test_nothing_is_purged_from_a_storage_of_another_database(kept: Kept, tmp_path: Path) -> None:
    def files() -> ResultFiles:
        return ResultFiles(tmp_path / "any", storage=FolderStorage(tmp_path / "storage"))

    (tmp_path / "other").mkdir()
    other = Database.in_folder(tmp_path / "other")
    for _ in range(2):
        Purge(database=other, sealer=SEALER, files=files(), which=ALL)
    with pytest.raises(CommandError, match="another database"):
        Purge(database=kept.database, sealer=SEALER, files=files(), which=ALL)
