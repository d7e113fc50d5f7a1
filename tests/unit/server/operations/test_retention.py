# SPDX-License-Identifier: Apache-2.0
"""The sweeper on a real database and real files: what goes, what stays, and what an error leaves to do."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pendulum
import pytest
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.storage import open_storage
from airflow_provider_ocr.server.operations.retention import KeepTimes, Orphans, Sweeper, Swept
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.records import database as tables
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database, to_ms
from airflow_provider_ocr.server.records.expiry import Expiry
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import TaskRows

pytest_plugins = ["tests.object_store"]

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
        # Not by a pattern: folders may go while they are looked at.
        paths = (Path(folder) / name for folder, _, names in os.walk(self.folder) for name in names)
        return {
            "result" if path.name == "result1.txt" else "image" for path in paths if ocr_task_id in path.parts
        }


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


def test_it_looks_every_five_minutes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float | None] = []
    sweeper = Sweeper(expiry=Expiry(kept.database, SEALER), files=kept.files, keep=KEEP)
    after_each = sweeper._stopped.wait

    def wait(timeout: float | None = None) -> bool:
        pauses.append(timeout)
        return after_each(10)

    monkeypatch.setattr(sweeper._stopped, "wait", wait)
    sweeper.start()
    deadline = time.monotonic() + 10
    while not pauses:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    sweeper.stop()
    assert pauses == [300.0]


LATER = pendulum.now("UTC").add(hours=2)


@pytest.fixture
def elsewhere(kept: Kept, storage_url: str | None, tmp_path: Path) -> Kept:
    """The same, in each kind of storage; as `stored` looks at it."""
    storage = None if storage_url is None else open_storage(storage_url)
    return Kept(kept.database, ResultFiles(tmp_path / "data", storage=storage), tmp_path)


def leave(files: ResultFiles, ocr_task_id: str, run: str | None = None) -> None:
    """What a crash leaves: an image, or a run, of which the database knows nothing."""
    if run is None:
        with files.incoming() as image:
            image.write_bytes(b"image")
            files.keep(image, ocr_task_id)
    else:
        (files.new_run(ocr_task_id, run) / "result1.txt").write_text("text")
        files.publish(ocr_task_id, run)


def test_what_a_crash_left_in_a_storage_goes_when_it_is_an_hour_old_and_nothing_else(
    elsewhere: Kept, stored: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.server.operations.retention._AT_ONCE", 2)
    # Whatever the time is, nobody's time is over.
    keep = KeepTimes(**dict.fromkeys(("images", "results", "records"), pendulum.duration(years=9)))
    expiry, files = Expiry(elsewhere.database, SEALER), elsewhere.files
    sweeper = Sweeper(expiry=expiry, files=files, keep=keep)
    live = {
        status: elsewhere.add(status, hours=0)
        for status in TaskStatus
        if status not in (TaskStatus.DELETED, TaskStatus.PROCESSING_FAILED)
    }
    leave(files, "someone-elses")
    leave(files, live[TaskStatus.IN_PROGRESS], "new")
    staying = stored()
    for status in (TaskStatus.DELETED, TaskStatus.PROCESSING_FAILED):
        elsewhere.add(status, hours=0)
    leave(files, str(uuid.uuid4()))
    leave(files, live[TaskStatus.COMPLETED], "unnamed")
    every = stored()
    sweeper.sweep(pendulum.now("UTC"))
    assert stored() == every
    sweeper.sweep(LATER)
    assert stored() == staying


def test_orphans_are_looked_for_at_the_first_sweep_and_then_hourly(kept: Kept, sweeper: Sweeper) -> None:
    for minutes, gone in ((0, True), (59, False), (60, True), (61, False)):
        task = str(uuid.uuid4())
        leave(kept.files, task)
        sweeper.sweep(LATER.add(minutes=minutes))
        assert (kept.has(task) == set()) is gone, minutes
        kept.files.delete(task)


def test_a_task_is_listed_once_for_each_run_that_it_is_given(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    runs = ResultFiles.runs

    def note(files: ResultFiles, ocr_task_ids: list[str]) -> dict[str, list[str]]:
        listed.extend(ocr_task_ids)
        return runs(files, ocr_task_ids)

    monkeypatch.setattr(ResultFiles, "runs", note)
    orphans = Orphans(expiry=Expiry(kept.database, SEALER), files=kept.files)
    tasks = {kept.add(TaskStatus.COMPLETED, hours=0) for _ in range(3)}
    assert list(orphans.find(NOW)) == []
    assert set(listed) == tasks
    assert list(orphans.find(NOW)) == []
    assert len(listed) == 3
    leave(kept.files, min(tasks), "again")
    with kept.database.write() as connection:
        again = sa.update(tables.tasks).where(tables.tasks.c.id == min(tasks)).values(run="again")
        connection.execute(again)
    assert [(orphan.ocr_task_id, orphan.run) for orphan in orphans.find(LATER)] == [(min(tasks), "run")]
    assert listed[3:] == [min(tasks)]


def test_how_old_a_file_is_the_storage_says(kept: Kept, sweeper: Sweeper) -> None:
    old, young = str(uuid.uuid4()), str(uuid.uuid4())
    for task in (old, young):
        leave(kept.files, task)
    long_ago = NOW.subtract(days=1).timestamp()
    for path in (kept.folder / "images" / old, kept.folder / "images" / old / "1"):
        os.utime(path, (long_ago, long_ago))
    sweeper.sweep(NOW)
    assert (kept.has(old), kept.has(young)) == (set(), {"image"})
