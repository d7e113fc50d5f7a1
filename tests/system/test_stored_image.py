# SPDX-License-Identifier: Apache-2.0
"""A DAG takes an image from S3 by an Airflow connection; how it was opened stands nowhere in Airflow."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import fsspec
import pytest

from demo.local_airflow import LocalAirflow
from tests.system.secret_search import search

pytest.importorskip(
    "airflow.providers.amazon.aws.fs.s3", reason="apache-airflow-providers-amazon[s3fs] is not installed"
)
pytest_plugins = ["tests.object_store"]


def test_an_image_in_s3_is_signed_and_sent_along_recognised_and_landed(
    *,
    airflow: LocalAirflow,
    s3_endpoint: str,
    s3_url: str,
    samples: Path,
    requested: list[str],
    tmp_path: Path,
) -> None:
    store = fsspec.filesystem("s3", skip_instance_cache=True)
    image = f"{s3_url.removeprefix('s3://')}/receipt.png"
    store.pipe_file(image, (samples / "receipt.png").read_bytes())
    extra = json.dumps({"endpoint_url": s3_endpoint, "region_name": "us-east-1"})
    connection = {"connection_id": "the_store", "conn_type": "aws", "login": "test", "password": "test"}
    airflow.create("connections", {**connection, "extra": extra})
    conf = {"source": f"s3://the_store@{image}", "destination": tmp_path.as_uri()}
    airflow.run_dag("stored_image", "s3", conf)
    assert airflow.wait_for_run("stored_image", "s3", seconds=300) == "success"
    texts = [path.read_text() for path in tmp_path.iterdir()]
    assert len(texts) == 2
    assert all("Corner Grocer" in text for text in texts)
    # One of the two was fetched by a signed URL, and only the store and the service have seen it.
    signatures = {found[1] for line in requested if (found := re.search(r"Signature=([^&\s]+)", line))}
    assert len(signatures) == 1
    secrets = {f"signature {number}": unquote(text) for number, text in enumerate(signatures)}
    assert search(secrets, airflow.home) == set()
    assert search({"path": image}, airflow.home) != set()
