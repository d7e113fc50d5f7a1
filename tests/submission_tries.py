# SPDX-License-Identifier: Apache-2.0
"""Tries of a submission, each in a process of its own that can be killed at an exact point.

A try kills itself, by SIGKILL: nobody else would hit the same instruction twice. `Tries` keeps one program
that has everything imported and makes a copy of itself for each try, because most of what a try would take
is importing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import pendulum
from urllib3.connection import HTTPConnection

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.network import Timeouts
from airflow_provider_ocr.lifecycle.submission import Submitter, idempotency_key, remote_image
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.processes import clean_environment
from tests.wire import TIME_PATH

PROJECT = Path(__file__).resolve().parents[1]
SETTINGS = ProcessingSettings.parse(export_format="txt", description="Invoice 7")
SOURCE = "https://nowhere.invalid/scan.png"

READ_SECONDS = 20.0
"""The read time-out of a connection that says nothing about it."""


class Point(StrEnum):
    """Where a try is killed."""

    BEFORE_THE_CALL = "before the call"
    REQUEST_LEFT = "after the request left"
    ANSWERED = "after the answer"
    ID_RECORDED = "after the ID was recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One try.

    :param url: where the service is, over a `Wire`.
    :param application: the user's name there.
    :param password: its password.
    :param record: the file with what earlier tries left; None where Airflow keeps nothing.
    :param is_retry: whether it is not the first.
    :param killed: where it is killed; None to let it live.
    :param clock_seconds: how far its clock is ahead.
    :param real_read_seconds: after how many real seconds it gives up an answer. The rules reckon with
        `READ_SECONDS` whatever this is.
    """

    url: str
    application: str
    password: str
    record: str | None
    is_retry: bool
    killed: Point | None = None
    clock_seconds: float = 0.0
    real_read_seconds: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a try.

    :param signal: the signal that ended it; 0 if it came to an end.
    :param ocr_task_id: its task.
    :param decision: how it came to it.
    :param error: the kind of the error that ended it.
    :param waited: seconds that it waited in all.
    """

    signal: int = 0
    ocr_task_id: str | None = None
    decision: str | None = None
    error: str | None = None
    waited: float = 0.0


class Tries:
    """Makes tries, one at a time, within a ``with`` block."""

    def __enter__(self) -> Self:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.submission_tries"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PROJECT,
            env=clean_environment(),
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._program.communicate()  # without orders it ends

    def make(self, plan: Plan) -> Outcome:
        """Make one try, and wait for its end."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(asdict(plan)) + "\n")
        self._program.stdin.flush()
        return Outcome(**json.loads(self._program.stdout.readline()))


class FileRecord:
    """What Airflow keeps from one try to the next: here in a file, and there when `set` returns.

    :param path: the file.
    :param noted: is told the name of what has been kept.
    """

    def __init__(self, path: Path, noted: Callable[[str], None]) -> None:
        self._path = path
        self._noted = noted

    def get(self, key: str) -> str | None:
        """See `Record`."""
        value = self._read().get(key)
        return None if value is None else str(value)

    def set(self, key: str, value: str) -> None:
        """See `Record`."""
        aside = self._path.with_suffix(f".{os.getpid()}")  # two tries may write at once
        aside.write_text(json.dumps({**self._read(), key: value}))
        aside.replace(self._path)
        self._noted(key)

    def _read(self) -> dict[str, Any]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}


class _MortalClient(CloudOcrClient):
    """A client whose process is killed where the plan says."""

    killed: Point | None = None

    def process_remote_image(
        self, source: str, settings: ProcessingSettings, *, idempotency_key: str | None = None
    ) -> OcrTask:
        if self.killed is Point.BEFORE_THE_CALL:
            die()
        if self.killed is Point.REQUEST_LEFT:
            # It is called once the whole request has been given to the system.
            HTTPConnection.getresponse = lambda _: die()  # type: ignore[method-assign]  # to die there
        task = super().process_remote_image(source, settings, idempotency_key=idempotency_key)
        if self.killed is Point.ANSWERED:
            die()
        return task

    @property
    def timeouts(self) -> Timeouts:
        return Timeouts(read=READ_SECONDS)


def die() -> NoReturn:
    """End this process as the kernel ends one when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("nobody survives SIGKILL")


class _Clock:
    """Time as the wire has it, plus what this machine's clock is wrong by."""

    def __init__(self, plan: Plan) -> None:
        self._url = plan.url + TIME_PATH
        self._wrong_by = plan.clock_seconds
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self._passed = self._ask(0.0)
        self.waited = 0.0

    def now(self) -> pendulum.DateTime:
        return pendulum.now("UTC").add(seconds=self._passed + self._wrong_by)

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self._passed = self._ask(seconds)

    def _ask(self, seconds: float) -> float:
        with self._opener.open(f"{self._url}?pass={seconds}", timeout=120) as answer:
            return float(json.load(answer))


def _try(plan: Plan) -> Outcome:
    def noted(name: str) -> None:
        if plan.killed is Point.ID_RECORDED and name == "ocr_task_id":
            die()

    clock = _Clock(plan)
    timeouts = Timeouts(read=plan.real_read_seconds)
    key = idempotency_key("dag", "run", "task", -1, source=SOURCE, settings=SETTINGS)
    with _MortalClient(
        base_url=plan.url, application_id=plan.application, password=plan.password, timeouts=timeouts
    ) as client:
        client.killed = plan.killed
        submitter = Submitter(
            client=client,
            record=FileRecord(Path(plan.record), noted) if plan.record else None,
            is_retry=plan.is_retry,
            now=clock.now,
            sleep=clock.sleep,
        )
        try:
            submission = submitter.submit(remote_image(client, SOURCE), SETTINGS, key=key)
        except OcrError as error:
            return Outcome(error=type(error).__name__, waited=clock.waited)
    if plan.killed is Point.ID_RECORDED:
        die()  # where nothing is kept there is no later point
    return Outcome(ocr_task_id=submission.task.id, decision=submission.decision, waited=clock.waited)


def _main() -> None:
    """Make a try for each line of input, each in a copy of this process."""
    for line in sys.stdin:
        order = json.loads(line)
        order["killed"] = order["killed"] and Point(order["killed"])
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reader)
            os.write(writer, json.dumps(asdict(_try(Plan(**order)))).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as told:
            words = told.read()
        _, status = os.waitpid(child, 0)
        killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        outcome = {**(json.loads(words) if words else asdict(Outcome())), "signal": killed_by}
        print(json.dumps(outcome), flush=True)  # noqa: T201 - it answers so


if __name__ == "__main__":
    _main()
