# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_ocr.exceptions import CloudOcrResultError, CloudOcrTaskFailedError
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.testing import CloudOcrRehearsal
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

FORMATS = "txt,pdfSearchable,pdfa"
TEXT = "Invoice 4711\fpage two"


@pytest.fixture
def submit(cloud_ocr: CloudOcrRehearsal) -> Callable[..., str]:
    """Submits a document and gives its OCR task's ID, once the task is in a state."""
    cloud_ocr.recognise_as(TEXT)

    def submitted(export_format: str = FORMATS, *, status: str = "Completed") -> str:
        with CloudOcrHook().get_conn() as client:
            settings = ProcessingSettings.parse(export_format=export_format)
            made = client.process_remote_image("https://nowhere.invalid/a.tif?sig=canary", settings)
        deadline = time.monotonic() + 20
        while not cloud_ocr.tasks(status):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return made.id

    return submitted


def land(ocr_task_id: str, destination: str | ObjectStoragePath, **arguments: Any) -> dict[str, Any]:
    operator = CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=ocr_task_id,
        destination=destination,
        **{"export_format": FORMATS, **arguments},
    )
    return operator.execute({})


@pytest.mark.parametrize("form", ["file://{}", "{}", "file://{}/"], ids=["uri", "path", "trailing_slash"])
def test_every_result_lands_under_a_name_of_its_own_and_is_in_the_manifest(
    submit: Callable[..., str], tmp_path: Path, form: str
) -> None:
    ocr_task_id = submit()
    manifest = land(ocr_task_id, form.format(tmp_path / "texts"), name="scan")
    names = {"txt": "scan.txt", "pdfSearchable": "scan.pdfSearchable.pdf", "pdfa": "scan.pdfa.pdf"}
    contents = {path.name: path.read_bytes() for path in (tmp_path / "texts").iterdir()}
    assert contents.keys() == set(names.values())
    assert contents["scan.txt"].decode("utf-8-sig") == "Invoice 4711\n\fpage two\n"
    assert contents["scan.pdfa.pdf"] != contents["scan.pdfSearchable.pdf"]
    assert manifest == {
        "ocr_task_id": ocr_task_id,
        "credits": 10,
        "files": [
            {
                "export_format": export_format,
                "uri": f"file://{tmp_path}/texts/{name}",
                "size": len(contents[name]),
                "sha256": hashlib.sha256(contents[name]).hexdigest(),
            }
            for export_format, name in names.items()
        ],
    }


def test_the_uris_of_the_manifest_open_the_files(submit: Callable[..., str], tmp_path: Path) -> None:
    manifest = land(submit(), ObjectStoragePath(f"file://{tmp_path}"))
    opened = [ObjectStoragePath(entry["uri"]).read_bytes() for entry in manifest["files"]]
    assert [hashlib.sha256(content).hexdigest() for content in opened] == [
        entry["sha256"] for entry in manifest["files"]
    ]


def test_the_manifest_holds_no_signed_url(submit: Callable[..., str], tmp_path: Path) -> None:
    manifest = json.dumps(land(submit(), f"file://{tmp_path}"))
    assert "signature" not in manifest
    assert "canary" not in manifest


OBSTACLES: dict[str, tuple[Callable[[CloudOcrRehearsal], None], type[Exception]]] = {
    "InProgress": (CloudOcrRehearsal.hold, CloudOcrResultError),
    "ProcessingFailed": (CloudOcrRehearsal.fail, CloudOcrTaskFailedError),
}


@pytest.mark.parametrize("status", OBSTACLES)
def test_a_task_without_results_leaves_nothing_behind(
    cloud_ocr: CloudOcrRehearsal, submit: Callable[..., str], tmp_path: Path, status: str
) -> None:
    stop, error = OBSTACLES[status]
    stop(cloud_ocr)
    ocr_task_id = submit(status=status)
    with pytest.raises(error, match=ocr_task_id):
        land(ocr_task_id, f"file://{tmp_path}/texts")
    assert not (tmp_path / "texts").exists()
    assert cloud_ocr.requests("results") == []


@pytest.mark.parametrize("submitted", ["txt", "txt,pdfSearchable"])
def test_fewer_results_than_formats_leave_nothing_behind(
    submit: Callable[..., str], tmp_path: Path, submitted: str
) -> None:
    ocr_task_id = submit(submitted)
    with pytest.raises(CloudOcrResultError, match=ocr_task_id):
        land(ocr_task_id, f"file://{tmp_path}/texts")
    assert not (tmp_path / "texts").exists()


def test_a_download_that_breaks_off_is_tried_again(
    cloud_ocr: CloudOcrRehearsal, submit: Callable[..., str], tmp_path: Path
) -> None:
    ocr_task_id = submit("txt")
    cloud_ocr.break_connection(methods=("results",))
    land(ocr_task_id, f"file://{tmp_path}", export_format="txt", name="scan")
    assert (tmp_path / "scan.txt").read_text(encoding="utf-8-sig").startswith("Invoice 4711")
    assert [request.status for request in cloud_ocr.requests("results")] == [None, 200]


def test_a_destination_that_cannot_be_written_to_is_named(submit: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CloudOcrResultError, match=r"cannot be written to .*/file/texts: Not a dir"):
        land(submit(), f"file://{tmp_path}/file/texts")


def test_formats_in_another_order_than_submitted_are_noticed_and_nothing_lands(
    submit: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(CloudOcrResultError, match="name the export formats in the order of the submission"):
        land(submit(), f"file://{tmp_path}/texts", export_format="pdfSearchable,txt,pdfa")
    assert not (tmp_path / "texts").exists()
