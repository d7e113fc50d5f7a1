# SPDX-License-Identifier: Apache-2.0
"""A destination with an Airflow connection is reached with that connection, and not as anybody.

Airflow's paths fall back to a filesystem without credentials if something goes wrong while they are built,
and say so nowhere. The store lets nobody in without any, so a file that lands shows that they are used.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_provider_ocr.exceptions import CloudOcrResultError
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator
from tests.landing_faults import NAME

if TYPE_CHECKING:
    from tests.landing_scene import Scene
    from tests.stores import Store

pytest_plugins = ["tests.stores", "tests.landing_scene"]


@pytest.fixture
def conn_id() -> str:
    """The ID of a connection that no other test has: Airflow keeps a filesystem for each."""
    return f"s3_{uuid.uuid4().hex}"


@pytest.fixture
def connect(conn_id: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the Airflow connection of a store, whose password is the right one or another."""

    def made(store: Store, secret: str | None = None) -> None:
        connection = {
            "conn_type": "aws",
            "login": store.options["key"],
            "password": secret or store.options["secret"],
            "extra": {"endpoint_url": store.endpoint, "region_name": "us-east-1"},
        }
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    return made


@pytest.fixture
def operator(scene: Scene, conn_id: str, cloud_ocr_connection: None) -> CloudOcrToObjectStorageOperator:
    """Lands the scene's result in its bucket."""
    return CloudOcrToObjectStorageOperator(
        task_id="land",
        ocr_task_id=scene.ocr_task_id,
        export_format="txt",
        destination=f"s3://{conn_id}@{scene.store.folder}",
        name="scan",
    )


@pytest.fixture
def cloud_ocr_connection(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """``cloud_ocr_default`` leads to the scene's host."""
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", scene.host.connection)


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_path_has_the_filesystem_of_its_connection(store: Store, conn_id: str, connect: Any) -> None:
    connect(store)
    filesystem = ObjectStoragePath(f"s3://{conn_id}@{store.folder}").fs
    assert filesystem.endpoint_url == store.endpoint
    assert not filesystem.anon
    assert filesystem.exists(store.bucket)


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_landing_uses_the_connection_of_its_destination(
    scene: Scene, operator: CloudOcrToObjectStorageOperator, conn_id: str, connect: Any
) -> None:
    connect(scene.store)
    (file,) = operator.execute({})["files"]
    assert file["uri"] == f"s3://{conn_id}@{scene.store.folder}/{NAME}"
    assert scene.has_landed()
    assert ObjectStoragePath(file["uri"]).read_bytes() == scene.content


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_connection_that_is_not_let_in_lands_nothing_and_names_the_destination(
    scene: Scene, operator: CloudOcrToObjectStorageOperator, conn_id: str, connect: Any
) -> None:
    connect(scene.store, secret="another one")
    with pytest.raises(
        CloudOcrResultError, match=rf"cannot be written to s3://{conn_id}@{scene.store.folder}"
    ):
        operator.execute({})
    assert scene.store.files() == {}
    assert scene.store.unfinished_uploads() == []


@pytest.mark.parametrize("store", ["s3"], indirect=True)
def test_a_connection_that_there_is_not_lands_nothing(
    scene: Scene, operator: CloudOcrToObjectStorageOperator, conn_id: str
) -> None:
    with pytest.raises(Exception, match=rf"{conn_id}"):
        operator.execute({})
    assert scene.store.files() == {}
