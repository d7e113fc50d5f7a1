# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from rapidfuzz.distance import Levenshtein

from demo.__main__ import DAG_ID, DOCUMENTS, SAMPLES
from demo.local_airflow import LocalAirflow
from demo.ocr_server import OcrServer, ScanServer

RUN_ID = "system-test"
INDEXES = range(len(DOCUMENTS))
NAMES = [document.name for document in DOCUMENTS]


@pytest.fixture(scope="module")
def destination(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("landed")


@pytest.fixture(scope="module")
def run(airflow: LocalAirflow, scans: ScanServer, destination: Path) -> LocalAirflow:
    """Airflow after a successful run of the example over all sample scans."""
    documents = [
        {"source": f"{scans.url}/{sample.file}", "name": sample.name, "language": sample.language}
        for sample in DOCUMENTS
    ]
    airflow.run_dag(DAG_ID, RUN_ID, {"documents": documents, "destination": destination.as_uri()})
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=240) == "success"
    return airflow


def plain(text: str) -> str:
    """NFC, no byte order mark, each run of white space as one space."""
    return " ".join(unicodedata.normalize("NFC", text.removeprefix("\ufeff")).split())


def test_the_destination_holds_a_text_and_a_pdf_for_each_document_and_nothing_else(
    run: LocalAirflow, destination: Path
) -> None:
    assert sorted(path.name for path in destination.iterdir()) == sorted(
        f"{name}.{extension}" for name in NAMES for extension in ("txt", "pdf")
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_text_has_at_most_two_percent_character_errors(
    run: LocalAirflow, destination: Path, name: str
) -> None:
    truth = plain((SAMPLES / f"{name}.txt").read_text(encoding="utf-8"))
    text = plain((destination / f"{name}.txt").read_text(encoding="utf-8"))
    assert Levenshtein.distance(truth, text) <= 0.02 * len(truth)


@pytest.mark.parametrize("name", NAMES)
def test_the_pdf_can_be_searched_for_the_words_of_the_text(
    run: LocalAirflow, destination: Path, name: str
) -> None:
    words = set((destination / f"{name}.txt").read_text(encoding="utf-8-sig").split())
    with pypdfium2.PdfDocument(destination / f"{name}.pdf") as pdf:
        found = " ".join(page.get_textpage().get_text_bounded() for page in pdf)
    assert words <= set(found.split())


@pytest.mark.parametrize("index", INDEXES, ids=NAMES)
def test_the_manifest_describes_the_files_as_they_are(run: LocalAirflow, index: int) -> None:
    manifest: dict[str, Any] = run.xcom(DAG_ID, RUN_ID, "document.land", index)
    assert manifest["ocr_task_id"] == run.xcom(DAG_ID, RUN_ID, "document.submit", index)
    assert manifest["credits"] == (15 if DOCUMENTS[index].file.endswith(".tif") else 5)
    assert [entry["export_format"] for entry in manifest["files"]] == ["txt", "pdfSearchable"]
    for entry in manifest["files"]:
        content = Path(entry["uri"].removeprefix("file://")).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["size"], entry["sha256"])


@pytest.mark.parametrize("index", INDEXES, ids=NAMES)
def test_the_sensor_waited_in_the_triggerer_and_resumed_on_its_event(run: LocalAirflow, index: int) -> None:
    ocr_task_id = run.xcom(DAG_ID, RUN_ID, "document.submit", index)
    log = run.task_log(DAG_ID, RUN_ID, "document.wait", index)
    assert f"OCR task {ocr_task_id}: deferring until it is done" in log
    assert "Pausing task as DEFERRED" in log
    assert "Trigger fired event" in log
    event = f"TriggerEvent<{{'ocr_task_id': '{ocr_task_id}', 'status': 'Completed'}}>"
    assert any(event in trigger_log for trigger_log in trigger_logs(run, index))


@pytest.mark.parametrize("index", INDEXES, ids=NAMES)
def test_nobody_asks_for_a_task_before_it_is_two_seconds_old(
    run: LocalAirflow, ocr_server: OcrServer, index: int
) -> None:
    ocr_task_id = run.xcom(DAG_ID, RUN_ID, "document.submit", index)
    log = run.task_log(DAG_ID, RUN_ID, "document.wait", index)
    assert f"OCR task {ocr_task_id}: the first look comes in 2 s, as the service asks" in log
    requests = [line for line in ocr_server.log.read_text().splitlines() if line.endswith(ocr_task_id)]
    accepted = next(moment(line) for line in requests if "/processRemoteImage" in line)
    first_asked = next(moment(line) for line in requests if "/getTaskStatus" in line)
    assert (first_asked - accepted).total_seconds() >= 2.0


def trigger_logs(run: LocalAirflow, index: int) -> list[str]:
    logs = (run.home / "logs").glob(f"**/run_id={RUN_ID}/task_id=document.wait/map_index={index}/*.trigger.*")
    return [path.read_text() for path in logs]


def moment(line: str) -> datetime:
    """When a line of the server's log was written."""
    return datetime.strptime(line[:24], "%Y-%m-%dT%H:%M:%S.%f%z")
