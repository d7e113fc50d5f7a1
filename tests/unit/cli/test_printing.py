# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import os
import pty
import re
import sys
import termios
from collections.abc import Callable
from dataclasses import replace

import pendulum
import pytest
from airflow.utils import yaml

from airflow_provider_ocr.cli.printing import (
    Row,
    answers_apart,
    plain_text,
    print_line,
    print_rows,
    print_tasks,
    progress,
    task_row,
)
from airflow_provider_ocr.protocol.task import OcrTask

ROWS: list[Row] = [{"id": "a", "credits": 5, "description": "[bold]:smile: " + "long " * 60}]

TASK = OcrTask(
    id="7db0c518-44e9-4033-8ab2-e8b1abff990f",
    status="Completed",
    registration_time=pendulum.datetime(2026, 11, 22, 14, 30, 5),
    result_urls=("https://results.example/a?sig=secret", "https://results.example/b?sig=secret"),
    error="https://user:secret@example.com/a?sig=secret is\ngone",
    description="\x9b31mred\u202e",
)


def test_json_keeps_numbers_and_long_texts_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS, "json")
    assert json.loads(capsys.readouterr().out) == ROWS


def test_yaml_keeps_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS, "yaml")
    assert yaml.safe_load(capsys.readouterr().out) == ROWS


@pytest.mark.parametrize("output", ["table", "plain"])
def test_square_brackets_and_colons_are_no_markup(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(ROWS, output)
    assert "[bold]:smile:" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["table", "plain"])
def test_what_is_not_known_is_blank_in_a_table(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"id": "a", "credits": None}], output)
    assert "None" not in capsys.readouterr().out


@pytest.mark.parametrize(("output", "expected"), [("json", "[]"), ("yaml", "[]"), ("table", "No data found")])
def test_nothing_is_printed_as_such(output: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([], output)
    assert capsys.readouterr().out.strip() == expected


def test_a_task_is_shown_without_its_result_urls_and_other_secrets() -> None:
    row = task_row(TASK)
    assert row["results"] == 2
    assert row["registered"] == "2026-11-22T14:30:05Z"
    assert "secret" not in str(row)


def test_what_others_wrote_cannot_command_the_terminal() -> None:
    row = task_row(TASK)
    assert row["description"] == "\ufffd31mred\ufffd"
    assert row["error"] == "https://example.com/a?... is gone"
    assert plain_text(" a\tb\r\nc\x07 ") == "a b c\ufffd"


def test_answers_stay_apart_from_logs_new_and_old(capfd: pytest.CaptureFixture[str]) -> None:
    with open(1, "w", closefd=False, buffering=1) as old, answers_apart():
        sys.stdout.write("new log\n")
        old.write("old log\n")
        print_line("line")
        print_rows([{"id": "a"}], "plain")
        print_rows([{"id": "a"}], "json")
    print_line("after")
    out, err = capfd.readouterr()
    assert out.split() == ["line", "id", "a", '[{"id":', '"a"}]', "after"]
    assert err.splitlines() == ["new log", "old log"]


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "pipe"])
def test_progress_appears_on_a_terminal_only(is_terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(stderr, "isatty", lambda: is_terminal)
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")
    with progress("{task.description}") as bar:
        bar.add_task("reading")
    assert ("reading" in stderr.getvalue()) is is_terminal


ROOMY = replace(TASK, files_count=3, credits=15, estimated_processing_time=30)


@pytest.mark.parametrize("status", ["Completed", "NotEnoughCredits"])
@pytest.mark.parametrize("columns", [20, 40, 80, 132, 200, 300])
def test_a_table_keeps_ids_whole_and_on_the_terminal(
    status: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [replace(ROOMY, status=status, description="word " * length) for length in (0, 80)]
    lines = on_a_terminal(columns, lambda: print_tasks(tasks, "table"), monkeypatch)
    assert sum(TASK.id in line for line in lines) == len(tasks)
    assert max(len(line.rstrip()) for line in lines) <= max(columns, len(TASK.id))
    assert any(status in line for line in lines) is (columns >= 80)


def test_a_narrow_table_says_what_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_a_terminal(80, lambda: print_tasks([ROOMY], "table"), monkeypatch)
    assert "too narrow for changed, files" in capsys.readouterr().err
    on_a_terminal(200, lambda: print_tasks([ROOMY], "table"), monkeypatch)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("output", ["json", "yaml", "plain"])
def test_everything_is_in_what_is_no_table(output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = " ".join(on_a_terminal(80, lambda: print_tasks([ROOMY], output), monkeypatch))
    assert [name for name in task_row(TASK) if name not in shown] == []


def on_a_terminal(columns: int, run: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What appears on a pseudo-terminal of that width."""
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (50, columns))
    # Rich asks whichever standard stream is a terminal for its width, and these variables first.
    for name in ("COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    before = os.dup(1)
    with os.fdopen(terminal, "w", encoding="utf-8") as stdout, monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", stdout)
        os.dup2(stdout.fileno(), 1)
        try:
            run()
            stdout.flush()
            shown = os.read(screen, 1_000_000)
        finally:
            os.dup2(before, 1)
            os.close(before)
            os.close(screen)
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).splitlines()
