# SPDX-License-Identifier: Apache-2.0
"""The sweeper on a real database and real files: what goes, what stays, and what an error leaves to do."""

from __future__ import annotations

import time
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
from airflow_provider_ocr.server.operations.retention import KeepTimes, Sweeper, Swept
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.records import database as tables
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database, to_ms
from airflow_provider_ocr.server.records.expiry import Expiry
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import TaskRows

NOW = pendulum.datetime(2026, 5, 4, 12)
KEEP = KeepTimes(
    images=pendulum.duration(hours=42),
    results=pendulum.duration(hours=24),
    records=pendulum.duration(days=90),
)
SEALER = Sealer(b"s" * 32)
SETTINGS = ProcessingSettings(export_format=(ExportFormat.TXT,), description="canary")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a server keeps, and how a test looks at it."""

    database: Database
    files: ResultFiles
    folder: Path

    def add(
        self,
        status: TaskStatus,
        *,
        hours: float,
        image_hours: float | None = None,
        application: str = "invoices",
    ) -> str:
        """A task that changed so many hours ago, whose image came then, with its files; its ID."""
        ocr_task_id = str(uuid.uuid4())
        imaged = hours if image_hours is None else image_hours
        row = {
            "id": ocr_task_id,
            "application": application,
            "status": status,
            "registered_ms": to_ms(NOW.subtract(seconds=int(3600 * imaged))),
            "changed_ms": to_ms(NOW.subtract(seconds=int(3600 * hours))),
            "imaged_ms": to_ms(NOW.subtract(seconds=int(3600 * imaged))),
            "run": "run",
            **TaskRows(SEALER).encode(SETTINGS, None),
        }
        with self.database.write() as connection:
            connection.execute(sa.insert(tables.tasks).values(row))
        with self.files.incoming() as image:
            image.write_bytes(b"image")
            self.files.keep(image, ocr_task_id)
        (self.files.new_run(ocr_task_id, "run") / "result1.txt").write_text("text")
        self.files.publish(ocr_task_id, "run")
        return ocr_task_id

    def status(self, ocr_task_id: str) -> str | None:
        """What the database says; None if it knows nothing of the task any more."""
        query = sa.select(tables.tasks.c.status).where(tables.tasks.c.id == ocr_task_id)
        with self.database.read() as connection:
            return connection.execute(query).scalar()

    def has(self, ocr_task_id: str) -> set[str]:
        """Which files of a task there are."""
        paths = (path for path in self.folder.rglob("*") if path.is_file() and ocr_task_id in path.parts)
        return {"result" if path.name == "result1.txt" else "image" for path in paths}


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    database = Database.in_folder(tmp_path)
    applications = Applications(database)
    applications.add("invoices", "a hash")
    applications.add("hasty", "a hash", keep_images_hours=1, keep_results_hours=0.5)
    yield Kept(database, ResultFiles(tmp_path), tmp_path)
    database.close()


@pytest.fixture
def sweeper(kept: Kept) -> Sweeper:
    return Sweeper(expiry=Expiry(kept.database, SEALER), files=kept.files, keep=KEEP, seconds=0.01)


@pytest.mark.parametrize(
    ("status", "hours", "image_hours", "application", "left"),
    [
        (TaskStatus.COMPLETED, 23, 23, "invoices", {"image", "result"}),
        (TaskStatus.COMPLETED, 25, 25, "invoices", set()),
        (TaskStatus.COMPLETED, 23, 43, "invoices", {"result"}),
        (TaskStatus.COMPLETED, 0.4, 0.4, "hasty", {"image", "result"}),
        (TaskStatus.COMPLETED, 0.6, 0.6, "hasty", set()),
        (TaskStatus.COMPLETED, 0.4, 2, "hasty", {"result"}),
        (TaskStatus.PROCESSING_FAILED, 25, 25, "invoices", set()),
        (TaskStatus.SUBMITTED, 41, 41, "invoices", {"image", "result"}),
        (TaskStatus.SUBMITTED, 43, 43, "invoices", set()),
        (TaskStatus.NOT_ENOUGH_CREDITS, 43, 43, "invoices", set()),
        (TaskStatus.QUEUED, 1000, 1000, "invoices", {"image", "result"}),
        (TaskStatus.IN_PROGRESS, 1000, 1000, "invoices", {"image", "result"}),
    ],
)
def test_what_was_kept_long_enough_goes_and_nothing_else(
    *,
    status: TaskStatus,
    hours: float,
    image_hours: float,
    application: str,
    left: set[str],
    kept: Kept,
    sweeper: Sweeper,
) -> None:
    task = kept.add(status, hours=hours, image_hours=image_hours, application=application)
    fresh = kept.add(TaskStatus.COMPLETED, hours=0)
    swept = sweeper.sweep(NOW)
    assert kept.has(task) == left
    assert kept.status(task) == (status if left else TaskStatus.DELETED)
    assert kept.has(fresh) == {"image", "result"}
    assert swept == Swept(tasks=int(not left), images=int(left == {"result"}), records=0)
    assert sweeper.sweep(NOW) == Swept(tasks=0, images=0, records=0)


def test_a_record_outlives_its_task_and_goes_too(kept: Kept, sweeper: Sweeper) -> None:
    recent = kept.add(TaskStatus.DELETED, hours=24 * 89)
    old = kept.add(TaskStatus.DELETED, hours=24 * 91)
    assert sweeper.sweep(NOW).records == 1
    assert kept.status(recent) == TaskStatus.DELETED
    assert kept.status(old) is None


def test_more_tasks_than_are_asked_for_at_once_go_in_one_sweep(
    kept: Kept, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.server.records.expiry._AT_ONCE", 2)
    for _ in range(5):
        kept.add(TaskStatus.COMPLETED, hours=25)
    for _ in range(5):
        kept.add(TaskStatus.COMPLETED, hours=1, image_hours=43)
    assert sweeper.sweep(NOW) == Swept(tasks=5, images=5, records=0)


def test_files_that_could_not_be_deleted_are_tried_again(
    kept: Kept,
    sweeper: Sweeper,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    whole, images = (
        kept.add(TaskStatus.COMPLETED, hours=25),
        kept.add(TaskStatus.COMPLETED, hours=1, image_hours=43),
    )
    other = kept.add(TaskStatus.PROCESSING_FAILED, hours=30)
    broken = {whole, images}
    delete, delete_images = kept.files.delete, kept.files.delete_images

    def fail_at(real: object, ocr_task_id: str) -> None:
        if ocr_task_id in broken:
            raise ConnectionError("the storage is away")
        assert callable(real)
        real(ocr_task_id)

    monkeypatch.setattr(ResultFiles, "delete", lambda _, ocr_task_id: fail_at(delete, ocr_task_id))
    monkeypatch.setattr(
        ResultFiles, "delete_images", lambda _, ocr_task_id: fail_at(delete_images, ocr_task_id)
    )
    assert sweeper.sweep(NOW).tasks == 2
    assert kept.has(other) == set()
    assert kept.has(whole) == {"image", "result"}
    assert f"task {whole}: its files could not be deleted" in caplog.text
    sweeper.sweep(NOW)
    assert kept.has(images) == {"image", "result"}
    broken.clear()
    sweeper.sweep(NOW)
    assert kept.has(whole) == set()
    assert kept.has(images) == {"result"}


def test_times_are_those_that_the_server_was_started_with(tmp_path: Path) -> None:
    options = ServeOptions(
        data=tmp_path, keep_images_hours=1.5, keep_results_hours=0.25, keep_records_days=0.5
    )
    assert KeepTimes.of(ServeOptions(data=tmp_path)) == KEEP
    assert KeepTimes.of(options) == KeepTimes(
        images=pendulum.duration(minutes=90),
        results=pendulum.duration(minutes=15),
        records=pendulum.duration(hours=12),
    )
    assert KeepTimes.of(options).images.total_hours() == 1.5


def test_it_may_be_stopped_without_having_been_started(kept: Kept, sweeper: Sweeper) -> None:
    task = kept.add(TaskStatus.COMPLETED, hours=25)
    sweeper.stop()
    assert kept.status(task) == TaskStatus.COMPLETED


def test_it_goes_on_after_an_error_and_until_it_is_stopped(
    kept: Kept, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = iter([OSError("the database is away")])
    real = Expiry.expired

    def expired(*arguments: object, **options: object) -> object:
        for error in errors:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr(Expiry, "expired", expired)
    task = kept.add(TaskStatus.COMPLETED, hours=0)
    with kept.database.write() as connection:
        connection.execute(sa.update(tables.tasks).values(changed_ms=0))
    sweeper.start()
    deadline = time.monotonic() + 10
    while kept.has(task):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    sweeper.stop()
    assert "expired tasks could not be deleted; they are tried again" in caplog.text
    later = kept.add(TaskStatus.COMPLETED, hours=0)
    with kept.database.write() as connection:
        connection.execute(sa.update(tables.tasks).values(changed_ms=0))
    time.sleep(0.05)
    assert kept.has(later) == {"image", "result"}
