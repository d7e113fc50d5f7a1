# SPDX-License-Identifier: Apache-2.0
"""Runs ``airflow ocr`` in this process, through Airflow's own parser, against a real or a scripted server."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pendulum
import pytest

from airflow_provider_ocr.cli import waiting
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What it printed as JSON."""
        return json.loads(self.out)


class Terminal(io.StringIO):
    """Text that a person types, or a screen."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="session")
def parser() -> argparse.ArgumentParser:
    """Airflow's own, with the commands of all installed providers."""
    from airflow.cli.cli_parser import get_parser

    return get_parser()


@pytest.fixture
def ocr(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs a command: its words are the arguments."""

    def run(*words: str) -> Ran:
        code = 0
        try:
            given = parser.parse_args(["ocr", *words])
            given.func(given)
        except SystemExit as end:
            code = int(end.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the default connection lead to a URL."""

    def connect(url: str, *, password: str = PASSWORD, **extra: Any) -> None:
        fields = {"conn_type": "cloud_ocr", "host": url, "login": APPLICATION_ID, "password": password}
        monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps({**fields, "extra": extra}))

    return connect


@pytest.fixture
def real(ocr_server: OcrServer, connect: Callable[..., None]) -> OcrServer:
    """The real server, which the default connection leads to."""
    connect(ocr_server.url)
    return ocr_server


@pytest.fixture
def scripted(server: Any, connect: Callable[..., None]) -> Any:
    """A server that answers from a script, which the default connection leads to."""
    connect(server.url)
    return server


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a person at standard input, who types this."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a pipe at standard input, with this in it."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.fixture
def on_screen(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """Makes standard error a terminal from the call on, and keeps what appears there."""

    def begin() -> Terminal:
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        return terminal

    return begin


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Makes pauses pass at once, in the clock of the waiting too, and notes them."""
    noted: list[float] = []
    start = pendulum.now("UTC")

    def sleep(seconds: float) -> None:
        noted.append(seconds)

    class Clock:
        @staticmethod
        def now(zone: str) -> pendulum.DateTime:
            return start.add(seconds=sum(noted))

    monkeypatch.setattr(waiting, "pendulum", Clock)
    monkeypatch.setattr(waiting.wait_for, "__kwdefaults__", {"sleep": sleep})
    return noted
