# SPDX-License-Identifier: Apache-2.0
"""``airflow ocr`` as a program of its own, with a connection that only the metadata database knows."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from demo.local_airflow import LocalAirflow
from demo.ocr_server import APPLICATION_ID, OcrServer, ScanServer
from demo.ocr_server import PASSWORD as OCR_PASSWORD

SIGNATURE = "canary-in-the-signature"
PDF_PASSWORD = "canary-in-a-password"
SECONDS = 90


@pytest.fixture(scope="module")
def command(pytestconfig: pytest.Config) -> tuple[str, ...]:
    return (pytestconfig.getoption("--airflow-python"), "-m", "airflow", "ocr")


def environment(airflow: LocalAirflow) -> dict[str, str]:
    # At DEBUG Airflow writes to standard output before any command has begun.
    return {
        **airflow.environment,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "TERM": "xterm",
        "COLUMNS": "100",
    }


def test_a_document_is_recognised_and_no_secret_is_left_behind(
    airflow: LocalAirflow,
    ocr_server: OcrServer,
    scans: ScanServer,
    tmp_path: Path,
    command: tuple[str, ...],
) -> None:
    connection = {"conn_type": "cloud_ocr", "login": APPLICATION_ID, "password": OCR_PASSWORD}
    airflow.create(
        "connections", {"connection_id": "ocr_in_the_database", **connection, "host": ocr_server.url}
    )
    password_file = tmp_path / "password"
    password_file.write_text(PDF_PASSWORD)
    source = f"{scans.url}/receipt.png?sig={SIGNATURE}"
    words = ("--conn-id", "ocr_in_the_database", "--pdf-password-file", str(password_file))
    done = subprocess.run(
        [*command, "submit", source, *words, "--export-format", "txt", "--wait", "-o", "json", "-v"],
        env=environment(airflow),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert (row["status"], row["results"]) == ("Completed", 1)
    assert "processRemoteImage" in done.stderr, "the log that -v asks for"
    assert "0/1" not in done.stderr, "no progress bar in a pipe"
    told = done.stdout + done.stderr + audit_log(airflow)
    assert [secret for secret in (SIGNATURE, PDF_PASSWORD, OCR_PASSWORD) if secret in told] == []


def test_waiting_shows_its_progress_and_can_be_interrupted(
    airflow: LocalAirflow, command: tuple[str, ...]
) -> None:
    words = ("wait", "7db0c518-44e9-4033-8ab2-e8b1abff990f", "--conn-id", "cloud_ocr_unreachable")
    screen, terminal = pty.openpty()
    with subprocess.Popen(
        [*command, *words],
        env=environment(airflow),
        stdout=subprocess.PIPE,
        stderr=terminal,
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - one system call
    ) as process:
        os.close(terminal)
        try:
            shown = read_until(screen, "Waiting goes on.")
            process.send_signal(signal.SIGINT)
            shown += read_until(screen, None)
            assert process.stdout is not None
            assert (process.wait(SECONDS), process.stdout.read()) == (130, b"")
        finally:
            process.kill()
    assert "0/1" in shown
    assert "Interrupted. OCR tasks that were started go on" in shown
    assert "Traceback" not in shown


def test_a_connection_that_is_not_defined_is_a_line_and_an_exit_code(
    airflow: LocalAirflow, command: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [*command, "check", "--conn-id", "ocr_nowhere"],
        env=environment(airflow),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, "")
    assert "ocr_nowhere" in done.stderr
    assert done.stderr.count("\n") == 1


def audit_log(airflow: LocalAirflow) -> str:
    """What Airflow has noted about commands that were called, and about everything else."""
    with sqlite3.connect(f"file:{airflow.home / 'airflow.db'}?mode=ro", uri=True) as database:
        return "\n".join(str(row) for row in database.execute("select * from log"))


def _heed_interrupts() -> None:
    """Tests that were started in a shell's background ignore interrupts, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def read_until(screen: int, text: str | None) -> str:
    """What appears on a terminal up to a text, or up to the end of the program."""
    shown = b""
    deadline = time.monotonic() + SECONDS
    while text is None or text.encode() not in shown:
        assert time.monotonic() < deadline, shown.decode()
        try:
            piece = os.read(screen, 65536)
        except OSError:  # a terminal whose program has ended
            break
        if not piece:
            break
        shown += piece
    return shown.decode()
