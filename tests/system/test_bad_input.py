# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.local_airflow import LocalAirflow
from demo.ocr_server import PASSWORD, ScanServer

DAG_ID = "one_document"


@dataclass(frozen=True)
class Case:
    """Something wrong, which task it stops, and the sentence that this task's log must have."""

    name: str
    failing: str
    message: str
    file: str = "letter.jpg?signature=canary-in-the-query"
    conn_id: str = "cloud_ocr_default"
    language: str = "English"


CASES = [
    Case(
        name="source_does_not_exist",
        file="no-such-scan.jpg?signature=canary-in-the-query",
        failing="wait",
        message="failed: The source image could not be fetched: 127.0.0.1 answered with HTTP 404.",
    ),
    Case(
        name="source_is_no_image",
        file="letter.txt?signature=canary-in-the-query",
        failing="wait",
        message="failed: The file is not an image that can be read.",
    ),
    Case(
        name="wrong_password",
        conn_id="cloud_ocr_wrong_password",
        failing="submit",
        message="The application ID or the password is wrong or missing. Check application ID and password.",
    ),
    Case(
        name="unreachable_server",
        conn_id="cloud_ocr_unreachable",
        failing="submit",
        message="the server refused the connection; is it running, and are host and port right?",
    ),
    Case(
        name="language_without_data",
        language="Zulu",
        failing="submit",
        message="language: no data is known with which this server could read Zulu",
    ),
]
SECRETS = (PASSWORD, "not-the-password", "canary-in-the-query")
ORDER = ["submit", "wait", "land"]


@pytest.fixture(scope="module")
def runs(airflow: LocalAirflow, scans: ScanServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the runs, all of them ended, were to land their files in."""
    destination = tmp_path_factory.mktemp("nothing-lands-here")
    for case in CASES:
        conf = {
            "source": f"{scans.url}/{case.file}",
            "cloud_ocr_conn_id": case.conn_id,
            "destination": (destination / case.name).as_uri(),
            "language": case.language,
        }
        airflow.run_dag(DAG_ID, case.name, conf)
    for case in CASES:
        assert airflow.wait_for_run(DAG_ID, case.name, seconds=180) == "failed"
    return destination


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_right_task_fails_and_says_why_in_one_sentence(
    airflow: LocalAirflow, runs: Path, case: Case
) -> None:
    states = {item.task_id: item.state for item in airflow.task_instances(DAG_ID, case.name)}
    position = ORDER.index(case.failing)
    expected = ["success"] * position + ["failed"] + ["upstream_failed"] * (len(ORDER) - position - 1)
    assert [states[task_id] for task_id in ORDER] == expected
    assert case.message in airflow.task_log(DAG_ID, case.name, case.failing)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_left_behind(airflow: LocalAirflow, runs: Path, case: Case) -> None:
    assert not (runs / case.name).exists()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_neither_password_nor_signature_stands_in_a_log_of_the_run(
    airflow: LocalAirflow, runs: Path, case: Case
) -> None:
    logs = (airflow.home / "logs").glob(f"**/run_id={case.name}/**/*.log*")
    lines = [line for path in logs for line in path.read_text().splitlines()]
    # At DEBUG Airflow repeats what the run was started with, before any operator is there.
    ours = [line for line in lines if '"event":"Updating task params' not in line]
    assert len(ours) >= len(ORDER)
    assert not any(secret in line for line in ours for secret in SECRETS)
