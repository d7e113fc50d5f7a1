# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_ocr.exceptions import CloudOcrResultError, CloudOcrTaskFailedError
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

OCR_TASK_ID = "0f4d2a86-6a3c-4a55-9c0e-1d2f3a4b5c6d"
CONTENTS = [b"\xef\xbb\xbftext", b"%PDF-1.7 one", b"%PDF-1.7 two"]

MEDIA_TYPES = ["text/plain; charset=utf-8", "application/pdf", "application/octet-stream"]


class Service(Protocol):
    url: str

    def reply(
        self, path: str, body: bytes = b"", *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None: ...


@pytest.fixture
def service(server: Service, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service with one completed task of three results, and the connection that leads to it."""
    urls = tuple(f"{server.url}/results/{number}?signature=canary" for number in range(3))
    task = OcrTask(id=OCR_TASK_ID, status="Completed", credits=10, result_urls=urls)
    server.reply("getTaskStatus", render_tasks([task]))
    for number, (content, media_type) in enumerate(zip(CONTENTS, MEDIA_TYPES, strict=True)):
        server.reply(f"results/{number}", content, headers={"Content-Type": media_type})
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    return server


def land(destination: str | ObjectStoragePath, **arguments: Any) -> dict[str, Any]:
    operator = CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=OCR_TASK_ID,
        destination=destination,
        **{"export_format": "txt,pdfSearchable,pdfa", **arguments},
    )
    return operator.execute({})


@pytest.mark.parametrize("form", ["file://{}", "{}", "file://{}/"], ids=["uri", "path", "trailing_slash"])
def test_every_result_lands_under_a_name_of_its_own_and_is_in_the_manifest(
    service: Service, tmp_path: Path, form: str
) -> None:
    manifest = land(form.format(tmp_path / "texts"), name="scan")
    names = ["scan.txt", "scan.pdfSearchable.pdf", "scan.pdfa.pdf"]
    assert manifest == {
        "ocr_task_id": OCR_TASK_ID,
        "credits": 10,
        "files": [
            {
                "export_format": export_format,
                "uri": f"file://{tmp_path}/texts/{name}",
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for export_format, name, content in zip(
                ["txt", "pdfSearchable", "pdfa"], names, CONTENTS, strict=True
            )
        ],
    }
    assert sorted(path.name for path in (tmp_path / "texts").iterdir()) == sorted(names)


def test_the_uris_of_the_manifest_open_the_files(service: Service, tmp_path: Path) -> None:
    manifest = land(ObjectStoragePath(f"file://{tmp_path}"))
    assert [ObjectStoragePath(entry["uri"]).read_bytes() for entry in manifest["files"]] == CONTENTS


def test_the_manifest_holds_no_signed_url(service: Service, tmp_path: Path) -> None:
    assert "canary" not in json.dumps(land(f"file://{tmp_path}"))


@pytest.mark.parametrize(
    ("task", "error"),
    [
        (OcrTask(id=OCR_TASK_ID, status="InProgress"), CloudOcrResultError),
        (OcrTask(id=OCR_TASK_ID, status="ProcessingFailed", error="torn page"), CloudOcrTaskFailedError),
        (
            OcrTask(id=OCR_TASK_ID, status="Completed", result_urls=("http://127.0.0.1/1",)),
            CloudOcrResultError,
        ),
    ],
    ids=["still_running", "failed", "fewer_results_than_formats"],
)
def test_a_task_without_the_results_leaves_nothing_behind(
    server: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, task: OcrTask, error: type[Exception]
) -> None:
    server.reply("getTaskStatus", render_tasks([task]))
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    with pytest.raises(error) as caught:
        land(f"file://{tmp_path}/texts")
    assert OCR_TASK_ID in str(caught.value)
    assert not (tmp_path / "texts").exists()


def test_a_destination_that_cannot_be_written_to_is_named(service: Service, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CloudOcrResultError, match=r"cannot be written to .*/file/texts: Not a dir"):
        land(f"file://{tmp_path}/file/texts")


def test_formats_in_another_order_than_submitted_are_noticed_and_nothing_lands(
    service: Service, tmp_path: Path
) -> None:
    with pytest.raises(CloudOcrResultError, match="name the export formats in the order of the submission"):
        land(f"file://{tmp_path}/texts", export_format="pdfSearchable,txt,pdfa")
    assert not (tmp_path / "texts").exists()
