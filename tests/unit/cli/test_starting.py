# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_ocr.lifecycle import submission
from airflow_provider_ocr.protocol.errors import (
    ConnectFailedError,
    NameResolutionError,
    ServerError,
    TlsError,
)
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import OcrServer, ScanServer

TASK = "7db0c518-44e9-4033-8ab2-e8b1abff990f"
SOURCE = "https://scans.example/a.tif?sig=recognisable"


def body(status: str, **attributes: Any) -> bytes:
    return render_tasks([OcrTask(id=TASK, status=status, **attributes)])


def test_a_document_is_submitted_waited_for_and_started_again_with_other_settings(
    real: OcrServer, scans: ScanServer, ocr: Callable[..., Any]
) -> None:
    source = f"{scans.url}/receipt.png"
    ran = ocr("submit", source, "--export-format", "txt,xml", "--description", "one", "--wait", "-o", "json")
    assert ran.code == 0
    [row] = ran.rows
    assert (row["status"], row["results"], row["description"]) == ("Completed", 2, "one")
    assert ran.err == f"OCR task {row['id']} is Submitted.\n"
    again = ocr("resume", row["id"], "--export-format", "txt", "--wait", "-o", "json")
    assert [(task["id"], task["status"], task["results"]) for task in again.rows] == [
        (row["id"], "Completed", 1)
    ]


def test_the_id_alone_is_printed(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("processRemoteImage", body("Submitted"))
    assert (ran := ocr("submit", SOURCE)).out == f"{TASK}\n"
    assert (ran.code, ran.err) == (0, "")


def test_the_task_is_printed_whole_where_an_output_is_named(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("processRemoteImage", body("Submitted", credits=5))
    [row] = ocr("submit", SOURCE, "-o", "json").rows
    assert (row["id"], row["status"], row["credits"]) == (TASK, "Submitted", 5)


def test_the_id_comes_before_the_waiting(scripted: Any, ocr: Callable[..., Any], pauses: list[float]) -> None:
    scripted.reply("processRemoteImage", body("Submitted"))
    scripted.refuse("getTaskStatus", 401, "Who are you?")
    ran = ocr("submit", SOURCE, "--wait")
    assert (ran.code, ran.out, pauses) == (5, f"{TASK}\n", [2.0])


@pytest.mark.parametrize("words", [(SOURCE,), ("--source", SOURCE), ("-",)], ids=["bare", "flag", "pipe"])
def test_the_url_is_an_argument_a_flag_or_a_line(
    words: tuple[str, ...], scripted: Any, ocr: Callable[..., Any], piped: Callable[[str], None]
) -> None:
    piped(f"{SOURCE}\n")
    scripted.reply("processRemoteImage", body("Submitted"))
    assert ocr("submit", *words, "--language", "german").code == 0
    [received] = scripted.asked("processRemoteImage")
    assert received.query == {"source": SOURCE, "language": "German", "exportFormat": "rtf"}


@pytest.mark.parametrize(
    "words",
    [
        (),
        (SOURCE, "--source", SOURCE),
        ("-",),
        (SOURCE, "--export-format", "tx"),
        ("recognisable words",),
        ("ftp://recognisable/x",),
        ("https://",),
        ("https:///recognisable",),
        ("https://recognisable:port/x",),
        ("https://recognisable:99999/x",),
        ("https://recognis able/x",),
        ("https://[recognisable/x",),
    ],
    ids=range(12),
)
def test_what_cannot_be_submitted_is_not_sent(
    words: tuple[str, ...], scripted: Any, ocr: Callable[..., Any], piped: Callable[[str], None]
) -> None:
    piped("\n")
    ran = ocr("submit", *words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "recognisable" not in ran.err
    assert scripted.received == []


def test_a_person_is_asked_for_the_url(
    scripted: Any, ocr: Callable[..., Any], typed: Callable[[str], None]
) -> None:
    typed(f"{SOURCE}\n")
    scripted.reply("processRemoteImage", body("Submitted"))
    ran = ocr("submit", "-")
    assert (ran.code, ran.out, ran.err) == (0, f"{TASK}\n", "URL of the image: ")


def test_who_interrupts_the_question_for_the_url_has_submitted_nothing(
    scripted: Any, ocr: Callable[..., Any], typed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    typed("")
    monkeypatch.setattr(sys.stdin, "readline", interrupted)
    ran = ocr("submit", "-")
    assert (ran.code, ran.err) == (130, "URL of the image: \nInterrupted. Nothing was submitted.\n")
    assert scripted.received == []


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"status": 503}, 6),
        ({"status": 550}, 6),
        ({"cut": 0}, 6),
        ({"body": b"<html><title>Welcome</title></html>"}, 6),
        ({"status": 401}, 5),
        ({"status": 450}, 1),
    ],
    ids=["503", "550", "broken off", "web page", "401", "450"],
)
def test_a_submission_is_sent_once_and_its_outcome_told(
    reply: dict[str, Any], code: int, scripted: Any, ocr: Callable[..., Any]
) -> None:
    scripted.reply("processRemoteImage", **reply)
    ran = ocr("submit", SOURCE)
    assert (ran.code, ran.out) == (code, "")
    assert len(scripted.asked("processRemoteImage")) == 1
    assert ("It is not known whether the service started an OCR task" in ran.err) is (code == 6)
    assert ran.err.count("\n") == 1
    assert "recognisable" not in ran.err


@pytest.mark.parametrize("kind", [NameResolutionError, ConnectFailedError, TlsError])
def test_what_never_left_this_machine_started_nothing(
    kind: type[Exception], scripted: Any, ocr: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise kind("No connection came about.")

    monkeypatch.setattr("airflow_provider_ocr.client.client.CloudOcrClient.process_remote_image", failing)
    ran = ocr("submit", SOURCE)
    assert (ran.code, ran.out, ran.err) == (5, "", "No connection came about.\n")


def test_a_task_without_credits_is_printed_and_told(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("processRemoteImage", body("NotEnoughCredits"))
    ran = ocr("submit", SOURCE, "--wait")
    assert (ran.code, ran.out) == (3, f"{TASK}\n")
    assert f"`airflow ocr resume {TASK}`" in ran.err


def test_a_url_that_may_be_too_long_is_warned_of(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("processRemoteImage", body("Submitted"))
    ran = ocr("submit", SOURCE + "x" * 2000)
    assert ran.code == 0
    assert "2,000" in ran.err
    assert "recognisable" not in ran.err


def test_the_same_key_submits_no_second_time(
    real: OcrServer,
    scans: ScanServer,
    connect: Callable[..., None],
    ocr: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect(real.url, timeout=2)
    monkeypatch.setattr(submission, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(submission, "_SECONDS_BETWEEN_LOOKS", 0.1)
    words = (
        "submit",
        f"{scans.url}/receipt.png",
        "--export-format",
        "txt",
        "--idempotency-key",
        "invoice 17",
    )
    first, again = ocr(*words), ocr(*words)
    assert first.code == again.code == 0
    assert "new" in first.err
    assert "adopted by key" in again.err
    assert first.out == again.out


def test_a_key_that_cannot_be_looked_up_submits_nothing(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("listTasks", status=450)
    ran = ocr("submit", SOURCE, "--idempotency-key", "invoice 17")
    assert (ran.code, ran.out) == (1, "")
    assert scripted.asked("processRemoteImage") == []


def test_a_key_can_be_used_again_whatever_went_wrong(
    scripted: Any, ocr: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise ServerError("The service is down.")

    monkeypatch.setattr("airflow_provider_ocr.client.client.CloudOcrClient.list_tasks", failing)
    ran = ocr("submit", SOURCE, "--idempotency-key", "invoice 17")
    assert (ran.code, ran.out) == (6, "")
    assert "give the same command again" in ran.err
    assert scripted.asked("processRemoteImage") == []


def test_a_start_whose_outcome_is_unknown_names_the_task(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("processDocument", status=503)
    ran = ocr("resume", TASK)
    assert ran.code == 6
    assert f"`airflow ocr status {TASK}`" in ran.err
    assert len(scripted.asked("processDocument")) == 1


def test_an_interrupted_submission_may_have_arrived(
    scripted: Any, ocr: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("airflow_provider_ocr.client.client.CloudOcrClient.process_remote_image", interrupted)
    ran = ocr("submit", SOURCE)
    assert (ran.code, ran.out) == (130, "")
    assert "It is not known whether the service started an OCR task" in ran.err


def test_submitting_takes_no_longer_than_the_call(scripted: Any, ocr: Callable[..., Any]) -> None:
    scripted.reply("processRemoteImage", body("Submitted"))
    before = time.monotonic()
    ocr("submit", SOURCE)
    assert time.monotonic() - before < 2
