# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode
from airflow_provider_ocr.cli.printing import print_line
from airflow_provider_ocr.cli.running import command, connected
from airflow_provider_ocr.protocol.errors import ServerError

CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"


def run(function: Callable[[argparse.Namespace], None], **given: Any) -> int:
    try:
        command(function)(argparse.Namespace(verbose=False, **given))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def failing(error: BaseException) -> Callable[[argparse.Namespace], None]:
    def function(given: argparse.Namespace) -> None:
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CommandFailed("one", "two", code=ExitCode.NOT_FINISHED), 4, "one\ntwo\n"),
        (ServerError("https://a.example/?sig=secret\nfailed"), 1, "https://a.example/?... failed\n"),
        (KeyboardInterrupt(), 130, "Interrupted. OCR tasks that were started go on"),
    ],
    ids=["failed", "client", "interrupt"],
)
def test_a_failure_is_a_line_on_standard_error(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line)


def test_a_bug_is_not_passed_off_as_a_failure() -> None:
    with pytest.raises(ZeroDivisionError):
        run(failing(ZeroDivisionError()))


def test_a_reader_who_has_seen_enough_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert run(lambda given: print_line("an answer that nobody reads")) == 1


def test_logs_are_kept_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda given: logging.getLogger("airflow_provider_ocr").critical("noise")) == 0
    assert capsys.readouterr() == ("", "")


def test_logs_are_let_through_where_they_are_asked_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", logging.WARNING)
    for handler in root.handlers:
        monkeypatch.setattr(handler, "level", handler.level)
    chatty = command(lambda given: logging.getLogger("airflow_provider_ocr").debug("a detail"))
    chatty(argparse.Namespace(verbose=True))
    assert "a detail" in caplog.messages


@pytest.mark.parametrize("before", [None, "client"])
def test_connections_may_come_from_the_database_meanwhile(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CONTEXT, raising=False)
    if before is not None:
        monkeypatch.setenv(CONTEXT, before)
    seen: list[str | None] = []
    run(lambda given: seen.append(os.environ.get(CONTEXT)))
    assert seen == ["server"]
    assert os.environ.get(CONTEXT) == before


def test_a_connection_that_lacks_a_field_is_no_access(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_EMPTY", '{"conn_type": "cloud_ocr"}')
    with (
        pytest.raises(CommandFailed, match="'empty' has no") as caught,
        connected(argparse.Namespace(conn_id="empty")),
    ):
        pass
    assert caught.value.code is ExitCode.NO_ACCESS
