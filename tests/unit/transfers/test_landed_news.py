# SPDX-License-Identifier: Apache-2.0
"""What a landing tells, in the forms that Airflow and OpenLineage give it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.openlineage.extractors.manager import ExtractorManager
from airflow.sdk import DAG, Asset, AssetAlias, TaskInstanceState
from airflow.sdk.execution_time.context import OutletEventAccessors
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from airflow_provider_ocr.exceptions import CloudOcrTaskFailedError
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.links import CloudOcrResultLink
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.testing import CloudOcrRehearsal
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

FORMATS = "txt,pdfSearchable"
TEXTS, FILES = Asset("texts"), AssetAlias("files")


@pytest.fixture
def landing(cloud_ocr: CloudOcrRehearsal, tmp_path: Path) -> Callable[..., CloudOcrToObjectStorageOperator]:
    """Makes operators for a document that was submitted with a signed URL and has been processed."""

    def of(**arguments: Any) -> CloudOcrToObjectStorageOperator:
        with CloudOcrHook().get_conn() as client:
            settings = ProcessingSettings.parse(export_format=FORMATS)
            made = client.process_remote_image("https://nowhere.invalid/a.tif?sig=SECRET", settings)
        deadline = time.monotonic() + 60
        while not cloud_ocr.tasks("Completed") + cloud_ocr.tasks("ProcessingFailed"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with DAG("landing", schedule=None):
            return CloudOcrToObjectStorageOperator(
                task_id="land",
                ocr_task_id=made.id,
                destination=f"file://{tmp_path}/texts",
                export_format=FORMATS,
                name="scan",
                **arguments,
            )

    return of


def events(accessors: OutletEventAccessors) -> dict[str, list[tuple[str, Any]]]:
    """The events of each outlet: name of the asset and extra."""
    found: dict[str, list[tuple[str, Any]]] = {}
    for outlet in (TEXTS, FILES):
        if outlet not in list(accessors):
            continue
        accessor = accessors[outlet]
        several = [(event.dest_asset_key.name, event.extra) for event in accessor.asset_alias_events]
        found[outlet.name] = several if isinstance(outlet, AssetAlias) else [(outlet.name, accessor.extra)]
    return found


def test_an_asset_has_one_event_with_the_manifest_and_an_alias_an_asset_for_each_file(
    landing: Callable[..., CloudOcrToObjectStorageOperator], tmp_path: Path
) -> None:
    outlets = OutletEventAccessors()
    operator = landing(outlets=[TEXTS, FILES])
    manifest = operator.execute({"outlet_events": outlets})
    names = ["scan.txt", "scan.pdf"]
    assert events(outlets) == {
        "texts": [("texts", manifest)],
        "files": [
            (f"file://{tmp_path}/texts/{name}", {"ocr_task_id": operator.ocr_task_id, **file})
            for name, file in zip(names, manifest["files"], strict=True)
        ],
    }
    assert "SECRET" not in json.dumps(events(outlets))


def test_files_that_were_there_already_are_told_of_as_such(
    landing: Callable[..., CloudOcrToObjectStorageOperator],
) -> None:
    operator = landing(outlets=[FILES], if_exists="skip_if_same")
    for written in (True, False):
        outlets = OutletEventAccessors()
        operator.execute({"outlet_events": outlets})
        assert [extra["written"] for _, extra in events(outlets)["files"]] == [written] * 2


def test_a_landing_without_outlets_asks_for_no_events(
    landing: Callable[..., CloudOcrToObjectStorageOperator],
) -> None:
    assert landing().execute({})["files"]


def test_a_landing_that_fails_tells_nothing(
    cloud_ocr: CloudOcrRehearsal, landing: Callable[..., CloudOcrToObjectStorageOperator]
) -> None:
    cloud_ocr.fail()
    outlets = OutletEventAccessors()
    operator = landing(outlets=[TEXTS, FILES])
    with pytest.raises(CloudOcrTaskFailedError):
        operator.execute({"outlet_events": outlets})
    assert events(outlets) == {}
    assert operator.get_openlineage_facets_on_complete(None) is None
    assert CloudOcrResultLink().get_link(operator, ti_key=None) == ""


def test_outlets_that_cannot_be_told_leave_the_ocr_task_for_a_retry(
    cloud_ocr: CloudOcrRehearsal, landing: Callable[..., CloudOcrToObjectStorageOperator]
) -> None:
    class Unknown:
        def __getitem__(self, outlet: Any) -> Any:
            raise KeyError(outlet)

    operator = landing(outlets=[TEXTS], delete_after=True)
    with pytest.raises(KeyError):
        operator.execute({"outlet_events": Unknown()})
    assert cloud_ocr.requests("deleteTask") == []


def test_openlineage_is_told_of_the_ocr_task_and_of_the_files(
    cloud_ocr: CloudOcrRehearsal, landing: Callable[..., CloudOcrToObjectStorageOperator], tmp_path: Path
) -> None:
    operator = landing()
    manifest = operator.execute({})
    told = ExtractorManager().extract_metadata(
        SimpleNamespace(run_id="a run"), operator, TaskInstanceState.SUCCESS, None
    )
    run = Run(runId="01a2053a-1da7-7b12-a5df-6f080771ecb6", facets=told.run_facets)
    event = Serde.to_json(
        RunEvent(
            eventType=RunState.COMPLETE,
            eventTime=datetime.now(UTC).isoformat(),
            run=run,
            job=Job("test", "landing.land"),
            inputs=told.inputs,
            outputs=told.outputs,
            producer="test",
        )
    )
    found = json.loads(event)
    assert [(each["namespace"], each["name"]) for each in found["inputs"]] == [
        (cloud_ocr.url, operator.ocr_task_id)
    ]
    assert [
        (each["namespace"], each["name"], each["outputFacets"]["outputStatistics"]["size"])
        for each in found["outputs"]
    ] == [
        ("file", f"{tmp_path}/texts/{name}", file["size"])
        for name, file in zip(["scan.txt", "scan.pdf"], manifest["files"], strict=True)
    ]
    assert found["run"]["facets"]["externalQuery"]["externalQueryId"] == operator.ocr_task_id
    assert "SECRET" not in event
