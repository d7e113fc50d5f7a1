# SPDX-License-Identifier: Apache-2.0
"""What the store has accepted it keeps, and of two who change the same task exactly one wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pendulum
import pytest
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.choices import Choices, ListFilter, ListOrder
from airflow_provider_ocr.server.records.database import tasks as tasks_table
from airflow_provider_ocr.server.records.store import HeldImage, Store, new_task_id
from airflow_provider_ocr.server.records.stored_task import StoredTask
from tests.unit.server.conftest import SECRET, Tasks

SETTINGS = ProcessingSettings.parse(
    language="English,German",
    export_format="txt,xml",
    correct_skew="false",
    description="canary description",
    pdf_password="canary password",
)
SOURCE = "https://example.com/scan.png?signature=canary"
IMAGE = HeldImage(size=1000, pages=2, billed_pages=3)
NOON = pendulum.datetime(2026, 11, 22, 12)
C, D, F, P, N, Q, S = (
    TaskStatus.COMPLETED,
    TaskStatus.DELETED,
    TaskStatus.PROCESSING_FAILED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.NOT_ENOUGH_CREDITS,
    TaskStatus.QUEUED,
    TaskStatus.SUBMITTED,
)


def add_remote(tasks: Tasks, **options: Any) -> StoredTask:
    return tasks.store.add_remote(application="app", source=SOURCE, settings=SETTINGS, **options)


def at_once(count: int, action: Callable[[int], Any]) -> list[Any]:
    """What several threads get that begin at the same time."""
    barrier = threading.Barrier(count)

    def wait_and_act(number: int) -> Any:
        barrier.wait()
        return action(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_act, range(count)))


def ids(found: list[StoredTask]) -> list[str]:
    return [task.id for task in found]


def test_a_new_remote_task_is_submitted_and_holds_what_it_was_given(tasks: Tasks) -> None:
    before = pendulum.now("UTC")
    task = add_remote(tasks)
    assert (task.status, task.source, task.settings, task.protected) == ("Submitted", SOURCE, SETTINGS, True)
    assert (task.error, task.files_count, task.credits, task.holds_images) == (None, 1, 0, False)
    assert task.registered == task.changed
    assert abs((task.registered - before).total_seconds()) < 5


def test_a_task_with_an_image_knows_its_pages_and_its_price(tasks: Tasks) -> None:
    ocr_task_id = new_task_id()
    task = tasks.store.add_held(
        application="app", ocr_task_id=ocr_task_id, image=IMAGE, settings=SETTINGS, start=False
    )
    assert (task.id, task.status, task.source, task.holds_images) == (ocr_task_id, "Submitted", None, True)
    assert (task.image_bytes, task.pages, task.billed_pages, task.credits) == (1000, 2, 3, 15)


def test_an_id_is_a_lower_case_guid_and_never_the_same_again(tasks: Tasks) -> None:
    made = [tasks.remote().id for _ in range(20)]
    assert len(set(made)) == 20
    assert all(len(ocr_task_id) == 36 and ocr_task_id == ocr_task_id.lower() for ocr_task_id in made)


def test_everything_is_there_again_after_reopening(tasks: Tasks) -> None:
    stored = [add_remote(tasks), tasks.held()]
    again = Store(tasks.database, tasks.sealer)
    assert [again.find(task.id) for task in stored] == stored


def test_nothing_private_stands_in_a_row(tasks: Tasks) -> None:
    add_remote(tasks)
    with tasks.database.read() as connection:
        (row,) = connection.execute(sa.select(tasks_table)).mappings()
    assert "canary" not in str(dict(row))
    assert SECRET.decode() not in str(dict(row))


def test_an_application_finds_only_its_own_tasks(tasks: Tasks) -> None:
    tasks.admit("App")
    mine, other = tasks.remote("app"), tasks.remote("App")
    assert tasks.store.find(mine.id, application="app") == mine
    assert tasks.store.find(other.id, application="app") is None
    assert ids(window(tasks)) == [mine.id]


def window(tasks: Tasks, **options: Any) -> list[StoredTask]:
    given = {"start": NOON.subtract(years=9), "end": NOON.add(years=90), "exclude_deleted": False, "limit": 9}
    return tasks.store.in_window("app", **(given | options))


def test_a_window_holds_its_first_and_its_last_second_and_is_ordered_by_change(tasks: Tasks) -> None:
    made = []
    for milliseconds in (-1, 5000, 0, 999, 5999, 6000):
        made.append(tasks.remote().id)
        tasks.set(made[-1], changed_ms=int(NOON.timestamp() * 1000) + milliseconds)
    times = {"start": NOON, "end": NOON.add(seconds=5)}
    expected = [made[2], made[3], made[1], made[4]]
    assert ids(window(tasks, **times)) == expected
    assert ids(window(tasks, **times, limit=2)) == expected[:2]
    newest = Choices(list_order=ListOrder.NEWEST)
    assert ids(window(tasks, **times, choices=newest)) == expected[::-1]


def test_a_window_may_be_one_of_registration(tasks: Tasks) -> None:
    early, late = tasks.remote(), tasks.remote()
    tasks.set(early.id, registered_ms=int(NOON.timestamp() * 1000))
    registered = Choices(list_filter=ListFilter.REGISTERED)
    assert ids(window(tasks, end=NOON, choices=registered)) == [early.id]
    assert ids(window(tasks, start=NOON.add(seconds=1), choices=registered)) == [late.id]
    assert ids(window(tasks, end=NOON)) == []


def test_deleted_tasks_are_listed_unless_they_are_excluded(tasks: Tasks) -> None:
    deleted, kept = tasks.remote(), tasks.remote()
    assert tasks.store.delete(deleted)
    assert set(ids(window(tasks))) == {deleted.id, kept.id}
    assert ids(window(tasks, exclude_deleted=True)) == [kept.id]


def test_finished_tasks_are_those_that_ended_the_oldest_end_first(tasks: Tasks) -> None:
    ended = []
    for seconds, status in enumerate((F, C, N)):
        task = tasks.remote()
        tasks.bring(task.id, status)
        tasks.set(task.id, changed_ms=int(NOON.add(seconds=seconds).timestamp() * 1000))
        ended.append(task.id)
    tasks.remote()
    assert ids(tasks.store.finished("app", limit=100)) == ended
    assert ids(tasks.store.finished("app", limit=2)) == ended[:2]
    assert ids(tasks.store.finished("app", limit=2, order=ListOrder.NEWEST)) == ended[:0:-1]
    assert tasks.store.finished("other", limit=100) == []


def test_tasks_and_what_their_images_take_are_counted(tasks: Tasks) -> None:
    tasks.held(pages=2)
    tasks.held(pages=3, start=False)
    done = tasks.remote("other")
    tasks.set(done.id, status="Completed", image_bytes=7)
    assert tasks.store.counts() == {Q: 1, S: 1, C: 1}
    assert tasks.store.unprocessed_bytes() == 500
    assert [tasks.store.unprocessed_images(name) for name in ("app", "other")] == [2, 0]


@pytest.mark.parametrize("status", [S, Q, C, F, N])
def test_a_deleted_task_holds_nothing_any_more_but_that_it_was_there(
    status: TaskStatus, tasks: Tasks
) -> None:
    task = add_remote(tasks)
    tasks.bring(task.id, status, pages=3)
    assert tasks.store.delete(tasks.find(task.id))
    gone = tasks.find(task.id)
    assert (gone.id, gone.status, gone.registered) == (task.id, "Deleted", task.registered)
    assert (gone.source, gone.settings.description, gone.settings.pdf_password) == (None, "", "")
    assert (gone.run, gone.error, gone.quality, gone.holds_images, gone.image_bytes) == (
        None,
        None,
        {},
        False,
        0,
    )


def test_who_deletes_what_has_moved_on_changes_nothing(tasks: Tasks) -> None:
    read = tasks.remote()
    tasks.image_fetched(read.id)
    before = tasks.find(read.id)
    assert not tasks.store.delete(read)
    assert tasks.find(read.id) == before


def test_of_many_who_delete_a_task_one_wins(tasks: Tasks) -> None:
    task = tasks.held(pages=4)
    assert sorted(at_once(8, lambda _: tasks.store.delete(task))) == [False] * 7 + [True]
    application = tasks.applications.find("app")
    assert application is not None
    assert application.reserved == 0


def test_an_image_is_counted_only_when_it_is_kept(tasks: Tasks) -> None:
    task, numbers = tasks.held(start=False), []

    def refuse(_: StoredTask) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        tasks.store.add_image(task, IMAGE, refuse, settings=task.settings)
    assert tasks.find(task.id) == task
    for _ in range(2):
        added = tasks.store.add_image(
            task, IMAGE, lambda task: numbers.append(task.files_count), settings=task.settings
        )
        assert added == tasks.find(task.id)
    assert numbers == [2, 3]
    assert (added.pages, added.billed_pages, added.credits, added.image_bytes) == (5, 7, 35, 2100)


def test_images_that_come_at_the_same_time_get_numbers_of_their_own(tasks: Tasks) -> None:
    task, numbers = tasks.held(start=False), []

    def keep(kept: StoredTask) -> None:
        numbers.append(kept.files_count)

    def add(_: int) -> object:
        return tasks.store.add_image(task, IMAGE, keep, settings=task.settings)

    at_once(6, add)
    assert sorted(numbers) == [2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("status", [Q, P, C, F, N, D])
def test_a_task_that_has_left_takes_no_image(status: TaskStatus, tasks: Tasks) -> None:
    task, kept = tasks.remote(), []
    assert tasks.store.add_image(task, IMAGE, kept.append, settings=task.settings) is None
    tasks.bring(task.id, status)
    assert tasks.store.add_image(task, IMAGE, kept.append, settings=task.settings) is None
    assert kept == []


def test_a_start_sets_the_settings_and_forgets_the_run_before_and_costs_nothing_more(tasks: Tasks) -> None:
    task = tasks.remote()
    tasks.bring(task.id, C, pages=3)
    completed = tasks.find(task.id)
    settings = ProcessingSettings.parse(export_format="xml", description="new")
    started = tasks.store.start(completed, settings)
    assert started == tasks.find(task.id)
    assert started is not None
    assert (started.status, started.settings, started.quality, started.run) == ("Queued", settings, {}, None)
    assert tasks.store.start(completed, SETTINGS) is None
    again = tasks.claimed(task.id)
    assert tasks.work.complete(again, run="run-2", pages=3, quality={})
    assert [entry.credits for entry in tasks.applications.ledger("app")] == [-15]


def test_a_task_whose_images_are_just_being_deleted_is_not_started(tasks: Tasks) -> None:
    task = tasks.remote()
    tasks.bring(task.id, C)
    read = tasks.find(task.id)
    tasks.set(task.id, imaged_ms=None)
    assert tasks.store.start(read, read.settings) is None


def test_a_document_waits_for_credits_that_its_application_does_not_have(tasks: Tasks) -> None:
    tasks.admit("poor", credits=10)
    made = [tasks.held("poor").status for _ in range(3)]
    assert made == ["Queued", "Queued", "NotEnoughCredits"]


def test_documents_that_come_at_the_same_time_never_get_the_same_credits(tasks: Tasks) -> None:
    tasks.admit("poor", credits=17)
    made = at_once(8, lambda _: tasks.held("poor").status)
    assert sorted(made) == ["NotEnoughCredits"] * 5 + ["Queued"] * 3
    poor = tasks.applications.find("poor")
    assert poor is not None
    assert (poor.credits, poor.reserved) == (17, 15)


def test_a_suspended_document_starts_after_a_top_up_and_stays_suspended_before(tasks: Tasks) -> None:
    tasks.admit("poor", credits=4)
    task = tasks.held("poor")
    still = tasks.store.start(task, SETTINGS)
    assert still is not None
    assert still.status is N
    tasks.applications.credit("poor", 1)
    started = tasks.store.start(still, SETTINGS)
    assert started is not None
    assert started.status is Q


def test_a_request_with_a_key_makes_one_task_however_often_and_at_once_it_comes(tasks: Tasks) -> None:
    made = at_once(8, lambda _: add_remote(tasks, key="key-1").id)
    assert len(set(made)) == 1
    assert len(window(tasks)) == 1
    assert tasks.held(key="key-1").id == made[0]
    assert tasks.held("other", key="key-1").id != made[0]
    assert add_remote(tasks, key="key-2").id != made[0]


def test_an_image_and_a_start_with_a_key_come_once(tasks: Tasks) -> None:
    task = tasks.held(start=False)
    for _ in range(2):
        added = tasks.store.add_image(task, IMAGE, lambda _: None, settings=task.settings, key="image-2")
        assert added is not None
        assert added.files_count == 2
    for _ in range(2):
        started = tasks.store.start(added, task.settings, key="start")
        assert started is not None
        assert started.status is Q


def test_only_those_that_go_on_hold_files(tasks: Tasks) -> None:
    waiting, uploaded, deleted, failed, done = (
        tasks.remote(),
        tasks.held(),
        tasks.remote(),
        *(tasks.remote("other") for _ in range(2)),
    )
    tasks.store.delete(deleted)
    tasks.set(failed.id, status="ProcessingFailed")
    tasks.set(done.id, status="Completed", run="run-7")
    assert tasks.store.runs() == {waiting.id: None, uploaded.id: None, done.id: "run-7"}
