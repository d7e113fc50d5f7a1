# SPDX-License-Identifier: Apache-2.0
"""What exists is told in the contract's terms to its owner, and deleted without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pendulum
import pytest

from airflow_provider_ocr.protocol.times import render_time
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api import existing as existing_module
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.records.choices import Choices, DeletedTask, ListFilter, ListOrder
from airflow_provider_ocr.server.records.database import Database
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.workers.measuring import Measuring

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server

S, Q, P, C, F, N, D = (
    TaskStatus.SUBMITTED,
    TaskStatus.QUEUED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.COMPLETED,
    TaskStatus.PROCESSING_FAILED,
    TaskStatus.NOT_ENOUGH_CREDITS,
    TaskStatus.DELETED,
)

# What no database has a part in is asked of one.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@one_database
@pytest.mark.parametrize("method", ["getTaskStatus", "listTasks", "listFinishedTasks", "deleteTask"])
def test_parameters_that_a_method_does_not_have_are_refused(method: str, server: Server) -> None:
    query = (
        {"taskId": server.task_in(S), "region": ""}
        if "Task" in method and "list" not in method
        else {"region": ""}
    )
    assert server.refusal(method, query) == "region: the method knows no such parameter."


@one_database
@pytest.mark.parametrize("method", ["getTaskStatus", "deleteTask"])
@pytest.mark.parametrize(
    ("ocr_task_id", "reason"),
    [
        (None, "the parameter is missing"),
        ("", "the parameter is missing"),
        ("00000000-0000-0000-0000-000000000000", "there is no task '00000000-0000-0000-0000-000000000000'"),
        ("0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4", "there is no task"),
        ("' or 1=1 --", "there is no task"),
        ("%", "there is no task"),
        ("../../etc/passwd", "there is no task"),
        ("x" * 10_000, "there is no task"),
    ],
)
def test_a_task_id_that_names_no_task_is_refused(
    method: str, ocr_task_id: str | None, reason: str, server: Server
) -> None:
    server.task_in(C)
    refusal = server.refusal(method, {} if ocr_task_id is None else {"taskId": ocr_task_id})
    assert refusal.startswith(f"taskId: {reason}")
    assert len(refusal) < 200


@pytest.mark.parametrize("status", [S, Q, P, C, F, N])
def test_the_status_is_told_in_any_spelling_of_the_id(status: TaskStatus, server: Server) -> None:
    ocr_task_id = server.task_in(status)
    for spelling in (ocr_task_id, ocr_task_id.upper(), f" {ocr_task_id} "):
        (task,) = server.call("getTaskStatus", {"taskId": spelling})
        assert (task.id, task.status) == (ocr_task_id, status)


@pytest.mark.parametrize("status", list(TaskStatus))
def test_an_estimate_comes_with_queued_and_in_progress_and_urls_with_completed(
    status: TaskStatus, server: Server
) -> None:
    ocr_task_id = server.task_in(status, exportFormat="txt,xml")
    (task,) = (task for task in server.call("listTasks") if task.id == ocr_task_id)
    assert task.estimated_processing_time == (7 if status in (Q, P) else None)
    paths = [urlsplit(url).path for url in task.result_urls]
    assert paths == ([f"/results/{ocr_task_id}/{place}" for place in (1, 2)] if status is C else [])
    assert all(url.startswith("http://ocr.example/results/") for url in task.result_urls)


def test_an_application_sees_and_deletes_only_its_own_tasks(server: Server) -> None:
    mine, other = server.task_in(C), server.task_in(C, "other")
    for method in ("getTaskStatus", "deleteTask"):
        assert "there is no task" in server.refusal(method, {"taskId": other})
    for method in ("listTasks", "listFinishedTasks"):
        assert [task.id for task in server.call(method)] == [mine]
        assert server.call(method, application="stranger") == []
    (task,) = server.call("getTaskStatus", {"taskId": other}, "other")
    assert task.status == "Completed"


def test_the_list_holds_what_changed_in_the_window_in_the_order_of_change(server: Server) -> None:
    noon = pendulum.datetime(2026, 11, 1, 12)
    tasks = [server.task_in(status) for status in (D, C, S, F, Q)]
    for task, second in zip(tasks, (20, 9, 11, 21, 10), strict=True):
        server.set_changed(task, noon.add(seconds=second))

    def listed(start: int, end: int, **query: str) -> list[int]:
        window = {
            "fromDate": render_time(noon.add(seconds=start)),
            "toDate": render_time(noon.add(seconds=end)),
        }
        return [tasks.index(task.id) for task in server.call("listTasks", {**window, **query})]

    assert listed(10, 20) == [4, 2, 0]
    assert listed(10, 20, excludeDeleted="TRUE") == [4, 2]
    assert listed(10, 20, excludeDeleted="false") == [4, 2, 0]
    assert listed(0, 60) == [1, 4, 2, 0, 3]
    assert listed(11, 11) == [2]
    assert listed(12, 19) == []


def test_the_window_is_the_last_seven_days_up_to_now_unless_told(server: Server) -> None:
    now = pendulum.now("UTC")
    old, recent = server.task_in(C), server.task_in(C)
    fresh = server.task_in(C)
    server.set_changed(old, now.subtract(days=7, minutes=1))
    server.set_changed(recent, now.subtract(days=7).add(minutes=1))
    assert [task.id for task in server.call("listTasks")] == [recent, fresh]
    earlier = {"toDate": render_time(now.subtract(days=1))}
    assert [task.id for task in server.call("listTasks", earlier)] == [old, recent]
    since = {"fromDate": render_time(now.subtract(days=8))}
    assert [task.id for task in server.call("listTasks", since)] == [old, recent, fresh]


def test_a_window_may_lie_anywhere_in_the_calendar(server: Server) -> None:
    task = server.task_in(C)
    window = {"fromDate": "1970-01-01T00:00:00Z", "toDate": "9999-12-31T23:59:59Z"}
    assert [found.id for found in server.call("listTasks", window)] == [task]
    assert server.call("listTasks", {"toDate": "1970-01-01T00:00:00Z"}) == []


@one_database
@pytest.mark.parametrize("name", ["fromDate", "toDate"])
@pytest.mark.parametrize(
    "value",
    [
        *(
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "1795384800000000",
        ),
        *("P7D", "2026-01-01/2026-02-01", "0000-01-01T00:00:00Z", "0001-01-03T00:00:00Z", "x" * 5000),
        *(
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "10000-01-01T00:00:00Z",
            "2026-11-22T14:00:00%",
        ),
    ],
)
def test_a_bad_date_is_refused_by_name(name: str, value: str, server: Server) -> None:
    refusal = server.refusal("listTasks", {name: value})
    assert refusal.startswith(f"{name}: ")
    assert "is not a date such as" in refusal
    assert len(refusal) < 200


@one_database
def test_a_window_that_begins_after_it_ends_is_refused(server: Server) -> None:
    window = {"fromDate": "2026-11-02T00:00:00Z", "toDate": "2026-11-01T00:00:00Z"}
    assert server.refusal("listTasks", window).startswith("fromDate: ")
    assert server.refusal("listTasks", {"fromDate": "2999-01-01T00:00:00Z"}).startswith("fromDate: ")


@one_database
@pytest.mark.parametrize("value", ["yes", "1", " "])
def test_a_bad_switch_is_refused_by_name(value: str, server: Server) -> None:
    assert server.refusal("listTasks", {"excludeDeleted": value}).startswith("excludeDeleted: ")


def test_an_empty_switch_is_the_default(server: Server) -> None:
    deleted = server.task_in(D)
    assert [task.id for task in server.call("listTasks", {"excludeDeleted": ""})] == [deleted]


def test_finished_tasks_are_listed_in_the_order_in_which_they_ended(server: Server) -> None:
    for status in (S, P, D):
        server.task_in(status)
    ended = [server.task_in(status) for status in (F, C, N)]
    server.task_in(Q, "other")
    for task, minutes in zip(ended, (3, 1, 2), strict=True):
        server.set_changed(task, pendulum.now("UTC").subtract(minutes=minutes))
    assert [task.id for task in server.call("listFinishedTasks")] == [ended[0], ended[2], ended[1]]


def test_the_lists_end_where_the_contract_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (existing_module.LIST_LIMIT, existing_module.FINISHED_LIMIT) == (1000, 100)
    monkeypatch.setattr(existing_module, "LIST_LIMIT", 3)
    monkeypatch.setattr(existing_module, "FINISHED_LIMIT", 2)
    tasks = [server.task_in(F) for _ in range(4)]
    for place, task in enumerate(tasks):
        server.set_changed(task, pendulum.now("UTC").subtract(minutes=9 - place))
    assert [task.id for task in server.call("listTasks")] == tasks[:3]
    assert [task.id for task in server.call("listFinishedTasks")] == tasks[:2]


def hold(server: Server, ocr_task_id: str) -> None:
    """Keep an image of a task."""
    with server.files.incoming() as image:
        image.write_text("image")
        server.files.keep(image, ocr_task_id)


@pytest.mark.parametrize("status", [S, Q, C, F, N, D])
def test_a_task_is_deleted_with_its_image_and_results_also_a_second_time(
    status: TaskStatus, server: Server, tmp_path: Path
) -> None:
    ocr_task_id = server.task_in(status, description="private")
    hold(server, ocr_task_id)
    (server.files.pages_folder(ocr_task_id, "recognition") / "1.page").write_text("page")
    (server.files.new_run(ocr_task_id, "run-1") / "result1.txt").write_text("text")
    server.files.publish(ocr_task_id, "run-1")
    for _ in range(2):
        (task,) = server.call("deleteTask", {"taskId": ocr_task_id})
        assert (task.id, task.status, task.result_urls) == (ocr_task_id, "Deleted", ())
        assert [path for path in tmp_path.rglob("*") if ocr_task_id in str(path)] == []
    stored = server.tasks.find(ocr_task_id)
    assert (stored.source, stored.settings.description, stored.run) == (None, "", None)
    assert (
        server.refusal("getTaskStatus", {"taskId": ocr_task_id})
        == f"taskId: the task {ocr_task_id} is deleted."
    )
    assert [task.status for task in server.call("listTasks")] == ["Deleted"]


def test_a_task_in_progress_is_not_deleted(server: Server) -> None:
    ocr_task_id = server.task_in(P)
    hold(server, ocr_task_id)
    assert "is in progress" in server.refusal("deleteTask", {"taskId": ocr_task_id})
    with server.files.local_images(ocr_task_id, 1) as (image,):
        assert image.read_text() == "image"
    assert [task.status for task in server.call("listTasks")] == ["InProgress"]


@pytest.fixture
def choosing(
    tmp_path: Path, tessdata: Tessdata, measuring: Measuring, database: Database, server: Server
) -> Callable[..., Server]:
    """The same server with other choices."""

    def with_choices(**choices: Any) -> Server:
        backend = type(server.backend)(
            tmp_path, tessdata=tessdata, measuring=measuring, database=database, choices=Choices(**choices)
        )
        return type(server)(backend)

    return with_choices


def test_a_deleted_task_may_be_told_as_deleted(server: Server, choosing: Callable[..., Server]) -> None:
    other = choosing(deleted_task=DeletedTask.STATUS)
    (task,) = other.call("getTaskStatus", {"taskId": server.task_in(D)})
    assert (task.status, task.result_urls) == ("Deleted", ())
    assert "there is no task" in other.refusal("getTaskStatus", {"taskId": "x"})


def test_the_lists_may_begin_with_the_newest_and_filter_on_registration(
    server: Server, choosing: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(existing_module, "FINISHED_LIMIT", 2)
    noon = pendulum.datetime(2026, 11, 1, 12)
    tasks = [server.task_in(F) for _ in range(3)]
    for task, registered, changed in zip(tasks, (0, 1, 9), (8, 5, 9), strict=True):
        server.set_changed(task, noon.add(seconds=registered), column="registered_ms")
        server.set_changed(task, noon.add(seconds=changed))

    def listed(end: int, **choices: Any) -> list[int]:
        window = {"fromDate": render_time(noon), "toDate": render_time(noon.add(seconds=end))}
        return [tasks.index(task.id) for task in choosing(**choices).call("listTasks", window)]

    newest, registered = {"list_order": ListOrder.NEWEST}, {"list_filter": ListFilter.REGISTERED}
    assert (listed(60), listed(5)) == ([1, 0, 2], [1])
    assert (listed(60, **newest), listed(8, **newest)) == ([2, 0, 1], [0, 1])
    assert (listed(60, **registered), listed(5, **registered)) == ([1, 0, 2], [1, 0])
    assert listed(5, **newest, **registered) == [0, 1]
    finished = choosing(**newest).call("listFinishedTasks")
    assert [tasks.index(task.id) for task in finished] == [2, 0]


def test_a_deletion_that_comes_as_the_task_moves_on_looks_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocr_task_id = server.task_in(Q)
    delete, tries = server.store.delete, []

    def claimed_before(task: StoredTask) -> bool:
        if not tries:
            server.tasks.claimed(ocr_task_id)
        tries.append(task.status)
        return delete(task)

    monkeypatch.setattr(server.store, "delete", claimed_before)
    assert "is in progress" in server.refusal("deleteTask", {"taskId": ocr_task_id})
    assert tries == [Q]


def test_a_task_that_is_deleted_before_it_is_recognised_gives_its_credits_back(server: Server) -> None:
    server.applications.credit("app", 15)
    queued = server.task_in(Q)
    assert server.answer("getApplicationInfo").fields == 10
    server.call("deleteTask", {"taskId": queued})
    assert server.answer("getApplicationInfo").fields == 15
    assert [entry.credits for entry in server.applications.ledger("app")] == [15]


def test_a_task_that_is_deleted_after_it_was_recognised_stays_paid_for(server: Server) -> None:
    server.applications.credit("app", 15)
    server.call("deleteTask", {"taskId": server.task_in(C)})
    assert server.answer("getApplicationInfo").fields == 10
    assert [entry.credits for entry in server.applications.ledger("app")] == [15, -5]


def test_an_application_is_told_that_it_has_no_limit(server: Server) -> None:
    info = server.answer("getApplicationInfo")
    assert (info.name, info.pages, info.fields, info.type) == ("app", 100_000_000, 500_000_000, "Normal")
    assert info.expires == pendulum.datetime(2099, 12, 31)
    assert info.id == server.answer("getApplicationInfo").id
    assert info.id != server.answer("getApplicationInfo", application="other").id
    assert "taskid" in server.refusal("getApplicationInfo", {"taskId": "x"})


def test_an_application_is_told_what_it_has_left_beside_what_is_promised(server: Server) -> None:
    server.applications.credit("app", 23)

    def left() -> tuple[int, int]:
        info = server.answer("getApplicationInfo")
        return info.pages, info.fields

    assert left() == (4, 23)
    server.task_in(P)
    assert left() == (3, 18)
    server.task_in(Q)
    assert left() == (2, 13)
    server.task_in(S)
    assert left() == (2, 13)
    assert server.answer("getApplicationInfo", application="other").pages == 100_000_000


def test_credits_that_were_taken_away_while_promised_are_told_as_none(server: Server) -> None:
    server.applications.credit("app", 5)
    server.task_in(Q)
    server.applications.credit("app", -5)
    assert server.answer("getApplicationInfo").fields == 0
