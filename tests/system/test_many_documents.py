# SPDX-License-Identifier: Apache-2.0
"""A few documents through an Airflow that loses its triggerer and a task; 200 in tests/long/test_kills.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow
from tests.kills import kill_task, many, tries, wait_until
from tests.told_apart import assert_landed, recognise_each

pytestmark = pytest.mark.long

DOCUMENTS = 10
DAG_ID, RUN_ID = "many_documents", "killed"


@pytest.fixture(scope="module")
def landed(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> Iterator[Path]:
    """The folder in which they land, after a run in which all waited when the triggerer was killed."""
    folder = airflow.home / "landed"
    cloud_ocr_session.reset()
    cloud_ocr_session.hold()
    recognise_each(cloud_ocr_session, DOCUMENTS)
    airflow.run_dag(DAG_ID, RUN_ID, {"documents": DOCUMENTS, "destination": f"file://{folder}"})

    def all_wait() -> bool:
        waits = many(airflow, DAG_ID, RUN_ID, "document.wait").values()
        return [item.state for item in waits] == ["deferred"] * DOCUMENTS

    wait_until(all_wait, "all wait")
    airflow.programs["triggerer"].kill()
    cloud_ocr_session.slow_down(5.0, methods=("results",), times=DOCUMENTS)
    cloud_ocr_session.release()
    airflow.start("triggerer")
    wait_until(lambda: bool(list(folder.glob("*.txt"))), "one has landed")
    kill_task(airflow, DAG_ID, RUN_ID, "document.land")
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=600) == "success"
    yield folder
    cloud_ocr_session.reset()


def test_all_documents_land(landed: Path) -> None:
    assert_landed(landed, DOCUMENTS)


def test_a_task_was_killed(landed: Path, airflow: LocalAirflow) -> None:
    assert any(count > 1 for count in tries(airflow, DAG_ID, RUN_ID, "document.land"))


def test_each_is_paid_for_once(landed: Path, cloud_ocr_session: CloudOcrRehearsal) -> None:
    wanted = [f"https://nowhere.invalid/document-{n}.tif" for n in range(DOCUMENTS)]
    assert Counter(task.source for task in cloud_ocr_session.tasks()) == Counter(wanted)
    assert cloud_ocr_session.credits_charged == 5 * DOCUMENTS


def test_nothing_is_deleted(landed: Path, cloud_ocr_session: CloudOcrRehearsal) -> None:
    assert not cloud_ocr_session.requests("deleteTask")
