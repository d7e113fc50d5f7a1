# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from demo.local_airflow import LocalAirflow
from demo.ocr_server import ScanServer

DAG_ID = "example_submit_and_wait"
RUN_ID = "system-test"


def test_what_is_read_well_lands_and_its_task_is_deleted(
    airflow: LocalAirflow, scans: ScanServer, tmp_path: Path
) -> None:
    conf = {
        "sources": [f"{scans.url}/receipt.png"],
        "destination": (tmp_path / "texts").as_uri(),
        "review_destination": (tmp_path / "review").as_uri(),
    }
    airflow.run_dag(DAG_ID, RUN_ID, conf)
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=300) == "success"
    ocr_task_id = airflow.xcom(DAG_ID, RUN_ID, "document.recognise", 0)
    manifest = airflow.xcom(DAG_ID, RUN_ID, "document.land", 0)
    assert (manifest["ocr_task_id"], manifest["review"]) == (ocr_task_id, [])
    assert "Corner Grocer" in (tmp_path / "texts" / f"{ocr_task_id}.txt").read_text(encoding="utf-8-sig")
    assert not (tmp_path / "review").exists()
    assert f"OCR task {ocr_task_id} deleted" in airflow.task_log(DAG_ID, RUN_ID, "document.land", 0)
