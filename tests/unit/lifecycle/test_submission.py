# SPDX-License-Identifier: Apache-2.0
"""No image is paid for twice: what each try does, by what the tries before it left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.submission import (
    SETTLE_SECONDS,
    Decision,
    Prepare,
    Submission,
    Submitter,
    remote_image,
)
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask

if TYPE_CHECKING:
    from tests.unit.conftest import Received, ScriptedServer

SOURCE = "https://images.example/scan.png?sig=SECRET"
SETTINGS = ProcessingSettings.parse(export_format="txt", description="Invoice 7")
KEY = "0123456789abcdef0123"
MARKER = f"[airflow:{KEY}]"
START = pendulum.datetime(2026, 11, 22, 12)
SETTLED = SETTLE_SECONDS + 0.5


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = START
        self.sleeps: list[float] = []

    def now(self) -> pendulum.DateTime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time = self.time.add(seconds=seconds)


class MemoryRecord(dict[str, str]):
    """What Airflow keeps from one try to the next."""

    def set(self, key: str, value: str) -> None:
        self[key] = value


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record() -> MemoryRecord:
    return MemoryRecord()


@pytest.fixture
def submit(client: CloudOcrClient, record: MemoryRecord, clock: Clock) -> Callable[..., Submission]:
    """Makes one try."""

    def run(
        *,
        is_retry: bool = False,
        keeps: bool = True,
        uploads: bool = False,
        key: str = KEY,
        prepare: Prepare | None = None,
    ) -> Submission:
        submitter = Submitter(
            client=client,
            record=record if keeps else None,
            is_retry=is_retry,
            uploads=uploads,
            now=clock.now,
            sleep=clock.sleep,
        )
        return submitter.submit(prepare or remote_image(client, SOURCE), SETTINGS, key=key)

    return run


def _listed(**attributes: Any) -> OcrTask:
    return OcrTask(**{"id": "old", "status": "Queued", "description": f"Invoice 7 {MARKER}", **attributes})


def _paid(server: ScriptedServer) -> int:
    return len(server.asked("processRemoteImage"))


def _keys(server: ScriptedServer) -> list[str]:
    return [received.headers["Idempotency-Key"] for received in server.asked("processRemoteImage")]


def _looks(server: ScriptedServer) -> int:
    return len(server.asked("listTasks"))


@pytest.fixture(autouse=True)
def _accepts(server: ScriptedServer, tasks_body: Callable[..., bytes]) -> None:
    """Unless a test says otherwise the service takes the image, as task ``new``."""
    server.reply("processRemoteImage", tasks_body(id="new", status="Submitted"))


def test_the_first_try_submits_at_once_and_records_intent_and_id(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, clock: Clock
) -> None:
    submission = submit()
    assert (submission.task.id, submission.decision, submission.reason) == ("new", Decision.NEW, "first try")
    assert (_paid(server), _looks(server), clock.sleeps) == (1, 0, [])
    assert record == {
        "ocr_task_id": f"{KEY} new",
        "ocr_submission_intent": f"{KEY} 2026-11-22T12:00:00+00:00",
    }


def test_the_key_travels_behind_the_authors_description(
    server: ScriptedServer, submit: Callable[..., Submission]
) -> None:
    submit()
    assert server.asked("processRemoteImage")[0].query["description"] == f"Invoice 7 {MARKER}"


def test_the_key_is_sent_as_a_header_too(server: ScriptedServer, submit: Callable[..., Submission]) -> None:
    submit()
    assert _keys(server) == [KEY]


def test_a_try_after_an_unknown_outcome_sends_the_same_key(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.isoformat()}"
    server.reply("listTasks", render_tasks([_listed(description="Invoice 7")]))
    submit(is_retry=True)
    assert _keys(server) == [KEY]


def test_a_try_after_a_recorded_task_is_spent_asks_for_a_new_one(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord
) -> None:
    record["ocr_task_id"] = f"{KEY} old"
    server.refuse("getTaskStatus", 450, "No such task.")
    server.reply("listTasks", render_tasks([]))
    submit(is_retry=True)
    assert _keys(server) == [f"{KEY}.old"]


def test_a_try_without_a_record_learns_from_the_list_which_task_is_spent(
    server: ScriptedServer, submit: Callable[..., Submission]
) -> None:
    tasks = [
        _listed(id=f"task{number}", status=status, registration_time=START.add(seconds=number))
        for number, status in enumerate(["ProcessingFailed", "Deleted"])
    ]
    server.reply("listTasks", render_tasks(tasks))
    submit(is_retry=True, keeps=False)
    assert _keys(server) == [f"{KEY}.task1"]


@pytest.mark.parametrize("status", ["ProcessingFailed", "Deleted"])
@pytest.mark.parametrize("listed", [["old"], []], ids=["listed", "not listed any more"])
def test_an_answer_with_an_earlier_task_that_is_spent_is_not_settled_for(
    *,
    server: ScriptedServer,
    submit: Callable[..., Submission],
    record: MemoryRecord,
    tasks_body: Callable[..., bytes],
    status: str,
    listed: list[str],
) -> None:
    server.forget("processRemoteImage")
    server.reply("processRemoteImage", tasks_body(id="old", status=status))
    server.reply("processRemoteImage", tasks_body(id="new", status="Submitted"))
    server.reply("listTasks", render_tasks([_listed(id=task_id, status=status) for task_id in listed]))
    submission = submit()
    assert (submission.task.id, submission.decision) == ("new", Decision.NEW)
    assert f"an earlier try's task, which is {status}" in submission.reason
    assert _keys(server) == [KEY, f"{KEY}.old"]
    assert record["ocr_task_id"] == f"{KEY} new"


def test_a_chain_of_earlier_tasks_that_are_spent_is_walked_to_its_end(
    server: ScriptedServer, submit: Callable[..., Submission], tasks_body: Callable[..., bytes]
) -> None:
    # All in one second, so that nothing but the answers tells which of them is the last.
    spent = [
        _listed(id=f"task{number}", status="ProcessingFailed", registration_time=START)
        for number in (2, 1, 3)
    ]
    made = {KEY: "task2", f"{KEY}.task2": "task1", f"{KEY}.task1": "task3"}

    def answer(received: Received) -> bytes:
        earlier = made.get(received.headers["Idempotency-Key"])
        return tasks_body(id=earlier or "new", status="ProcessingFailed" if earlier else "Submitted")

    server.forget("processRemoteImage")
    server.on("processRemoteImage", answer)
    server.reply("listTasks", render_tasks(spent))
    assert submit().task.id == "new"
    assert _keys(server) == [KEY, f"{KEY}.task2", f"{KEY}.task1", f"{KEY}.task3"]


def test_a_service_that_fails_each_new_task_at_once_is_asked_no_more_than_twice(
    server: ScriptedServer, submit: Callable[..., Submission]
) -> None:
    made: list[OcrTask] = []

    def answer(received: Received) -> bytes:
        made.append(_listed(id=f"task{len(made)}", status="ProcessingFailed"))
        return render_tasks(made[-1:])

    server.forget("processRemoteImage")
    server.on("processRemoteImage", answer)
    server.on("listTasks", lambda received: render_tasks(made))
    assert submit().task.id == "task1"
    assert _paid(server) == 2


def test_a_service_that_answers_with_one_spent_task_only_is_asked_no_more_than_twice(
    server: ScriptedServer, submit: Callable[..., Submission], tasks_body: Callable[..., bytes]
) -> None:
    server.forget("processRemoteImage")
    server.reply("processRemoteImage", tasks_body(id="new", status="ProcessingFailed"))
    server.reply("listTasks", render_tasks([]))
    assert submit().task.status == "ProcessingFailed"
    assert _paid(server) == 2


def test_an_answer_with_a_spent_task_gives_way_to_a_later_one_that_is_of_use(
    server: ScriptedServer,
    submit: Callable[..., Submission],
    record: MemoryRecord,
    tasks_body: Callable[..., bytes],
) -> None:
    server.forget("processRemoteImage")
    server.reply("processRemoteImage", tasks_body(id="old", status="Deleted"))
    server.reply("listTasks", render_tasks([_listed(status="Deleted"), _listed(id="later")]))
    submission = submit()
    assert (submission.task.id, submission.decision) == ("later", Decision.ADOPTED_BY_KEY)
    assert (_paid(server), record["ocr_task_id"]) == (1, f"{KEY} later")


def test_the_intent_is_recorded_before_the_service_hears_of_it(
    server: ScriptedServer,
    submit: Callable[..., Submission],
    record: MemoryRecord,
    tasks_body: Callable[..., bytes],
) -> None:
    seen: list[dict[str, str]] = []

    def answer(received: Received) -> bytes:
        seen.append(dict(record))
        return tasks_body(id="new", status="Submitted")

    server.forget("processRemoteImage")
    server.on("processRemoteImage", answer)
    submit()
    assert [list(kept) for kept in seen] == [["ocr_submission_intent"]]


def test_the_record_holds_no_secret(submit: Callable[..., Submission], record: MemoryRecord) -> None:
    submit()
    assert "SECRET" not in repr(record)


@pytest.mark.parametrize("is_retry", [False, True])
@pytest.mark.parametrize("status", ["Submitted", "Queued", "InProgress", "Completed", "NotEnoughCredits"])
def test_a_recorded_task_that_is_of_use_is_adopted(
    server: ScriptedServer,
    submit: Callable[..., Submission],
    tasks_body: Callable[..., bytes],
    is_retry: bool,
    status: str,
) -> None:
    submit()
    server.reply("getTaskStatus", tasks_body(id="new", status=status))
    submission = submit(is_retry=is_retry)
    assert (submission.task.id, submission.decision) == ("new", Decision.ADOPTED_BY_ID)
    assert status in submission.reason
    assert (_paid(server), _looks(server)) == (1, 0)


@pytest.mark.parametrize("gone", ["ProcessingFailed", "Deleted", "450"])
def test_a_recorded_task_that_is_of_no_use_leads_to_a_new_one(
    server: ScriptedServer,
    submit: Callable[..., Submission],
    record: MemoryRecord,
    tasks_body: Callable[..., bytes],
    gone: str,
) -> None:
    record["ocr_task_id"] = f"{KEY} old"
    if gone == "450":
        server.refuse("getTaskStatus", 450, "No such task.")
    else:
        server.reply("getTaskStatus", tasks_body(id="old", status=gone))
    server.reply("listTasks", render_tasks([_listed(status="Deleted"), _listed(status="ProcessingFailed")]))
    submission = submit(is_retry=True)
    assert (submission.task.id, submission.decision) == ("new", Decision.NEW)
    assert submission.reason.startswith("the earlier try's task is ")
    assert record["ocr_task_id"] == f"{KEY} new"


@pytest.mark.parametrize("trouble", [{"status": 404}, {"status": 401}, {"status": 403}])
def test_a_recorded_task_whose_state_cannot_be_learned_is_not_replaced(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, trouble: dict[str, Any]
) -> None:
    record["ocr_task_id"] = f"{KEY} old"
    server.reply("getTaskStatus", **trouble)
    with pytest.raises(errors.OcrError):
        submit(is_retry=True)
    assert _paid(server) == 0


def test_what_another_request_left_does_not_count(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord
) -> None:
    record.update({"ocr_task_id": "otherkey old", "ocr_submission_intent": f"otherkey {START.isoformat()}"})
    assert submit().decision is Decision.NEW
    assert (_looks(server), len(server.asked("getTaskStatus"))) == (0, 0)


def test_a_task_whose_answer_was_lost_is_found_by_its_key(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, clock: Clock
) -> None:
    server.forget("processRemoteImage")
    server.reply("processRemoteImage", cut=0)
    with pytest.raises(errors.ConnectionFailedError):
        submit()
    server.reply("listTasks", render_tasks([_listed(id="other", description="Invoice 7"), _listed()]))
    submission = submit()
    assert (submission.task.id, submission.decision) == ("old", Decision.ADOPTED_BY_KEY)
    assert (_paid(server), clock.sleeps) == (1, [])
    assert record["ocr_task_id"] == f"{KEY} old"


def test_a_look_up_reaches_24_hours_around_the_intent_because_clocks_differ(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.subtract(hours=2).isoformat()}"
    server.reply("listTasks", render_tasks([_listed()]))
    submit()
    assert server.asked("listTasks")[0].query == {
        "fromDate": "2026-11-21T10:00:00Z",
        "toDate": "2026-11-23T12:00:00Z",
    }


def test_a_retry_without_a_record_looks_back_a_week_because_nobody_knows_how_old_the_task_is(
    server: ScriptedServer, submit: Callable[..., Submission]
) -> None:
    server.reply("listTasks", render_tasks([_listed(status="NotEnoughCredits")]))
    assert submit(is_retry=True, keeps=False).decision is Decision.ADOPTED_BY_KEY
    assert server.asked("listTasks")[0].query["fromDate"] == "2026-11-15T12:00:00Z"


@pytest.mark.parametrize(
    ("statuses", "adopted"),
    [
        (["Queued", "Completed"], "task1"),
        (["Completed", "ProcessingFailed", "Deleted"], "task0"),
        (["NotEnoughCredits"], "task0"),
    ],
)
def test_of_several_tasks_with_the_key_the_newest_that_is_of_use_is_adopted(
    server: ScriptedServer, submit: Callable[..., Submission], statuses: list[str], adopted: str
) -> None:
    tasks = [
        _listed(id=f"task{number}", status=status, registration_time=START.add(seconds=number))
        for number, status in enumerate(statuses)
    ]
    server.reply("listTasks", render_tasks(reversed(tasks)))
    assert submit(is_retry=True).task.id == adopted
    assert _paid(server) == 0


def test_a_task_that_is_absent_is_awaited_and_looked_up_twice_more_before_a_new_one(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, clock: Clock
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.isoformat()}"
    server.reply("listTasks", render_tasks([_listed(description="Invoice 7")]))
    submission = submit()
    assert submission.decision is Decision.NEW
    assert "no usable task of an earlier try" in submission.reason
    assert [received.path for received in server.received] == ["listTasks"] * 3 + ["processRemoteImage"]
    assert clock.sleeps == [SETTLED, 3.0]


@pytest.mark.parametrize("look", [2, 3])
def test_a_task_that_appears_late_is_adopted(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, look: int
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.isoformat()}"
    for _ in range(look - 1):
        server.reply("listTasks", render_tasks([]))
    server.reply("listTasks", render_tasks([_listed()]))
    assert submit().decision is Decision.ADOPTED_BY_KEY
    assert (_looks(server), _paid(server)) == (look, 0)


def test_an_old_intent_needs_no_settling(
    submit: Callable[..., Submission], server: ScriptedServer, record: MemoryRecord, clock: Clock
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.subtract(hours=1).isoformat()}"
    server.reply("listTasks", render_tasks([]))
    assert submit().decision is Decision.NEW
    assert (_looks(server), clock.sleeps) == (3, [3.0, 3.0])


@pytest.mark.parametrize("minutes", [-10, 10], ids=["slow", "fast"])
def test_the_settle_time_is_the_same_where_the_intent_was_timed_by_a_clock_that_is_wrong(
    submit: Callable[..., Submission],
    server: ScriptedServer,
    record: MemoryRecord,
    clock: Clock,
    minutes: int,
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.add(minutes=minutes).isoformat()}"
    server.reply("listTasks", render_tasks([]))
    assert submit(is_retry=True).decision is Decision.NEW
    assert clock.sleeps == [SETTLED, 3.0]


def test_a_call_that_sends_the_image_along_is_awaited_for_as_long_as_that_may_take(
    submit: Callable[..., Submission],
    server: ScriptedServer,
    client: CloudOcrClient,
    record: MemoryRecord,
    clock: Clock,
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.isoformat()}"
    server.reply("listTasks", render_tasks([]))
    assert submit(uploads=True).decision is Decision.NEW
    assert clock.sleeps == [client.timeouts.in_all + SETTLE_SECONDS, 3.0]


@pytest.mark.parametrize(("keeps", "sleeps"), [(True, [3.0]), (False, [SETTLED, 3.0])])
def test_a_retry_without_an_intent_settles_only_where_nothing_is_ever_recorded(
    server: ScriptedServer, submit: Callable[..., Submission], clock: Clock, keeps: bool, sleeps: list[float]
) -> None:
    server.reply("listTasks", render_tasks([]))
    assert submit(is_retry=True, keeps=keeps).decision is Decision.NEW
    assert clock.sleeps == sleeps


def test_without_a_record_a_retry_still_finds_the_task(
    server: ScriptedServer, submit: Callable[..., Submission]
) -> None:
    server.reply("listTasks", render_tasks([_listed()]))
    assert submit(is_retry=True, keeps=False).decision is Decision.ADOPTED_BY_KEY
    assert _paid(server) == 0


@pytest.mark.parametrize("failing", [1, 2, 3])
@pytest.mark.parametrize("trouble", [{"status": 404}, {"status": 401}, {"status": 450}, {"body": b"<html/>"}])
def test_a_look_up_that_fails_never_submits(
    server: ScriptedServer,
    submit: Callable[..., Submission],
    record: MemoryRecord,
    failing: int,
    trouble: dict[str, Any],
) -> None:
    record["ocr_submission_intent"] = f"{KEY} {START.isoformat()}"
    for _ in range(failing - 1):
        server.reply("listTasks", render_tasks([]))
    server.reply("listTasks", **trouble)
    with pytest.raises(errors.OcrError):
        submit(is_retry=True)
    assert (_looks(server), _paid(server)) == (failing, 0)
    assert record["ocr_submission_intent"] == f"{KEY} {START.isoformat()}"


@pytest.mark.parametrize("status", [401, 450])
def test_a_refusal_leaves_no_intent_behind(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, clock: Clock, status: int
) -> None:
    server.forget("processRemoteImage")
    server.refuse("processRemoteImage", status, "No.")
    with pytest.raises(errors.OcrError):
        submit()
    assert record == {"ocr_submission_intent": f"{KEY} refused"}
    with pytest.raises(errors.OcrError):
        submit()
    assert (_paid(server), _looks(server), clock.sleeps) == (2, 0, [])


@pytest.mark.parametrize(
    "trouble",
    [{"status": status} for status in (550, 429, 403, 404, 408, 409, 413)]
    + [{"stall": 3.0}, {"body": b"<html/>"}],
    ids=str,
)
def test_an_answer_that_leaves_doubt_keeps_the_intent(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, trouble: dict[str, Any]
) -> None:
    server.forget("processRemoteImage")
    server.reply("processRemoteImage", **trouble)
    with pytest.raises(errors.OcrError):
        submit()
    assert record == {"ocr_submission_intent": f"{KEY} {START.isoformat()}"}
    assert _paid(server) == 1


@pytest.mark.parametrize("damage", [{"status": 502}, {"length": 4000}, {"status": 404}], ids=str)
def test_a_task_that_stands_in_an_answer_that_cannot_be_used_is_adopted_by_the_next_try(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord, damage: dict[str, Any]
) -> None:
    made = OcrTask(id="c3187247-7e81-4d12-8767-bc886c1ab878", status="Submitted")
    server.forget("processRemoteImage")
    server.reply("processRemoteImage", render_tasks([made]), **damage)
    server.reply("getTaskStatus", render_tasks([made]))
    with pytest.raises(errors.OcrError):
        submit()
    assert record["ocr_task_id"] == f"{KEY} {made.id}"
    submission = submit(is_retry=True)
    assert (submission.task, submission.decision) == (made, Decision.ADOPTED_BY_ID)
    assert (_paid(server), _looks(server)) == (1, 0)


def test_a_record_that_cannot_be_written_keeps_the_call_from_being_made(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord
) -> None:
    def broken(key: str, value: str) -> None:
        raise OSError("the store is away")

    record.set = broken  # type: ignore[method-assign]  # a store that fails
    with pytest.raises(OSError, match="away"):
        submit()
    assert server.received == []


def test_an_image_that_cannot_be_made_ready_is_not_paid_for_and_leaves_no_intent(
    server: ScriptedServer, submit: Callable[..., Submission], record: MemoryRecord
) -> None:
    def unreadable() -> Any:
        raise OSError("the store is away")

    with pytest.raises(OSError, match="the store is away"):
        submit(prepare=unreadable)
    assert (_paid(server), record) == (0, {})


def test_an_image_of_an_earlier_try_is_not_made_ready_again(
    submit: Callable[..., Submission], record: MemoryRecord, server: ScriptedServer
) -> None:
    record["ocr_task_id"] = f"{KEY} old"
    server.reply("getTaskStatus", render_tasks([_listed()]))
    submission = submit(is_retry=True, prepare=lambda: pytest.fail("it was made ready"))
    assert submission.decision is Decision.ADOPTED_BY_ID
