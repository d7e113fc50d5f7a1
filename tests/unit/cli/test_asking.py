# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pendulum
import pytest

from airflow_provider_ocr.lifecycle import listing
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from demo.ocr_server import APPLICATION_ID, OcrServer, ScanServer

UNKNOWN = "11111111-1111-1111-1111-111111111111"
LIMIT = 10
DAY = pendulum.datetime(2026, 11, 20)


def numbered(count: int, *, status: str = "Completed") -> list[OcrTask]:
    """So many tasks, one every minute from `DAY` on."""
    return [
        OcrTask(
            id=f"00aa0000-0000-4000-8000-{number:012}",
            status=status,
            registration_time=DAY.add(minutes=number),
            status_change_time=DAY.add(minutes=number),
        )
        for number in range(count)
    ]


def windows_of(tasks: list[OcrTask]) -> Callable[[Any], bytes]:
    """Answers listTasks as the service does: what lies in the window, up to a limit."""

    def answer(received: Any) -> bytes:
        start, end = parse_time(received.query["fromDate"]), parse_time(received.query["toDate"])
        inside = [task for task in tasks if start <= (task.registration_time or start) <= end]
        return render_tasks(inside[:LIMIT])

    return answer


def test_check_says_that_the_connection_works(real: OcrServer, ocr: Callable[..., Any]) -> None:
    ran = ocr("check", "-o", "json")
    assert ran.code == 0
    assert [(row["conn_id"], row["status"]) for row in ran.rows] == [("cloud_ocr_default", "ok")]


def test_check_says_why_the_connection_does_not_work(
    real: OcrServer, connect: Callable[..., None], ocr: Callable[..., Any]
) -> None:
    connect(real.url, password="not the password")
    ran = ocr("check")
    assert (ran.code, ran.out) == (5, "")
    assert "401" in ran.err
    assert "not the password" not in ran.err


def test_info_shows_the_account(real: OcrServer, ocr: Callable[..., Any]) -> None:
    [row] = ocr("info", "-o", "json").rows
    assert row["name"] == APPLICATION_ID
    assert row["fields"] == 5 * row["pages"]


def test_info_that_is_not_enabled_is_no_matter_of_credentials(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.refuse("getApplicationInfo", 403, "Forbidden.")
    ran = ocr("info")
    assert (ran.code, ran.out) == (1, "")
    assert "not enabled" in ran.err


def test_status_shows_the_tasks_and_names_the_unknown(
    real: OcrServer, scans: ScanServer, ocr: Callable[..., Any]
) -> None:
    ocr_task_id = ocr("submit", f"{scans.url}/no-such-scan.png", "--export-format", "txt").out.strip()
    ran = ocr("status", ocr_task_id, UNKNOWN, "-o", "json")
    assert ran.code == 3
    assert [row["id"] for row in ran.rows] == [ocr_task_id]
    assert ran.err.count("\n") == 1
    assert UNKNOWN in ran.err


def test_wrong_credentials_end_a_command(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.refuse("getTaskStatus", 401, "Who are you?")
    ran = ocr("status", UNKNOWN, UNKNOWN)
    assert (ran.code, ran.out) == (5, "")
    assert len(scripted.asked("getTaskStatus")) == 1


def test_a_list_has_every_task_once_however_many_there_are(
    scripted: Any, ocr: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LIST_LIMIT", LIMIT)
    tasks = numbered(15)
    scripted.on("listTasks", windows_of(tasks))
    ran = ocr("list", "--from-date", "2026-11-20", "--to-date", "2026-11-22", "-o", "json")
    assert [row["id"] for row in ran.rows] == [task.id for task in tasks]


def test_a_list_goes_back_a_week_and_heeds_a_server_whose_clock_is_ahead(
    scripted: Any, ocr: Callable[..., Any]
) -> None:
    scripted.reply("listTasks", render_tasks([]))
    assert ocr("list").code == 0
    [received] = scripted.asked("listTasks")
    assert parse_time(received.query["fromDate"]) <= pendulum.now("UTC").subtract(days=7)
    assert parse_time(received.query["toDate"]) > pendulum.now("UTC").add(hours=12)


def test_dates_are_read_as_airflow_reads_them(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("listTasks", render_tasks([]))
    ocr("list", "--from-date", "2026-11-20T01:00:00+01:00", "--to-date", "2026-11-21")
    [received] = scripted.asked("listTasks")
    assert received.query == {"fromDate": "2026-11-20T00:00:00Z", "toDate": "2026-11-21T00:00:00Z"}


@pytest.mark.parametrize(
    ("words", "statuses"),
    [
        ((), ["Completed", "Deleted", "Queued"]),
        (("--exclude-deleted",), ["Completed", "Queued"]),
        (("--status", "completed,QUEUED"), ["Completed", "Queued"]),
        (("--status", "Deleted", "--exclude-deleted"), []),
    ],
    ids=" ".join,
)
def test_a_list_is_narrowed_by_status(
    words: tuple[str, ...], statuses: list[str], scripted: Any, ocr: Callable[..., Any]
) -> None:
    tasks = [
        OcrTask(id=f"{letter * 8}-0000-4000-8000-000000000000", status=status)
        for letter, status in zip("abc", ["Completed", "Deleted", "Queued"], strict=True)
    ]
    scripted.reply("listTasks", render_tasks(tasks))
    assert [row["status"] for row in ocr("list", "-o", "json", *words).rows] == statuses


@pytest.mark.parametrize(("count", "told"), [(99, False), (100, True)])
def test_a_list_of_finished_tasks_says_that_there_may_be_more(
    count: int, told: bool, scripted: Any, ocr: Callable[..., Any]
) -> None:
    scripted.reply("listFinishedTasks", render_tasks(numbered(count)))
    ran = ocr("list", "--finished", "-o", "json")
    assert len(ran.rows) == count
    assert ("there may be more" in ran.err) is told


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--status", "Finished"), "--status: 'Finished'"),
        (("--finished", "--from-date", "2026-11-20"), "--finished knows no dates"),
        (("--from-date", "2026-11-21", "--to-date", "2026-11-20"), "--from-date is later"),
    ],
    ids=["status", "dates", "order"],
)
def test_a_list_that_cannot_be_meant_is_a_usage_error(
    words: tuple[str, ...], reason: str, scripted: Any, ocr: Callable[..., Any]
) -> None:
    ran = ocr("list", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(reason)
    assert scripted.received == []


@pytest.mark.parametrize(
    "trouble",
    [{"status": 450}, {"cut": 0}, {"body": b"<html></html>"}, None],
    ids=["450", "cut", "page", "null"],
)
def test_what_cannot_be_told_of_one_task_does_not_keep_the_others(
    trouble: dict[str, Any] | None, scripted: Any, ocr: Callable[..., Any], reply: Callable[..., Any]
) -> None:
    good, bad = numbered(2)
    answer = render_tasks([good])
    scripted.on(
        "getTaskStatus",
        lambda asked: answer if asked.query["taskId"] == good.id else reply(**(trouble or {})),
    )
    named = bad.id if trouble else "00000000-0000-0000-0000-000000000000"
    ran = ocr("status", named, good.id, "-o", "json")
    assert [row["id"] for row in ran.rows] == [good.id]
    assert named in ran.err
    assert ran.err.count("\n") == 1
    assert ran.code == (3 if trouble in ({"status": 450}, None) else 5)


@pytest.mark.parametrize("words", [("info",), ("submit", "https://a.example/b")], ids=" ".join)
def test_a_proxy_that_lets_nobody_through_is_no_switched_off_method(
    words: tuple[str, ...], scripted: Any, ocr: Callable[..., Any]
) -> None:
    method = "getApplicationInfo" if words == ("info",) else "processRemoteImage"
    scripted.reply(method, b"<html><title>Blocked</title></html>", status=403)
    ran = ocr(*words)
    assert (ran.code, ran.out) == (5, "")
    assert "Blocked" in ran.err
    assert "not enabled" not in ran.err
