# SPDX-License-Identifier: Apache-2.0
"""A landing in S3, as assets, lineage and the UI tell of it.

The store is SeaweedFS. It is reached as a proxy on the way to Amazon's address, which is in all that is
signed, so that the landing takes it for Amazon's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow
from tests.system.conftest import LINEAGE

if TYPE_CHECKING:
    from tests.stores import Store

pytest_plugins = ["tests.stores"]

DAG_ID, RUN_ID, TASK_ID = "landed_in_s3", "in-s3", "land"
CONNECTION = "s3_by_proxy"


@dataclass(frozen=True, slots=True)
class Run:
    """Airflow after a document has landed in a bucket."""

    airflow: LocalAirflow
    store: Store
    service: str

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = self.airflow.xcom(DAG_ID, RUN_ID, TASK_ID)
        return found

    @property
    def key(self) -> str:
        return self.store.folder.partition("/")[2] + "/scan.txt"

    def lineage(self) -> dict[str, Any]:
        """The event of the landing's end."""
        lines = (self.airflow.home / LINEAGE).read_text().splitlines()
        [event] = (
            event
            for event in map(json.loads, lines)
            if event["eventType"] == "COMPLETE" and event["job"]["name"] == f"{DAG_ID}.{TASK_ID}"
        )
        return dict(event)


@pytest.fixture(scope="module")
def run(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal, seaweedfs: str) -> Run:
    from tests.stores import new_s3_store  # a plugin is loaded before it is imported

    cloud_ocr_session.reset()
    store = new_s3_store(seaweedfs)
    extra = {
        "region_name": "us-east-1",
        "config_kwargs": {"s3": {"addressing_style": "path"}},
        "service_config": {
            "s3": {"endpoint_url": "http://s3.us-east-1.amazonaws.com", "proxy-uri": seaweedfs}
        },
    }
    connection = {
        "connection_id": CONNECTION,
        "conn_type": "aws",
        "login": store.options["key"],
        "password": store.options["secret"],
        "extra": json.dumps(extra),
    }
    airflow.create("connections", connection)
    airflow.run_dag(DAG_ID, RUN_ID, {"destination": f"s3://{CONNECTION}@{store.folder}"})
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=240) == "success"
    return Run(airflow, store, cloud_ocr_session.url)


def test_it_is_there_as_the_manifest_says(run: Run) -> None:
    [file] = run.manifest["files"]
    assert file["uri"] == f"s3://{CONNECTION}@{run.store.folder}/scan.txt"
    assert {name: len(content) for name, content in run.store.files().items()} == {"scan.txt": file["size"]}


def test_the_button_leads_to_the_file_in_the_console(run: Run) -> None:
    prefix = run.key.replace("/", "%2F")
    assert run.airflow.extra_links(DAG_ID, RUN_ID, TASK_ID) == {
        "Result": f"https://console.aws.amazon.com/s3/object/{run.store.bucket}?prefix={prefix}"
    }


def test_the_asset_is_the_file_without_the_connection(run: Run) -> None:
    [event] = run.airflow.asset_events(DAG_ID, RUN_ID, TASK_ID)
    asset = run.airflow.asset(event["asset_id"])
    assert (asset["name"], asset["uri"]) == (f"s3://{run.store.bucket}/{run.key}",) * 2
    assert event["extra"] == {"ocr_task_id": run.manifest["ocr_task_id"], **run.manifest["files"][0]}


def test_lineage_leads_from_the_ocr_task_to_the_file(run: Run) -> None:
    event = run.lineage()
    assert [(each["namespace"], each["name"]) for each in event["inputs"]] == [
        (run.service, run.manifest["ocr_task_id"])
    ]
    assert [(each["namespace"], each["name"]) for each in event["outputs"]] == [
        (f"s3://{run.store.bucket}", run.key)
    ]
    assert event["run"]["facets"]["externalQuery"]["externalQueryId"] == run.manifest["ocr_task_id"]


def test_nothing_that_is_told_holds_a_signature_or_a_password(run: Run) -> None:
    told = (run.airflow.home / LINEAGE).read_text() + str(run.airflow.asset_events(DAG_ID, RUN_ID, TASK_ID))
    assert f"{DAG_ID}.{TASK_ID}" in told
    for secret in ("SIGNATURE", "/results/", run.store.options["secret"]):
        assert secret not in told
