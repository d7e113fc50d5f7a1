# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import AuthenticationError
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from demo.ocr_server import OcrServer, ScanServer

DATE = pendulum.datetime(2026, 11, 20)
FIRST = "7db0c518-44e9-4033-8ab2-e8b1abff990f"
SECOND = "8db0c518-44e9-4033-8ab2-e8b1abff990f"


@pytest.fixture
def tasks(scripted: Any) -> list[OcrTask]:
    """The tasks of a scripted server, which deletes whatever it is told to."""
    before, after = DATE.subtract(seconds=1), DATE.add(seconds=1)
    listed = [
        ("Completed", before),
        ("ProcessingFailed", before),
        ("Completed", after),
        ("NotEnoughCredits", before),
        ("InProgress", before),
        ("Deleted", before),
    ]
    made = [
        OcrTask(id=f"{position:08x}-1111-4000-8000-000000000000", status=status, status_change_time=changed)
        for position, (status, changed) in enumerate(listed, start=1)
    ]
    scripted.reply("listTasks", render_tasks(made))
    scripted.on(
        "deleteTask",
        lambda received: render_tasks([OcrTask(id=received.query["taskId"], status="Deleted")]),
    )
    return made


def deleted(scripted: Any) -> list[str]:
    return [received.query["taskId"] for received in scripted.asked("deleteTask")]


def test_a_task_is_deleted(real: OcrServer, scans: ScanServer, ocr: Callable[..., Any]) -> None:
    missing = f"{scans.url}/no-such-scan.png"
    ocr_task_id = ocr("submit", missing, "--export-format", "txt", "--wait").out.strip()
    ran = ocr("delete", ocr_task_id, "--yes", "-o", "json")
    assert (ran.code, [(row["id"], row["status"]) for row in ran.rows]) == (0, [(ocr_task_id, "Deleted")])
    assert ocr("status", ocr_task_id).code == 3


def test_what_ended_before_a_date_is_deleted_and_nothing_else(
    scripted: Any, tasks: list[OcrTask], ocr: Callable[..., Any]
) -> None:
    ran = ocr("delete", "--finished-before", "2026-11-20T01:00:00+01:00", "-y", "-o", "json")
    assert ran.code == 0
    assert [row["id"] for row in ran.rows] == deleted(scripted) == [tasks[0].id, tasks[1].id]


def test_it_looks_through_all_times(scripted: Any, tasks: list[OcrTask], ocr: Callable[..., Any]) -> None:
    ocr("delete", "--finished-before", "2026-11-20", "-y")
    [received] = scripted.asked("listTasks")
    assert parse_time(received.query["fromDate"]) <= DATE.subtract(years=10)
    assert parse_time(received.query["toDate"]) > pendulum.now("UTC")


@pytest.mark.parametrize(("answer", "goes_on"), [("y", True), ("YES", True), ("n", False), ("", False)])
def test_it_asks_first(
    *,
    answer: str,
    goes_on: bool,
    scripted: Any,
    tasks: list[OcrTask],
    ocr: Callable[..., Any],
    typed: Callable[[str], None],
) -> None:
    typed(f"{answer}\n")
    ran = ocr("delete", "--finished-before", "2026-11-20")
    assert "1 Completed, 1 ProcessingFailed" in ran.err
    assert len(deleted(scripted)) == (2 if goes_on else 0)
    assert ran.code == (0 if goes_on else 1)


def test_it_asks_for_named_tasks_too(
    scripted: Any, tasks: list[OcrTask], ocr: Callable[..., Any], typed: Callable[[str], None]
) -> None:
    typed("n\n")
    assert ocr("delete", FIRST, SECOND, FIRST).code == 1
    typed("y\n")
    assert ocr("delete", FIRST, SECOND, FIRST).code == 0
    assert deleted(scripted) == [FIRST, SECOND]


def test_without_anybody_to_ask_it_deletes_nothing(
    scripted: Any, tasks: list[OcrTask], ocr: Callable[..., Any], piped: Callable[[str], None]
) -> None:
    piped("y\n")
    ran = ocr("delete", FIRST)
    assert (ran.code, ran.out) == (2, "")
    assert "--yes" in ran.err
    assert deleted(scripted) == []


def test_nothing_to_delete_is_no_question(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("listTasks", render_tasks([]))
    ran = ocr("delete", "--finished-before", "2026-11-20", "-o", "json")
    assert (ran.code, ran.rows, ran.err) == (0, [], "")


def test_a_task_that_cannot_be_deleted_does_not_keep_the_others(
    scripted: Any, ocr: Callable[..., Any]
) -> None:
    scripted.refuse("deleteTask", 450, "The task is in progress.")
    scripted.reply("deleteTask", render_tasks([OcrTask(id=SECOND, status="Deleted")]))
    ran = ocr("delete", FIRST, SECOND, "-y", "-o", "json")
    assert (ran.code, [row["id"] for row in ran.rows]) == (1, [SECOND])
    assert ran.err.startswith(f"OCR task {FIRST} was not deleted.")
    assert "in progress" in ran.err


def test_wrong_credentials_end_it_at_once(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.refuse("deleteTask", 401, "Who are you?")
    assert ocr("delete", FIRST, SECOND, "-y").code == 5
    assert deleted(scripted) == [FIRST]


@pytest.mark.parametrize("words", [(), (FIRST, "--finished-before", "2026-11-20")], ids=["none", "both"])
def test_tasks_or_a_date_are_named(words: tuple[str, ...], scripted: Any, ocr: Callable[..., Any]) -> None:
    assert ocr("delete", *words, "-y").code == 2
    assert scripted.received == []


def test_a_task_that_is_gone_gives_the_exit_code_of_an_unknown_one(
    real: OcrServer, ocr: Callable[..., Any]
) -> None:
    assert ocr("delete", FIRST, "-y").code == 3
    assert ocr("resume", FIRST, "--export-format", "txt").code == 3


def test_an_interrupted_question_deletes_nothing_and_says_so(
    scripted: Any, tasks: list[OcrTask], ocr: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Interrupted())
    ran = ocr("delete", "--finished-before", "2026-11-20")
    assert (ran.code, ran.out) == (130, "")
    assert ran.err.endswith("Go on? [y/N] \nInterrupted. Nothing was deleted.\n")
    assert deleted(scripted) == []


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        (KeyboardInterrupt(), 130, f"1 of 3 OCR tasks were deleted; it is not known whether {SECOND} was."),
        (AuthenticationError("HTTP 401."), 5, "HTTP 401. 1 of 3 OCR tasks were deleted."),
    ],
    ids=["interrupt", "401"],
)
def test_what_was_deleted_is_printed_whatever_comes_between(
    *,
    end: BaseException,
    code: int,
    words: str,
    scripted: Any,
    tasks: list[OcrTask],
    ocr: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delete_task = CloudOcrClient.delete_task

    def ending(client: CloudOcrClient, ocr_task_id: str) -> OcrTask:
        if ocr_task_id == SECOND:
            raise end
        return delete_task(client, ocr_task_id)

    monkeypatch.setattr(CloudOcrClient, "delete_task", ending)
    ran = ocr("delete", FIRST, SECOND, tasks[0].id, "-y", "-o", "json")
    assert (ran.code, [row["id"] for row in ran.rows]) == (code, [FIRST])
    assert words in ran.err
    assert deleted(scripted) == [FIRST]


def test_a_deletion_without_an_answer_is_not_called_undone(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("deleteTask", cut=0)
    assert f"It is not known whether OCR task {FIRST} was deleted." in ocr("delete", FIRST, "-y").err
