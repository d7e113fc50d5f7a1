# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, ObjectStoragePath
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields
from airflow.sdk.io import attach
from airflow.serialization.serialized_objects import DagSerialization
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_ocr.exceptions import (
    CloudOcrParameterError,
    CloudOcrResultError,
    CloudOcrTaskFailedError,
)
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.leftovers import temporary_name
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
    assert manifest.pop("quality")["pages"] == 2
    assert manifest == {
        "ocr_task_id": ocr_task_id,
        "credits": 10,
        "review": [],
        "files": [
            {
                "export_format": export_format,
                "uri": f"file://{tmp_path}/texts/{name}",
                "size": len(contents[name]),
                "sha256": hashlib.sha256(contents[name]).hexdigest(),
                "written": True,
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


def test_a_retry_removes_what_its_own_killed_try_left_and_not_what_another_task_is_writing(
    submit: Callable[..., str],
) -> None:
    ocr_task_id = submit("txt")
    attach("memory", fs=MemoryFileSystem(global_store=False, skip_instance_cache=True))
    folder = ObjectStoragePath("memory://texts")

    def task(map_index: int) -> SimpleNamespace:
        return SimpleNamespace(dag_id="scans", run_id="today", task_id="land", map_index=map_index)

    ours, theirs = (temporary_name("scan.txt", f"('scans', 'today', 'land', {each})") for each in (0, 1))
    for name in (ours, theirs):
        folder.fs.pipe_file(f"{folder.path}/{name}", b"torso")
    CloudOcrToObjectStorageOperator(
        task_id="land", ocr_task_id=ocr_task_id, destination=folder, export_format="txt", name="scan"
    ).execute({"ti": task(0)})
    assert {path.rpartition("/")[2] for path in folder.fs.ls(folder.path, detail=False)} == {
        "scan.txt",
        theirs,
    }


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
    with pytest.raises(
        CloudOcrResultError, match=r"cannot be written to file://.*/file/texts/\S+: Not a dir"
    ):
        land(submit(), f"file://{tmp_path}/file/texts")


def test_formats_in_another_order_than_submitted_are_noticed_and_nothing_lands(
    submit: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(CloudOcrResultError, match="name the export formats in the order of the submission"):
        land(submit(), f"file://{tmp_path}/texts", export_format="pdfSearchable,txt,pdfa")
    assert not (tmp_path / "texts").exists()


def transfer(**arguments: Any) -> CloudOcrToObjectStorageOperator:
    given = {"ocr_task_id": "1", "export_format": "txt", **arguments}
    return CloudOcrToObjectStorageOperator(task_id="land", **given)


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Airflow was told to mask."""
    told: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", told.extend)
    return told


DESTINATIONS: dict[str, tuple[Any, str]] = {
    "password and signature": ("memory://USER:SECRET-1@b/x?sig=SECRET-2", "memory://b/x?sig=***"),
    "signature and connection": ("s3://aws_default@b/x?sig=SECRET-2", "s3://aws_default@b/x?sig=***"),
    "encoded password": ("s3://USER%3ASECRET-1@b/x", "s3://b/x"),
    "object": (ObjectStoragePath("memory://USER:SECRET-1@b/x"), "memory:///b/x"),
}


@pytest.mark.parametrize(("destination", "shown"), DESTINATIONS.values(), ids=DESTINATIONS)
def test_a_destination_with_a_secret_is_seen_by_nobody_masked_and_refused(
    masked: list[str], destination: Any, shown: str
) -> None:
    with DAG("transfers", schedule=None) as dag:
        land = transfer(destination=destination)
    serialized = json.dumps(DagSerialization.to_dict(dag))
    land.render_template_fields({})
    assert _serialize_rendered_fields(land)["destination"] == shown
    assert shown in serialized
    assert "SECRET" not in serialized + json.dumps(vars(land), default=str)
    assert {secret for secret in ("SECRET-1", "SECRET-2") if secret in str(destination)} <= set(masked)
    with pytest.raises(
        CloudOcrParameterError, match=r"^destination: .* given with a password or a sig"
    ) as caught:
        land.execute({})
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "destination",
    [
        "s3://aws_default@bucket/texts",
        "s3://{{ params.connection }}@bucket/{{ ds }}",
        "file:///data/a@b",
        "/data/texts",
        "/data/10:30@x",
        ObjectStoragePath("memory://aws_default@bucket/texts"),
    ],
    ids=str,
)
def test_a_destination_without_secrets_stays_as_it_was_given(destination: Any) -> None:
    assert transfer(destination=destination).destination is destination


def test_a_secret_in_a_name_is_seen_by_nobody(masked: list[str], submit: Callable[..., str]) -> None:
    ocr_task_id = submit("txt")
    land = transfer(ocr_task_id=ocr_task_id, destination="/nowhere", name="{{ url }}")
    land.render_template_fields({"url": "https://u:SECRET-1@a.example/b?sig=SECRET-2"})
    assert _serialize_rendered_fields(land)["name"] == "https://a.example/b?..."
    assert {"SECRET-1", "SECRET-2"} < set(masked)
    with pytest.raises(CloudOcrParameterError, match="cannot be a file name") as caught:
        land.execute({})
    assert "SECRET" not in str(caught.value)
