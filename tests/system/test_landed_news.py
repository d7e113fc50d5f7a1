# SPDX-License-Identifier: Apache-2.0
"""A landing's asset events, as anybody reads them from Airflow."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

DAG_ID, RUN_ID, TASK_ID = "landed_news", "in-a-folder", "land"


@pytest.fixture(scope="module")
def run(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> LocalAirflow:
    """Airflow after a document has landed in a folder."""
    cloud_ocr_session.reset()
    airflow.run_dag(DAG_ID, RUN_ID, {"destination": f"file://{airflow.home}/landed-news"})
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=240) == "success"
    return airflow


@pytest.fixture(scope="module")
def events(run: LocalAirflow) -> list[tuple[str, dict[str, Any]]]:
    """Name of the asset and extra of each event."""
    found = run.asset_events(DAG_ID, RUN_ID, TASK_ID)
    return [(run.asset(event["asset_id"])["name"], event["extra"]) for event in found]


def test_the_asset_has_one_event_whose_extra_is_the_manifest(
    run: LocalAirflow, events: list[tuple[str, dict[str, Any]]]
) -> None:
    manifest = run.xcom(DAG_ID, RUN_ID, TASK_ID)
    assert [file["written"] for file in manifest["files"]] == [True, True]
    assert [extra for name, extra in events if name == "landed_texts"] == [manifest]


def test_the_alias_has_an_asset_and_an_event_for_each_file(
    run: LocalAirflow, events: list[tuple[str, dict[str, Any]]]
) -> None:
    manifest = run.xcom(DAG_ID, RUN_ID, TASK_ID)
    # Airflow's own normalisation of a file's URI is not everywhere installed.
    told = {name.removeprefix("file://"): extra for name, extra in events if name != "landed_texts"}
    assert told == {
        file["uri"].removeprefix("file://"): {"ocr_task_id": manifest["ocr_task_id"], **file}
        for file in manifest["files"]
    }


def test_no_event_and_no_address_tells_of_the_signed_urls(
    run: LocalAirflow, events: list[tuple[str, dict[str, Any]]]
) -> None:
    assert len(events) == 3
    assert "SIGNATURE" not in str(events)
    assert "/results/" not in str(events)


def test_files_in_a_folder_have_no_address_that_a_browser_could_go_to(run: LocalAirflow) -> None:
    assert not run.extra_links(DAG_ID, RUN_ID, TASK_ID)["Result"]
