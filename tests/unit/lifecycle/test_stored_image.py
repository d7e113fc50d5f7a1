# SPDX-License-Identifier: Apache-2.0
"""Images in a real S3 store, and in stores that sign nothing, on their way to the service."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import fsspec
import pytest
import requests
from fsspec.implementations.local import LocalFileSystem

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.stored_image import (
    MAX_UPLOAD_BYTES,
    signed_image,
    uploaded_image,
)
from airflow_provider_ocr.lifecycle.submission import Prepare, Submitter
from airflow_provider_ocr.protocol.errors import InvalidParameterError, SourceUnreadableError
from airflow_provider_ocr.protocol.settings import ProcessingSettings

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

pytest_plugins = ["tests.object_store"]
IMAGE = b"the bytes of an image"
KEY = "0123456789abcdef0123"
DAY = 24 * 60 * 60


def ignore(url: str) -> None:
    """Nobody logs anything here."""


def submit(client: CloudOcrClient, image: Prepare) -> str:
    submitter = Submitter(client=client, record=None, is_retry=False)
    return submitter.submit(image, ProcessingSettings(), key=KEY).task.id


@pytest.fixture
def s3(s3_options: dict[str, str]) -> Any:
    return fsspec.filesystem("s3", **s3_options, skip_instance_cache=True)


@pytest.fixture
def path(s3: Any, s3_url: str) -> str:
    """An image in S3."""
    path = s3_url.removeprefix("s3://") + "/ä scan #1?.png"
    s3.pipe_file(path, IMAGE)
    return path


@pytest.fixture(autouse=True)
def _accepts(server: ScriptedServer, tasks_body: Any) -> None:
    for method in ("processRemoteImage", "processImage"):
        server.reply(method, tasks_body(id="new", status="Queued"))


def test_the_service_gets_a_url_that_opens_the_image_for_a_day_and_an_hour(
    server: ScriptedServer, client: CloudOcrClient, s3: Any, path: str
) -> None:
    told: list[str] = []
    assert submit(client, signed_image(client, s3, path, on_signed=told.append)) == "new"
    [received] = server.asked("processRemoteImage")
    assert [received.query["source"]] == told
    answer = requests.get(told[0], timeout=10)
    assert (answer.status_code, answer.content) == (200, IMAGE)
    assert DAY < seconds_of(told[0]) <= DAY + 3600


def seconds_of(url: str) -> float:
    """For how long a URL of S3 is signed, in the older or the newer way."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    if "X-Amz-Expires" in query:
        return float(query["X-Amz-Expires"])
    return int(query["Expires"]) - time.time()


def test_an_image_is_sent_along_where_that_is_asked_for(
    server: ScriptedServer, client: CloudOcrClient, s3: Any, path: str
) -> None:
    submit(client, uploaded_image(client, s3, path))
    [received] = server.asked("processImage")
    assert (received.body, received.headers["Idempotency-Key"]) == (IMAGE, KEY)
    assert received.query["description"] == f"[airflow:{KEY}]"
    assert server.asked("processRemoteImage") == []


def test_the_signature_stands_in_no_log_line(
    client: CloudOcrClient, s3_options: dict[str, str], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    newer = {"signature_version": "s3v4"}
    s3 = fsspec.filesystem("s3", **s3_options, config_kwargs=newer, skip_instance_cache=True)
    with caplog.at_level(logging.DEBUG):
        # botocore tells its log what it signs, unless it is kept from it.
        unkept = s3.sign(path, expiration=DAY)
        assert parse_qs(urlsplit(unkept).query)["X-Amz-Signature"][0] in caplog.text
        caplog.clear()
        submit(client, signed_image(client, s3, path, on_signed=told.append))
    [signature] = parse_qs(urlsplit(told[0]).query)["X-Amz-Signature"]
    assert caplog.records
    assert signature not in caplog.text


@pytest.mark.parametrize("way", ["sign", "upload"])
def test_an_image_that_is_not_there_costs_nothing(
    server: ScriptedServer, client: CloudOcrClient, s3: Any, path: str, way: str
) -> None:
    missing = f"{path}.missing"
    image = (
        signed_image(client, s3, missing, on_signed=ignore)
        if way == "sign"
        else uploaded_image(client, s3, missing)
    )
    with pytest.raises(SourceUnreadableError, match=r"there is no .*missing. Nothing was submitted"):
        submit(client, image)
    assert server.asked("processRemoteImage") + server.asked("processImage") == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"token": "of a session"}, "are those of a session"), ({"anon": True}, "has no credentials")],
    ids=["session", "anonymous"],
)
def test_credentials_that_cannot_sign_for_a_day_are_told(
    client: CloudOcrClient, s3_options: dict[str, str], path: str, options: dict[str, Any], reason: str
) -> None:
    given = s3_options if "token" in options else {"endpoint_url": s3_options["endpoint_url"]}
    store = fsspec.filesystem("s3", skip_instance_cache=True, **given, **options)
    told: list[str] = []
    with pytest.raises(InvalidParameterError, match=reason) as caught:
        submit(client, signed_image(client, Readable(store, len(IMAGE)), path, on_signed=told.append))
    assert 'source_access="upload"' in str(caught.value)
    assert "Signature" not in str(caught.value)
    assert told == []


class Readable:
    """A store that signs as another does, and whose files everybody may read."""

    def __init__(self, store: Any, size: int) -> None:
        self.sign = store.sign
        self._size = size

    def invalidate_cache(self) -> None:
        """Nothing is kept."""

    def info(self, path: str) -> dict[str, Any]:
        return {"type": "file", "size": self._size}


def test_a_folder_of_this_machine_signs_nothing_and_its_images_can_be_sent_along(
    server: ScriptedServer, client: CloudOcrClient, tmp_path: Path
) -> None:
    (tmp_path / "scan.png").write_bytes(IMAGE)
    here = LocalFileSystem()
    with pytest.raises(InvalidParameterError, match="its store signs no URLs"):
        submit(client, signed_image(client, here, str(tmp_path / "scan.png"), on_signed=ignore))
    assert submit(client, uploaded_image(client, here, str(tmp_path / "scan.png"))) == "new"


class Unread(LocalFileSystem):
    """A folder whose files' bytes are nobody's business."""

    cachable = False

    def cat_file(self, path: str, *args: Any, **kwargs: Any) -> bytes:
        raise OSError("it was read")


@pytest.mark.parametrize("size", [0, MAX_UPLOAD_BYTES + 1])
def test_what_cannot_be_sent_along_is_told_by_its_size_alone(
    server: ScriptedServer, client: CloudOcrClient, tmp_path: Path, size: int
) -> None:
    scan = tmp_path / "scan.png"
    scan.touch()
    os.truncate(scan, size)
    with pytest.raises(InvalidParameterError, match=f"has {size:,} bytes"):
        submit(client, uploaded_image(client, Unread(), str(scan)))
    assert server.asked("processImage") == []


def test_a_folder_is_no_image(client: CloudOcrClient, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadableError, match="is no file"):
        submit(client, uploaded_image(client, LocalFileSystem(), str(tmp_path)))


def test_a_store_that_is_away_is_told_and_costs_nothing(
    server: ScriptedServer, client: CloudOcrClient, path: str
) -> None:
    options = {"endpoint_url": "http://127.0.0.1:1", "key": "k", "secret": "s"}
    away = fsspec.filesystem("s3", **options, config_kwargs={"retries": {"max_attempts": 1}})
    away.retries = 1
    with pytest.raises(SourceUnreadableError, match=r"cannot be read: .*Nothing was submitted"):
        submit(client, signed_image(client, away, path, on_signed=ignore))
    assert server.asked("processRemoteImage") == []
