# SPDX-License-Identifier: Apache-2.0
"""An image in a closed bucket is recognised, signed and sent along, and no log shows how it was opened."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import fsspec
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.exceptions import CloudOcrParameterError, CloudOcrSourceError
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer

pytest.importorskip(
    "airflow.providers.amazon.aws.fs.s3", reason="apache-airflow-providers-amazon[s3fs] is not installed"
)
pytest_plugins = ["tests.object_store"]
WORDS = b"Corner Grocer"
Run = Callable[..., str]


@pytest.fixture
def path(s3_url: str, samples: Path) -> str:
    """A receipt in S3, with the connection that opens it."""
    path = s3_url + "/receipt 1#2.png"
    store = fsspec.filesystem("s3", skip_instance_cache=True)
    store.pipe_file(path.removeprefix("s3://"), (samples / "receipt.png").read_bytes())
    return path.replace("s3://", "s3://the_store@")


@pytest.fixture
def run(ocr_server: OcrServer, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Executes the operator with connections to the server and to the store."""
    server = {
        "conn_type": "cloud_ocr",
        "host": ocr_server.url,
        "login": APPLICATION_ID,
        "password": PASSWORD,
    }
    store = {
        "conn_type": "aws",
        "login": "test",
        "password": "test",
        "extra": {"endpoint_url": s3_endpoint, "region_name": "us-east-1"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(server))
    monkeypatch.setenv("AIRFLOW_CONN_THE_STORE", json.dumps(store))

    def execute(**arguments: Any) -> str:
        task = ProcessRemoteImageOperator(task_id="submit", export_format="txt", **arguments)
        ti = SimpleNamespace(dag_id="d", run_id=s3_endpoint, task_id="submit", map_index=-1, try_number=1)
        return task.execute({"ti": ti})  # type: ignore[typeddict-item]  # as much as is looked at

    return execute


def recognised(client: CloudOcrClient, wait_for: Callable[..., OcrTask], ocr_task_id: str) -> bytes:
    task = wait_for(client, ocr_task_id)
    assert task.status == "Completed"
    return b"".join(client.download_result(task.result_urls[0]))


def test_a_signed_image_is_recognised_and_its_signature_stands_nowhere(
    *,
    run: Run,
    path: str,
    client: CloudOcrClient,
    wait_for: Callable[..., OcrTask],
    requested: list[str],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    masked: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", masked.extend)
    with caplog.at_level(logging.DEBUG):
        ocr_task_id = run(source=path)
    assert WORDS in recognised(client, wait_for, ocr_task_id)
    [found] = [found for line in requested if (found := re.search(r"Signature=([^&\s]+)", line))]
    signature = unquote(found[1])
    # The store's own log is the store's business; it runs in this process.
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    told = "\n".join(ours) + capsys.readouterr().out
    assert f"OCR task {ocr_task_id}: new" in told
    assert signature not in told
    assert found[1] not in told
    assert signature in masked
    assert all("Signature" not in repr(task) for task in client.list_tasks() if task.id == ocr_task_id)


def test_an_image_that_is_sent_along_is_recognised(
    run: Run, path: str, client: CloudOcrClient, wait_for: Callable[..., OcrTask], requested: list[str]
) -> None:
    assert WORDS in recognised(client, wait_for, run(source=path, source_access="upload"))
    assert not [line for line in requested if "Signature=" in line]


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("{path}.missing", CloudOcrSourceError, "there is no "),
        ("hdfs://bucket/a.png", CloudOcrParameterError, "No filesystem registered for scheme hdfs"),
        ("file:///nowhere/a.png", CloudOcrParameterError, "no URL leads to a local file"),
    ],
    ids=["missing", "not installed", "local"],
)
def test_what_cannot_be_had_is_told_before_anything_is_paid_for(
    *, run: Run, path: str, client: CloudOcrClient, source: str, error: type[Exception], said: str
) -> None:
    before = len(client.list_tasks())
    with pytest.raises(error, match=said):
        run(source=source.format(path=path))
    assert len(client.list_tasks()) == before
