# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.__main__ import DOCUMENTS
from demo.processes import LOOPBACK, clean_environment

PROJECT = Path(__file__).resolve().parents[2]


def start_demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--folder", str(folder), *arguments],
        cwd=PROJECT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that have to do with a demonstration's folder."""
    return list(_processes_of(folder).values())


def pids_of(folder: Path, command: str) -> list[int]:
    """The IDs of those whose command line has these words."""
    return [pid for pid, found in _processes_of(folder).items() if command in found]


def _processes_of(folder: Path) -> dict[int, str]:
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has ended, or is not ours
            continue
        if process.name != str(os.getpid()) and (
            str(folder).encode() in environment or str(folder) in command
        ):
            found[int(process.name)] = command
    return found


# On every day the system tests run the same DAG over the same documents.
@pytest.mark.long
def test_the_demo_lands_every_document_and_stops_everything(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    demo = start_demo(folder)
    output, _ = demo.communicate(timeout=300)
    assert demo.returncode == 0, output
    assert f"{len(DOCUMENTS)} of {len(DOCUMENTS)} documents landed" in output
    for document in DOCUMENTS:
        assert f"{document.file:<14} waiting in the triggerer" in output
        assert (folder / "results" / f"{document.name}.pdf").exists()
        assert str(folder / "results" / f"{document.name}.pdf") in output
    assert "| Harrow & Pell Instruments" in output
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="ctrl_c"),
        pytest.param(signal.SIGTERM, id="terminated", marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, id="terminal_closed", marks=pytest.mark.long),
    ],
)
def test_stopping_the_demo_early_stops_every_process_that_it_started(
    tmp_path: Path, number: signal.Signals
) -> None:
    demo = start_demo(tmp_path)
    deadline = time.monotonic() + 120
    while not any("triggerer" in command for command in processes_of(tmp_path)):
        assert time.monotonic() < deadline
        assert demo.poll() is None
        time.sleep(0.2)
    demo.send_signal(number)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert "Stopped." in output
    assert processes_of(tmp_path) == []


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        demo = start_demo(tmp_path, "--ui-port", str(port))
        output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert f"Port {port} is taken; name another one, as in: make ui UI_PORT=" in output


def test_a_second_demo_in_the_same_folder_is_told_of_the_first(tmp_path: Path) -> None:
    first = start_demo(tmp_path)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "state" / "logs").exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        second = start_demo(tmp_path)
        output, _ = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "Another make demo or make ui is running in this checkout; stop it first." in output
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=120)


@pytest.mark.long
def test_a_server_that_dies_on_the_way_ends_the_demo_with_its_last_lines(tmp_path: Path) -> None:
    demo = start_demo(tmp_path)
    deadline = time.monotonic() + 120
    log = tmp_path / "state" / "logs" / "cloud-ocr-server.log"
    while not (log.exists() and "/processRemoteImage" in log.read_text()):
        assert time.monotonic() < deadline
        assert demo.poll() is None
        time.sleep(0.2)
    for pid in pids_of(tmp_path, "cloud-ocr-server serve"):
        os.kill(pid, signal.SIGKILL)
    output, _ = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert "cloud-ocr-server ended with status -9. Its log" in output
    assert processes_of(tmp_path) == []


def test_nothing_survives_a_demo_that_is_killed(tmp_path: Path) -> None:
    demo = start_demo(tmp_path)
    deadline = time.monotonic() + 120
    while not any("triggerer" in command for command in processes_of(tmp_path)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    demo.kill()
    demo.communicate()
    while processes_of(tmp_path):
        assert time.monotonic() < deadline, processes_of(tmp_path)
        time.sleep(0.2)
