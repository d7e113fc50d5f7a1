# SPDX-License-Identifier: Apache-2.0
"""One real Airflow for all system tests: scheduler, DAG processor, triggerer and API server."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer
from demo.processes import free_port
from tests.kills import TRIGGERERS_NOTICED_SOON

PROJECT = Path(__file__).resolve().parents[2]
LINEAGE = "lineage.jsonl"
"""The file of lineage events, in Airflow's home."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--airflow-python",
        default=sys.executable,
        help="interpreter of another environment that has this package and the Airflow to run the DAGs in",
    )


@pytest.fixture(scope="session")
def airflow(
    ocr_server: OcrServer,
    cloud_ocr_session: CloudOcrRehearsal,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[LocalAirflow]:
    """Airflow with the example DAGs, the DAGs of the tests, and connections good and bad."""
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    shutil.copytree(PROJECT / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "tests" / "system" / "dags", dags, dirs_exist_ok=True)
    good = {"conn_type": "cloud_ocr", "host": ocr_server.url, "login": APPLICATION_ID, "password": PASSWORD}
    connections = {
        "cloud_ocr_default": good,
        "cloud_ocr_rehearsal": json.loads(cloud_ocr_session.connection),
        "cloud_ocr_wrong_password": {**good, "password": "not-the-password"},
        "cloud_ocr_unreachable": {**good, "host": f"http://127.0.0.1:{free_port()}"},
    }
    python = pytestconfig.getoption("--airflow-python")
    airflow = LocalAirflow(home=home, dags=dags, connections=connections, python=python)
    # The most talkative that our own calls get: test_no_secrets.py looks at every line.
    airflow.environment["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "DEBUG"
    airflow.environment.update(TRIGGERERS_NOTICED_SOON)  # tests kill parts of it
    # Only DAGs that ask for it, by enable_lineage(), write lineage events.
    lineage = {"type": "file", "log_file_path": str(home / LINEAGE), "append": True}
    airflow.environment["AIRFLOW__OPENLINEAGE__TRANSPORT"] = json.dumps(lineage)
    airflow.environment["AIRFLOW__OPENLINEAGE__SELECTIVE_ENABLE"] = "True"
    with airflow as running:
        yield running
        for program in running.programs.values():
            program.kill()  # that it stops when it is asked to, the demonstration's tests show
