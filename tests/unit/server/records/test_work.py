# SPDX-License-Identifier: Apache-2.0
"""Work is handed out once at a time and in turns, and what is done under a lost lease does not count."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.database import now_ms
from airflow_provider_ocr.server.records.store import HeldImage
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import Work
from tests.unit.server.conftest import Tasks

IMAGE = HeldImage(size=1000, pages=2, billed_pages=3)


def claimed(tasks: Tasks) -> StoredTask:
    task = tasks.work.claim()
    assert task is not None
    return task


def let_lease_end(tasks: Tasks, task: StoredTask) -> None:
    tasks.set(task.id, lease_until_ms=now_ms() - 1)


def elsewhere(tasks: Tasks) -> Work:
    return Work(tasks.database, tasks.sealer, server="elsewhere")


def credits_of(tasks: Tasks, name: str = "app") -> tuple[int | None, int, int]:
    application = tasks.applications.find(name)
    assert application is not None
    return application.credits, application.reserved, application.used


def test_threads_that_claim_never_get_the_same_document(tasks: Tasks) -> None:
    queued = {tasks.held(name).id for name in ("app", "other") for _ in range(12)}
    got: list[str] = []
    barrier = threading.Barrier(4)

    def claim_all() -> None:
        barrier.wait()
        while (task := tasks.work.claim()) is not None:
            assert task.status is TaskStatus.IN_PROGRESS
            got.append(task.id)

    threads = [threading.Thread(target=claim_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 24
    assert set(got) == queued


def test_applications_take_turns_whatever_one_of_them_has_queued(tasks: Tasks) -> None:
    backfill = [tasks.held("app").id for _ in range(4)]
    single = tasks.held("other").id
    order = [claimed(tasks).id for _ in range(5)]
    assert order.index(single) <= 1
    assert [ocr_task_id for ocr_task_id in order if ocr_task_id != single] == backfill


def test_after_its_slice_a_long_document_stands_behind_a_short_one(tasks: Tasks) -> None:
    long = tasks.held(pages=500)
    short = tasks.held()
    assert claimed(tasks).id == long.id
    assert tasks.work.others_wait()
    assert tasks.work.put_back(tasks.find(long.id), after_seconds=10)
    assert [claimed(tasks).id for _ in range(2)] == [short.id, long.id]
    assert not tasks.work.others_wait()


def test_a_long_document_is_not_passed_by_for_ever(tasks: Tasks) -> None:
    long = tasks.held(pages=500)
    assert tasks.work.put_back(claimed(tasks), after_seconds=10)
    late = tasks.held()
    tasks.set(late.id, ready_ms=now_ms() + 61_000)
    assert claimed(tasks).id == long.id


def test_a_lease_that_has_ended_is_taken_over_and_one_that_was_renewed_is_not(tasks: Tasks) -> None:
    tasks.held()
    task = claimed(tasks)
    assert elsewhere(tasks).claim() is None
    let_lease_end(tasks, task)
    tasks.work.renew([task])
    assert elsewhere(tasks).claim() is None
    let_lease_end(tasks, task)
    taken = elsewhere(tasks).claim()
    assert taken is not None
    assert (taken.id, taken.status) == (task.id, "InProgress")
    assert taken.lease != task.lease


def test_who_has_lost_the_lease_changes_nothing(tasks: Tasks) -> None:
    tasks.held(pages=2)
    late = claimed(tasks)
    let_lease_end(tasks, late)
    taken = elsewhere(tasks).claim()
    assert taken is not None
    assert not tasks.work.complete(late, run="late", pages=2, quality={})
    assert not tasks.work.fail(late, "too late")
    assert not tasks.work.put_back(late, after_seconds=1)
    assert not tasks.work.put_back_after_fault(late)
    tasks.work.renew([late])
    assert tasks.find(late.id) == taken
    assert tasks.work.complete(taken, run="right", pages=2, quality={"X-Ocr-Pages": "2"})
    done = tasks.find(late.id)
    assert (done.status, done.run, done.credits, done.charged) == ("Completed", "right", 10, True)
    assert [entry.credits for entry in tasks.applications.ledger("app")] == [-10]


def test_a_result_is_published_and_charged_once(tasks: Tasks) -> None:
    tasks.admit("poor", credits=12)
    tasks.held("poor", pages=2)
    task = claimed(tasks)
    assert credits_of(tasks, "poor") == (12, 10, 0)
    assert tasks.work.complete(task, run="run-1", pages=2, quality={})
    assert not tasks.work.complete(task, run="run-2", pages=2, quality={})
    assert credits_of(tasks, "poor") == (2, 0, 10)
    entries = tasks.applications.ledger("poor")
    assert [(entry.ocr_task_id, entry.pages, entry.credits) for entry in entries] == [
        (None, 0, 12),
        (task.id, 2, -10),
    ]


def test_a_document_that_could_not_be_measured_is_charged_by_what_was_recognised(tasks: Tasks) -> None:
    tasks.held(pages=0)
    assert tasks.work.complete(claimed(tasks), run="run-1", pages=4, quality={})
    assert credits_of(tasks) == (None, 0, 20)


def test_a_failed_document_costs_nothing_and_says_why(tasks: Tasks) -> None:
    tasks.admit("poor", credits=12)
    task = tasks.held("poor", pages=2)
    assert tasks.work.fail(claimed(tasks), "Page 2 is damaged.")
    failed = tasks.find(task.id)
    assert (failed.status, failed.error, failed.credits) == ("ProcessingFailed", "Page 2 is damaged.", 0)
    assert not failed.holds_images
    assert credits_of(tasks, "poor") == (12, 0, 0)


def test_a_second_run_that_fails_does_not_hide_what_the_first_one_cost(tasks: Tasks) -> None:
    task = tasks.remote()
    tasks.bring(task.id, TaskStatus.COMPLETED, pages=2)
    done = tasks.find(task.id)
    assert tasks.store.start(done, done.settings) is not None
    assert tasks.work.fail(tasks.claimed(task.id), "no")
    assert (tasks.find(task.id).status, tasks.find(task.id).credits) == ("ProcessingFailed", 10)
    assert [entry.credits for entry in tasks.applications.ledger("app")] == [-10]


@pytest.mark.parametrize("end", ["complete", "fail"])
def test_source_and_password_are_forgotten_when_they_have_served(end: str, tasks: Tasks) -> None:
    task = tasks.remote(pdf_password="geheim", description="kept")
    tasks.image_fetched(task.id)
    held = tasks.find(task.id)
    assert (held.source, held.settings.pdf_password) == (None, "geheim")
    mine = claimed(tasks)
    if end == "complete":
        assert tasks.work.complete(mine, run="run", pages=1, quality={})
    else:
        assert tasks.work.fail(mine, "no")
    ended = tasks.find(task.id)
    assert (ended.settings.pdf_password, ended.settings.description) == ("", "kept")
    assert ended.protected


def test_an_image_is_fetched_by_one_and_queues_its_task(tasks: Tasks) -> None:
    tasks.admit("poor", credits=14)
    task = tasks.remote("poor")
    assert tasks.work.unfetched() == [task]
    mine = tasks.work.claim_source(task.id)
    assert mine is not None
    assert elsewhere(tasks).claim_source(task.id) is None
    assert tasks.work.unfetched() == []
    assert tasks.work.fetched(mine, IMAGE)
    suspended = tasks.find(task.id)
    assert (suspended.status, suspended.credits, suspended.holds_images) == ("NotEnoughCredits", 15, True)
    assert not tasks.work.fetched(mine, IMAGE)


def test_a_task_that_was_deleted_while_its_image_was_fetched_stays_deleted(tasks: Tasks) -> None:
    task = tasks.remote()
    mine = tasks.work.claim_source(task.id)
    assert mine is not None
    assert not tasks.work.is_over(task.id)
    assert tasks.store.delete(mine)
    assert not tasks.work.fetched(mine, IMAGE)
    assert tasks.work.is_over(task.id)
    assert tasks.find(task.id).status is TaskStatus.DELETED


def test_faults_of_the_server_are_tried_again_later_and_end_as_a_failure(tasks: Tasks) -> None:
    task = tasks.held()
    pauses = []
    for _ in range(5):
        mine = claimed(tasks)
        assert tasks.work.put_back_after_fault(mine)
        assert tasks.work.claim() is None
        with tasks.database.read() as connection:
            until = connection.exec_driver_sql("select lease_until_ms from tasks").scalar_one()
        pauses.append(until - now_ms())
        tasks.set(task.id, lease_until_ms=0)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]
    assert tasks.work.put_back_after_fault(claimed(tasks))
    failed = tasks.find(task.id)
    assert (failed.status, failed.error) == (
        "ProcessingFailed",
        "Internal error of the server; its log says more.",
    )


def test_a_server_that_starts_again_takes_up_its_own_work_and_no_other(tasks: Tasks) -> None:
    for _ in range(2):
        tasks.held()
    remote = tasks.remote()
    mine, theirs = claimed(tasks), elsewhere(tasks).claim()
    assert theirs is not None
    assert tasks.work.claim_source(remote.id) is not None
    again = Work(tasks.database, tasks.sealer, server="here")
    assert again.give_up_old_leases() == 2
    taken = again.claim()
    assert taken is not None
    assert taken.id == mine.id
    assert again.claim() is None
    assert [task.id for task in again.unfetched()] == [remote.id]


def test_pages_that_wait_and_the_longest_wait_are_known(tasks: Tasks) -> None:
    assert (tasks.work.pages_waiting(), tasks.work.queued_seconds()) == (0, 0.0)
    tasks.held(pages=3)
    old = tasks.held(pages=4)
    tasks.set(old.id, changed_ms=now_ms() - 60_000)
    assert tasks.work.pages_waiting() == 7
    assert 60 <= tasks.work.queued_seconds() < 90
