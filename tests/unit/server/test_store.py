# SPDX-License-Identifier: Apache-2.0
"""What the store has accepted it keeps, and of two who change the same task exactly one wins."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pendulum
import pytest
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server import store as store_module
from airflow_provider_ocr.server.store import Store, StoredTask, encode_quality, new_task_id
from airflow_provider_ocr.server.tasks import Move

SETTINGS = ProcessingSettings.parse(
    language="English,German", export_format="txt,xml", correct_skew="false", description="a & b"
)
SOURCE = "https://example.com/scan.png?signature=abc"
NOON = pendulum.datetime(2026, 11, 22, 12)

TO_QUEUED = Move(TaskStatus.SUBMITTED, TaskStatus.QUEUED)
TO_IN_PROGRESS = Move(TaskStatus.QUEUED, TaskStatus.IN_PROGRESS)
TO_COMPLETED = Move(TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED)
TO_DELETED = Move(TaskStatus.SUBMITTED, TaskStatus.DELETED)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.in_folder(tmp_path)
    yield store
    store.close()


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[pendulum.DateTime], None]:
    """Sets the time at which the store's next writes happen."""

    def set_to(time: pendulum.DateTime) -> None:
        monkeypatch.setattr(store_module, "_now_ms", lambda: int(time.timestamp() * 1000))

    return set_to


def add(store: Store, application: str = "app") -> StoredTask:
    return store.add(application=application, source=SOURCE, settings=SETTINGS)


def add_queued(store: Store) -> StoredTask:
    task = add(store)
    assert store.move(task.id, TO_QUEUED, source=None)
    return task


def status_of(store: Store, task: StoredTask) -> TaskStatus:
    found = store.find(task.id)
    assert found is not None
    return found.status


def test_a_new_task_is_submitted_and_holds_what_it_was_given(store: Store) -> None:
    before = pendulum.now("UTC")
    task = add(store)
    assert (task.status, task.source, task.settings) == ("Submitted", SOURCE, SETTINGS)
    assert (task.error, task.files_count, task.credits, task.quality) == (None, 1, 0, {})
    assert task.registered == task.changed
    assert abs((task.registered - before).total_seconds()) < 5


def test_an_id_is_a_lower_case_guid_and_never_the_same_again(store: Store) -> None:
    ids = [add(store).id for _ in range(20)]
    assert len(set(ids)) == 20
    assert all(len(ocr_task_id) == 36 and ocr_task_id == ocr_task_id.lower() for ocr_task_id in ids)


def test_a_move_sets_status_and_values_and_the_time_of_the_change(
    store: Store, set_clock: Callable[[pendulum.DateTime], None]
) -> None:
    set_clock(NOON)
    task = add_queued(store)
    assert store.move(task.id, TO_IN_PROGRESS)
    set_clock(NOON.add(seconds=9))
    assert store.move(task.id, TO_COMPLETED, credits=15, quality=encode_quality({"X-Ocr-Pages": "3"}))
    found = store.find(task.id)
    assert found is not None
    assert (found.status, found.credits, found.quality) == ("Completed", 15, {"X-Ocr-Pages": "3"})
    assert (found.registered, found.changed) == (NOON, NOON.add(seconds=9))


def test_a_move_from_where_the_task_is_no_more_changes_nothing(store: Store) -> None:
    task = add(store)
    assert store.move(task.id, TO_DELETED, source=None)
    before = store.find(task.id)
    assert not store.move(task.id, TO_QUEUED, credits=99)
    assert store.find(task.id) == before


def test_a_move_of_no_task_changes_nothing(store: Store) -> None:
    task = add(store)
    assert not store.move("no-such-task", TO_QUEUED)
    assert status_of(store, task) is TaskStatus.SUBMITTED


def test_of_many_who_make_the_same_move_one_wins(store: Store) -> None:
    task = add(store)
    wins: list[bool] = []
    barrier = threading.Barrier(8)

    def try_to_move() -> None:
        barrier.wait()
        wins.append(store.move(task.id, TO_QUEUED))

    threads = [threading.Thread(target=try_to_move) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False] * 7 + [True]


def test_threads_that_claim_never_get_the_same_task(store: Store) -> None:
    queued = {add_queued(store).id for _ in range(30)}
    claimed: list[str] = []
    barrier = threading.Barrier(4)

    def claim_all() -> None:
        barrier.wait()
        while (task := store.claim_queued()) is not None:
            assert task.status is TaskStatus.IN_PROGRESS
            claimed.append(task.id)

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == 30
    assert set(claimed) == queued


def test_the_task_that_waits_longest_is_claimed_first(
    store: Store, set_clock: Callable[[pendulum.DateTime], None]
) -> None:
    first, second = add(store), add(store)
    set_clock(NOON.add(seconds=1))
    store.move(second.id, TO_QUEUED)
    set_clock(NOON.add(seconds=2))
    store.move(first.id, TO_QUEUED)
    assert [task.id for task in (store.claim_queued(), store.claim_queued()) if task] == [second.id, first.id]
    assert store.claim_queued() is None


def test_only_interrupted_tasks_are_put_back(store: Store) -> None:
    interrupted, submitted, completed = add_queued(store), add(store), add_queued(store)
    store.move(interrupted.id, TO_IN_PROGRESS)
    store.move(completed.id, TO_IN_PROGRESS)
    store.move(completed.id, TO_COMPLETED)
    assert store.requeue_interrupted() == 1
    assert [status_of(store, task) for task in (interrupted, submitted, completed)] == [
        "Queued",
        "Submitted",
        "Completed",
    ]


def test_everything_is_there_again_after_reopening(tmp_path: Path) -> None:
    first = Store.in_folder(tmp_path)
    tasks = [add(first), add_queued(first)]
    stored = [first.find(task.id) for task in tasks]
    first.close()
    second = Store.in_folder(tmp_path)
    assert [second.find(task.id) for task in tasks] == stored
    assert second.unfetched() == [stored[0]]
    second.close()


def test_a_write_is_on_disk_when_it_returns(store: Store, tmp_path: Path) -> None:
    task = add(store)
    with sqlite3.connect(tmp_path / "tasks.sqlite") as other:
        rows = other.execute("select id, status from tasks").fetchall()
    other.close()
    assert rows == [(task.id, "Submitted")]
    with store._engine.connect() as connection:
        settings = [
            connection.execute(sa.text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")
        ]
    assert settings == ["wal", 2]


def test_an_application_finds_only_its_own_tasks(store: Store) -> None:
    mine, other = add(store, "me"), add(store, "Me")
    assert store.find(mine.id, application="me") == mine
    assert store.find(other.id, application="me") is None
    window = {
        "start": NOON.subtract(years=9),
        "end": NOON.add(years=90),
        "exclude_deleted": False,
        "limit": 9,
    }
    assert store.in_window("me", **window) == [mine]  # type: ignore[arg-type]  # the values are of their types


def test_a_window_holds_its_first_and_its_last_second_and_is_ordered_by_change(
    store: Store, set_clock: Callable[[pendulum.DateTime], None]
) -> None:
    tasks = []
    for milliseconds in (-1, 0, 999, 5999, 6000):
        set_clock(NOON.add(microseconds=milliseconds * 1000))
        tasks.append(add(store))
    set_clock(NOON.add(seconds=5))
    store.move(tasks[1].id, TO_QUEUED)

    def listed(limit: int) -> list[str]:
        found = store.in_window(
            "app", start=NOON, end=NOON.add(seconds=5), exclude_deleted=False, limit=limit
        )
        return [task.id for task in found]

    expected = [tasks[2].id, tasks[1].id, tasks[3].id]
    assert listed(10) == expected
    assert listed(2) == expected[:2]


def test_deleted_tasks_are_listed_unless_they_are_excluded(store: Store) -> None:
    deleted, kept = add(store), add(store)
    store.move(deleted.id, TO_DELETED)

    def listed(exclude_deleted: bool) -> set[str]:
        start, end = NOON.subtract(years=9), NOON.add(years=90)
        found = store.in_window("app", start=start, end=end, exclude_deleted=exclude_deleted, limit=9)
        return {task.id for task in found}

    assert listed(exclude_deleted=False) == {deleted.id, kept.id}
    assert listed(exclude_deleted=True) == {kept.id}


def test_finished_tasks_are_those_that_ended_the_oldest_end_first(
    store: Store, set_clock: Callable[[pendulum.DateTime], None]
) -> None:
    completed, failed, suspended, _submitted = (add(store) for _ in range(4))
    set_clock(NOON)
    store.move(failed.id, Move(TaskStatus.SUBMITTED, TaskStatus.PROCESSING_FAILED), error="x")
    set_clock(NOON.add(seconds=1))
    store.move(suspended.id, Move(TaskStatus.SUBMITTED, TaskStatus.NOT_ENOUGH_CREDITS))
    set_clock(NOON.add(seconds=2))
    for move in (TO_QUEUED, TO_IN_PROGRESS, TO_COMPLETED):
        store.move(completed.id, move)
    ended = [failed.id, suspended.id, completed.id]
    assert [task.id for task in store.finished("app", limit=100)] == ended
    assert [task.id for task in store.finished("app", limit=2)] == ended[:2]
    assert store.finished("other", limit=100) == []


def test_tasks_are_counted_by_status(store: Store) -> None:
    add(store)
    add_queued(store)
    add_queued(store)
    assert [store.count(status) for status in (TaskStatus.SUBMITTED, TaskStatus.QUEUED)] == [1, 2]
    assert store.count(TaskStatus.COMPLETED) == 0


def test_the_error_of_a_broken_database_shows_neither_source_nor_settings(
    store: Store, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "tasks.sqlite") as other:
        other.execute("drop table tasks")
    other.close()
    with pytest.raises(sa.exc.OperationalError) as failure:
        add(store)
    assert "signature=abc" not in str(failure.value)
    assert "a & b" not in str(failure.value)


def submitted(store: Store) -> StoredTask:
    return store.add(application="app", source=None, settings=SETTINGS)


def test_a_task_may_begin_as_queued_under_a_given_id(store: Store) -> None:
    ocr_task_id = new_task_id()
    task = store.add(
        application="app", source=None, settings=SETTINGS, status=TaskStatus.QUEUED, ocr_task_id=ocr_task_id
    )
    assert (task.id, task.status, task.source) == (ocr_task_id, "Queued", None)
    claimed = store.claim_queued()
    assert claimed is not None
    assert claimed.id == ocr_task_id


def test_an_image_is_counted_only_when_it_is_kept(store: Store) -> None:
    task, numbers = submitted(store), []

    def refuse(_: StoredTask) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        store.add_image(task.id, refuse)
    assert store.find(task.id) == task
    for _ in range(2):
        added = store.add_image(task.id, lambda task: numbers.append(task.files_count))
        assert added == store.find(task.id)
    assert numbers == [2, 3]


@pytest.mark.parametrize("moves", [[TO_DELETED], [TO_QUEUED], [TO_QUEUED, TO_IN_PROGRESS]])
def test_a_task_that_has_left_takes_no_image(moves: list[Move], store: Store) -> None:
    task, kept = submitted(store), []
    for move in moves:
        assert store.move(task.id, move)
    assert store.add_image(task.id, kept.append) is None
    assert store.add_image(add(store).id, kept.append) is None
    assert kept == []


def test_a_start_sets_the_settings_and_forgets_the_quality_of_the_run_before(store: Store) -> None:
    task = submitted(store)
    for move in (TO_QUEUED, TO_IN_PROGRESS):
        store.move(task.id, move)
    store.move(task.id, TO_COMPLETED, credits=15, quality=encode_quality({"X-Ocr-Pages": "3"}))
    completed = store.find(task.id)
    assert completed is not None
    settings = ProcessingSettings.parse(export_format="txt")
    started = store.start(completed, settings)
    assert started == store.find(task.id)
    assert started is not None
    assert (started.status, started.settings, started.quality, started.credits) == (
        "Queued",
        settings,
        {},
        15,
    )
    assert store.start(completed, SETTINGS) is None
    assert store.find(task.id) == started


def test_only_tasks_with_a_source_are_fetched_and_only_those_that_go_on_hold_files(store: Store) -> None:
    waiting, uploaded, deleted, failed = add(store), submitted(store), submitted(store), add(store)
    store.move(deleted.id, TO_DELETED)
    store.move(failed.id, Move(TaskStatus.SUBMITTED, TaskStatus.PROCESSING_FAILED), error="x")
    assert store.unfetched() == [waiting]
    assert store.holding_files() == {waiting.id, uploaded.id}
