# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_ocr.cli import waiting
from airflow_provider_ocr.cli.waiting import Waited, wait_for
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import WaitTimeoutError
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask

FIRST = "7db0c518-44e9-4033-8ab2-e8b1abff990f"
SECOND = "8db0c518-44e9-4033-8ab2-e8b1abff990f"


def answers(statuses: dict[str, list[str]]) -> Callable[[Any], bytes]:
    """Answers getTaskStatus: each task goes through its statuses and stays at the last."""

    def answer(received: Any) -> bytes:
        left = statuses[received.query["taskId"]]
        status = left.pop(0) if len(left) > 1 else left[0]
        return render_tasks([OcrTask(id=received.query["taskId"], status=status)])

    return answer


def test_it_ends_when_each_task_has_ended(
    scripted: Any, ocr: Callable[..., Any], pauses: list[float]
) -> None:
    scripted.on(
        "getTaskStatus",
        answers({FIRST: ["Queued", "Completed"], SECOND: ["Queued", "InProgress", "Completed"]}),
    )
    ran = ocr("wait", FIRST, SECOND, FIRST, "-o", "json")
    assert (ran.code, ran.err) == (0, "")
    assert [(row["id"], row["status"]) for row in ran.rows] == [(FIRST, "Completed"), (SECOND, "Completed")]
    assert pauses == [5.0, 5.0]
    asked = [received.query["taskId"] for received in scripted.asked("getTaskStatus")]
    assert asked == [FIRST, SECOND, FIRST, SECOND, SECOND]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        ("ProcessingFailed", 3, "failed"),
        ("Deleted", 3, "is deleted"),
        ("NotEnoughCredits", 3, f"airflow ocr resume {SECOND}"),
        (
            "Queued",
            4,
            f"is still Queued after 7 seconds. It goes on at the service: `airflow ocr wait {SECOND}`",
        ),
        ("Thinking", 4, "is still Thinking"),
    ],
)
def test_a_task_without_results_gives_the_exit_code(
    *, status: str, code: int, words: str, scripted: Any, ocr: Callable[..., Any], pauses: list[float]
) -> None:
    scripted.on("getTaskStatus", answers({FIRST: ["Completed"], SECOND: [status]}))
    ran = ocr("wait", FIRST, SECOND, "--timeout", "7", "-o", "json")
    assert ran.code == code
    assert [row["status"] for row in ran.rows] == ["Completed", status]
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_a_failure_outweighs_a_delay(scripted: Any, ocr: Callable[..., Any], pauses: list[float]) -> None:
    scripted.on("getTaskStatus", answers({FIRST: ["Queued"], SECOND: ["ProcessingFailed"]}))
    ran = ocr("wait", FIRST, SECOND, "--timeout", "0")
    assert ran.code == 3
    assert ran.err.count("\n") == 2


def test_trouble_on_the_way_is_told_once_and_waited_out(
    scripted: Any, ocr: Callable[..., Any], pauses: list[float]
) -> None:
    scripted.reply("getTaskStatus", status=503)
    scripted.reply("getTaskStatus", status=503)
    scripted.on("getTaskStatus", answers({FIRST: ["Completed"]}))
    ran = ocr("wait", FIRST)
    assert ran.code == 0
    assert ran.err.count("503") == 1
    assert len(scripted.asked("getTaskStatus")) == 3


def test_a_service_that_stays_silent_is_no_end(
    scripted: Any, ocr: Callable[..., Any], pauses: list[float]
) -> None:
    scripted.reply("getTaskStatus", status=503)
    ran = ocr("wait", FIRST, "--timeout", "4", "--poll-interval", "2", "-o", "json")
    assert (ran.code, ran.rows) == (4, [])
    assert f"OCR task {FIRST} is silent" in ran.err


def test_wrong_credentials_end_it_at_once(
    scripted: Any, ocr: Callable[..., Any], pauses: list[float]
) -> None:
    scripted.refuse("getTaskStatus", 401, "Who are you?")
    assert ocr("wait", FIRST, SECOND).code == 5
    assert len(scripted.asked("getTaskStatus")) == 1


@pytest.mark.parametrize(
    ("timeout", "interval", "pause_first", "expected"),
    [
        (0, 5, False, []),
        (7, 5, False, [5, 2]),
        (6, 5, False, [5, 2]),
        (6, 2, True, [2, 2, 2]),
        (20, 60, False, [20]),
    ],
)
def test_no_two_looks_are_closer_than_two_seconds_and_the_last_comes_at_the_end(
    *,
    timeout: float,
    interval: float,
    pause_first: bool,
    expected: list[float],
    scripted: Any,
    pauses: list[float],
) -> None:
    scripted.on("getTaskStatus", answers({FIRST: ["Queued"]}))
    task = Waited(FIRST)
    with CloudOcrClient(base_url=scripted.url, application_id="a", password="b") as client:
        wait_for(
            client,
            [task],
            timeout=timeout,
            poll_interval=interval,
            pause_first=pause_first,
            on_end=lambda: None,
        )
    assert pauses == pytest.approx(expected)
    assert isinstance(task.error, WaitTimeoutError)


def test_a_person_at_a_terminal_sees_how_far_it_is(
    scripted: Any, ocr: Callable[..., Any], pauses: list[float], on_screen: Callable[[], Any]
) -> None:
    screen = on_screen()
    scripted.on("getTaskStatus", answers({FIRST: ["Completed"], SECOND: ["Completed"]}))
    ran = ocr("wait", FIRST, SECOND, "-o", "json")
    assert [row["status"] for row in ran.rows] == ["Completed", "Completed"]
    assert "2/2" in screen.getvalue()


def test_an_interrupt_leaves_the_task_alone(
    scripted: Any, ocr: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    scripted.on("getTaskStatus", answers({FIRST: ["Queued"]}))
    monkeypatch.setattr(waiting.wait_for, "__kwdefaults__", {"sleep": interrupted})
    before = time.monotonic()
    ran = ocr("wait", FIRST)
    assert (ran.code, ran.out) == (130, "")
    assert "go on" in ran.err
    assert time.monotonic() - before < 5
    assert {received.path for received in scripted.received} == {"getTaskStatus"}


def test_a_service_out_of_reach_is_told_in_whole_sentences(
    ocr: Callable[..., Any], connect: Callable[..., None], pauses: list[float]
) -> None:
    connect("http://127.0.0.1:1")
    ran = ocr("wait", FIRST, "--timeout", "3")
    assert ran.code == 4
    assert f"OCR task {FIRST} is silent after 3 seconds. getTaskStatus: " in ran.err
    assert "(127.0.0.1:1). It goes on at the service: " in ran.err
