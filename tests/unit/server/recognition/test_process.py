# SPDX-License-Identifier: Apache-2.0
"""Programs that do what a recognition process never should, and what their parent makes of it."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from airflow_provider_ocr.server.recognition.events import Ready
from airflow_provider_ocr.server.recognition.process import (
    ProcessBrokenError,
    ProcessDiedError,
    ProcessHungError,
    ProcessTooLargeError,
    RecognitionProcess,
)

READY = """print('{"event": "ready"}', flush=True)"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., RecognitionProcess]]:
    """Starts a Python program in place of the child."""
    started: list[RecognitionProcess] = []

    def process(program: str, *, memory_bytes: int = 2**30) -> RecognitionProcess:
        path = tmp_path / "program.py"
        path.write_text("import os, subprocess, sys, time\n" + textwrap.dedent(program))
        made = RecognitionProcess({}, memory_bytes=memory_bytes, program=(str(path),))
        started.append(made)
        return made

    yield process
    for made in started:
        made.close()


def test_what_is_said_is_an_event(start: Callable[..., RecognitionProcess]) -> None:
    assert start(READY).next_event(within=20) == Ready()


@pytest.mark.parametrize(
    ("program", "error", "seconds"),
    [
        ("sys.exit(0)", ProcessDiedError, 20),
        ("os.kill(os.getpid(), 11)", ProcessDiedError, 20),
        ("os.close(1); time.sleep(60)", ProcessDiedError, 20),
        ("time.sleep(60)", ProcessHungError, 0.5),
        ("print('almost an event', end='', flush=True); time.sleep(60)", ProcessHungError, 2),
        ("print('nonsense', flush=True); time.sleep(60)", ProcessBrokenError, 20),
        ("print('x' * 10**6, flush=True); time.sleep(60)", ProcessBrokenError, 20),
        ("held = os.urandom(1) * 2**28; time.sleep(60)", ProcessTooLargeError, 20),
        (
            "subprocess.run([sys.executable, '-c', 'import os, time;"
            " held = os.urandom(1) * 2**28; time.sleep(60)'])",
            ProcessTooLargeError,
            20,
        ),
    ],
)
def test_anything_else_is_an_error(
    start: Callable[..., RecognitionProcess], program: str, error: type[Exception], seconds: float
) -> None:
    process = start(program, memory_bytes=2**27)
    with pytest.raises(error):
        process.next_event(within=seconds)


def test_memory_is_watched_while_a_process_goes_on_talking(start: Callable[..., RecognitionProcess]) -> None:
    process = start(
        f"""
        held = []
        while True:
            held.append(os.urandom(1) * 2**23)
            {READY}
            time.sleep(0.02)
        """,
        memory_bytes=2**28,
    )

    def listen() -> None:
        while True:
            assert process.next_event(within=20) == Ready()

    with pytest.raises(ProcessTooLargeError):
        listen()


def test_the_log_has_the_last_lines_whatever_is_written(start: Callable[..., RecognitionProcess]) -> None:
    process = start(
        f"""
        for number in range(10_000):
            print(f"line {{number}}", file=sys.stderr)
        sys.stderr.write("y" * 10**6)
        print("\\nthe last", file=sys.stderr)
        {READY}
        """
    )
    assert process.next_event(within=60) == Ready()
    process.close()
    assert process.log.endswith("y\nthe last\n")
    assert len(process.log) <= 50 * 500


def test_a_process_takes_its_descendants_along(start: Callable[..., RecognitionProcess]) -> None:
    process = start(
        f"""
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        {READY}
        time.sleep(60)
        """
    )
    process.next_event(within=20)
    assert process.alive
    (descendant,) = psutil.Process(process.pid).children()
    process.kill()
    process.close()
    assert not process.alive
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and descendant.is_running():
        if descendant.status() == psutil.STATUS_ZOMBIE:  # nobody collects orphans here
            break
        time.sleep(0.02)
    assert not descendant.is_running() or descendant.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_has_ended_is_not_killed_again(start: Callable[..., RecognitionProcess]) -> None:
    process = start(READY)
    process.close()
    process.kill()
    process.close()
    with pytest.raises(ProcessDiedError):
        start("sys.exit(1)").next_event(within=20)


def test_what_cannot_be_sent_is_a_death(start: Callable[..., RecognitionProcess]) -> None:
    process = start("os.close(0); " + READY)
    process.next_event(within=20)
    time.sleep(0.1)
    with pytest.raises(ProcessDiedError):
        process.send({"job": "any"})


def test_a_process_knows_nothing_of_the_servers_environment(
    start: Callable[..., RecognitionProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_SECRET", "do-not-tell")
    process = start(READY + "; time.sleep(60)")
    process.next_event(within=20)
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    names = {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry}
    assert names == {b"PYTHONPATH", b"OMP_THREAD_LIMIT", b"OPENBLAS_NUM_THREADS", b"LANG"}
    assert b"do-not-tell" not in environment
    assert sys.executable.encode() in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    assert os.getpgid(process.pid) == process.pid
