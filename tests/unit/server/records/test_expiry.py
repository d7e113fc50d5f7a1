# SPDX-License-Identifier: Apache-2.0
"""What has been kept for long enough is given up, and what is still to be recognised never is."""

from __future__ import annotations

import pendulum
import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.database import to_ms
from airflow_provider_ocr.server.records.expiry import Expiry, Standing
from airflow_provider_ocr.server.records.stored_task import StoredTask
from tests.unit.server.conftest import Tasks

NOW = pendulum.now("UTC")
IMAGES, RESULTS = pendulum.duration(hours=42), pendulum.duration(hours=24)


@pytest.fixture
def expiry(tasks: Tasks) -> Expiry:
    return Expiry(tasks.database, tasks.sealer)


def task_of_age(tasks: Tasks, status: TaskStatus, hours: float, application: str = "app") -> StoredTask:
    """A task that came to its state, with its image, so many hours ago."""
    task = tasks.remote(application, description="canary")
    tasks.bring(task.id, status)
    then = to_ms(NOW.subtract(minutes=round(hours * 60)))
    held = tasks.find(task.id).holds_images
    tasks.set(task.id, changed_ms=then, imaged_ms=then if held else None)
    return tasks.find(task.id)


def expired(expiry: Expiry, **options: str) -> list[str]:
    return [task.id for task in expiry.expired(NOW, keep_images=IMAGES, keep_results=RESULTS, **options)]


@pytest.mark.parametrize(
    ("status", "hours", "is_over"),
    [
        (TaskStatus.COMPLETED, 23.9, False),
        (TaskStatus.COMPLETED, 24.1, True),
        (TaskStatus.PROCESSING_FAILED, 23.9, False),
        (TaskStatus.PROCESSING_FAILED, 24.1, True),
        (TaskStatus.NOT_ENOUGH_CREDITS, 41.9, False),
        (TaskStatus.NOT_ENOUGH_CREDITS, 42.1, True),
        (TaskStatus.SUBMITTED, 1000, False),  # its image was never fetched: it still will be
        (TaskStatus.QUEUED, 1000, False),
        (TaskStatus.IN_PROGRESS, 1000, False),
        (TaskStatus.DELETED, 1000, False),
    ],
)
def test_a_task_expires_so_long_after_it_was_processed_or_uploaded(
    status: TaskStatus, hours: float, is_over: bool, tasks: Tasks, expiry: Expiry
) -> None:
    task = task_of_age(tasks, status, hours)
    assert expired(expiry) == ([task.id] if is_over else [])


def test_an_upload_that_was_never_started_expires(tasks: Tasks, expiry: Expiry) -> None:
    task = tasks.held(start=False)
    assert expired(expiry) == []
    tasks.set(task.id, imaged_ms=to_ms(NOW.subtract(hours=43)))
    assert expired(expiry) == [task.id]


def test_an_application_may_have_times_of_its_own(tasks: Tasks, expiry: Expiry) -> None:
    tasks.applications.add("long", "-", keep_images_hours=400, keep_results_hours=200)
    tasks.applications.add("short", "-", keep_images_hours=1, keep_results_hours=0.5)
    kept = task_of_age(tasks, TaskStatus.COMPLETED, 30, "long")
    gone = task_of_age(tasks, TaskStatus.COMPLETED, 0.6, "short")
    everybodys = task_of_age(tasks, TaskStatus.COMPLETED, 30)
    assert set(expired(expiry)) == {gone.id, everybodys.id}
    assert expired(expiry, application="short") == [gone.id]
    assert kept.id not in expired(expiry)


def test_images_may_expire_before_their_results(tasks: Tasks, expiry: Expiry) -> None:
    tasks.applications.add("short", "-", keep_images_hours=1)
    task = task_of_age(tasks, TaskStatus.COMPLETED, 2, "short")
    running = task_of_age(tasks, TaskStatus.IN_PROGRESS, 2, "short")
    assert [found.id for found in expiry.images_expired(NOW, keep_images=IMAGES)] == [task.id]
    assert expiry.forget_images(task)
    assert not expiry.forget_images(running)
    assert expiry.images_expired(NOW, keep_images=IMAGES) == []
    left = tasks.find(task.id)
    assert (left.status, left.holds_images, left.image_bytes, left.run) == ("Completed", False, 0, "run-1")


def test_what_moves_on_at_the_last_moment_is_not_given_up(tasks: Tasks, expiry: Expiry) -> None:
    task = task_of_age(tasks, TaskStatus.COMPLETED, 30)
    assert tasks.store.start(task, task.settings) is not None
    assert not expiry.expire(task)
    assert tasks.find(task.id).status is TaskStatus.QUEUED


def test_an_expired_task_is_deleted_and_tells_nothing(tasks: Tasks, expiry: Expiry) -> None:
    task = task_of_age(tasks, TaskStatus.COMPLETED, 30)
    assert expiry.expire(task)
    gone = tasks.find(task.id)
    assert (gone.status, gone.settings.description, gone.run) == ("Deleted", "", None)
    assert not expiry.expire(task)


def test_records_of_deleted_tasks_go_with_their_keys_and_the_ledger_stays(
    tasks: Tasks, expiry: Expiry
) -> None:
    task = tasks.held(key="key-1")
    mine = tasks.claimed(task.id)
    assert tasks.work.complete(mine, run="run-1", pages=1, quality={})
    assert tasks.store.delete(tasks.find(task.id))
    assert expiry.forget_records(NOW.subtract(days=1)) == 0
    assert expiry.forget_records(NOW.add(days=1)) == 1
    assert tasks.store.find(task.id) is None
    assert tasks.store.find_by_key("app", "key-1") is None
    assert [entry.ocr_task_id for entry in tasks.applications.ledger("app")] == [task.id]
    assert tasks.held(key="key-1").id != task.id


def test_how_it_stands_with_tasks_is_told_of_those_that_are_known(tasks: Tasks, expiry: Expiry) -> None:
    made = {status: tasks.remote("app").id for status in TaskStatus}
    for status, ocr_task_id in made.items():
        tasks.set(ocr_task_id, status=status, run="r1" if status is TaskStatus.COMPLETED else None)
    standing = expiry.standing([*made.values(), "unknown"])
    assert standing.keys() == set(made.values())
    assert standing[made[TaskStatus.COMPLETED]] == Standing(TaskStatus.COMPLETED, "r1")
    without = {task.status for task in standing.values() if not task.has_files}
    assert without == {TaskStatus.DELETED, TaskStatus.PROCESSING_FAILED}
