# SPDX-License-Identifier: Apache-2.0
"""What a server works on stays its own for as long as it lives, and no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.records.database import now_ms
from airflow_provider_ocr.server.records.database import tasks as tasks_table
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import LEASE_SECONDS
from airflow_provider_ocr.server.workers.leases import Leases
from tests.unit.server.shop import wait_until

if TYPE_CHECKING:
    from tests.unit.server.conftest import Tasks

SETTINGS = ProcessingSettings.parse(export_format="txt")


@pytest.fixture
def leases(tasks: Tasks) -> Iterator[Leases]:
    """Leases that are renewed all the time."""
    leases = Leases(tasks.work, every_seconds=0.01)
    leases.start()
    yield leases
    leases.stop()


@pytest.fixture
def claim(tasks: Tasks) -> Callable[[], StoredTask]:
    """Makes a task that is in progress."""

    def claimed() -> StoredTask:
        task = tasks.store.add_remote(application="app", source="https://h/x", settings=SETTINGS)
        tasks.image_fetched(task.id)
        return tasks.claimed(task.id)

    return claimed


def seconds_left(tasks: Tasks, task: StoredTask) -> float:
    query = sa.select(tasks_table.c.lease_until_ms).where(tasks_table.c.id == task.id)
    with tasks.database.read() as connection:
        return float(connection.execute(query).scalar_one() - now_ms()) / 1000


def let_expire(tasks: Tasks, task: StoredTask, **values: object) -> None:
    """Have the lease of a task end now."""
    update = sa.update(tasks_table).where(tasks_table.c.id == task.id)
    with tasks.database.write() as connection:
        connection.execute(update.values({"lease_until_ms": now_ms() - 1, **values}))


def test_leases_are_renewed_while_they_are_held_and_not_afterwards(
    tasks: Tasks, leases: Leases, claim: Callable[[], StoredTask]
) -> None:
    held, also_held, other = claim(), claim(), claim()
    with leases.hold(held):
        with leases.hold(also_held):
            for task in (held, also_held, other):
                let_expire(tasks, task)
            wait_until(lambda: min(seconds_left(tasks, task) for task in (held, also_held)) > 50)
            assert seconds_left(tasks, held) <= LEASE_SECONDS
            assert seconds_left(tasks, other) < 0

        def is_renewed_alone() -> bool:
            let_expire(tasks, also_held)
            let_expire(tasks, held)
            wait_until(lambda: seconds_left(tasks, held) > 50)
            return seconds_left(tasks, also_held) < 0

        # One round of renewals may have been on its way.
        wait_until(is_renewed_alone)


def test_a_lease_that_another_server_has_taken_over_is_not_renewed(
    tasks: Tasks, leases: Leases, claim: Callable[[], StoredTask]
) -> None:
    lost, held = claim(), claim()
    with leases.hold(lost), leases.hold(held):
        for task in (lost, held):
            let_expire(tasks, task, **({"lease": "other-1"} if task is lost else {}))
        wait_until(lambda: seconds_left(tasks, held) > 50)
        assert seconds_left(tasks, lost) < 0


def test_a_lease_is_held_on_when_the_work_ends_with_an_exception_of_another(
    tasks: Tasks, leases: Leases, claim: Callable[[], StoredTask]
) -> None:
    held, failing = claim(), claim()
    with leases.hold(held):
        with pytest.raises(ValueError, match="broken"), leases.hold(failing):
            raise ValueError("broken")
        for task in (held, failing):
            let_expire(tasks, task)
        wait_until(lambda: seconds_left(tasks, held) > 50)
        assert seconds_left(tasks, failing) < 0


def test_a_database_that_does_not_answer_for_a_while_is_asked_again(
    tasks: Tasks,
    claim: Callable[[], StoredTask],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    task, renew, refusals = claim(), tasks.work.renew, threading.Semaphore(2)

    def refuse_twice(leased: list[StoredTask]) -> None:
        if refusals.acquire(blocking=False):
            raise sa.exc.OperationalError("the database is away", None, Exception())
        renew(leased)

    monkeypatch.setattr(tasks.work, "renew", refuse_twice)
    leases = Leases(tasks.work, every_seconds=0.01)
    leases.start()
    with leases.hold(task):
        let_expire(tasks, task)
        wait_until(lambda: seconds_left(tasks, task) > 50)
    leases.stop()
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["the leases of 1 tasks could not be renewed"] * 2


def test_a_lease_lasts_for_several_renewals(tasks: Tasks, claim: Callable[[], StoredTask]) -> None:
    assert LEASE_SECONDS - 5 < seconds_left(tasks, claim()) <= LEASE_SECONDS
    assert Leases(tasks.work)._every_seconds * 3 < LEASE_SECONDS


def test_leases_that_were_never_kept_can_be_given_up(tasks: Tasks) -> None:
    before = threading.enumerate()
    leases = Leases(tasks.work)
    leases.stop()
    assert set(threading.enumerate()) <= set(before)
