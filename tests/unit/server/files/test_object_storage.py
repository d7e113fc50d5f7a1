# SPDX-License-Identifier: Apache-2.0
"""An object store that refuses, forgets or cannot be reached is told of; it is never taken at its word.

What every storage does alike is tested in test_storage.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import fsspec.config
import pytest
import requests
from s3fs import S3FileSystem

from airflow_provider_ocr.server.files.object_storage import ObjectStorage, StorageError
from airflow_provider_ocr.server.files.storage import open_storage

pytest_plugins = ["tests.object_store"]


@pytest.fixture
def storage(s3_url: str) -> ObjectStorage:
    return ObjectStorage(s3_url)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"image")
    return path


def refuse(*_: object, **__: object) -> None:
    raise PermissionError("Access Denied")


def test_a_url_of_another_protocol_than_a_folders_is_an_object_storage(s3_url: str) -> None:
    assert isinstance(open_storage(s3_url), ObjectStorage)


def test_opening_leaves_nothing_in_the_bucket(storage: ObjectStorage, s3_url: str) -> None:
    assert storage.names("images") == []
    assert fsspec.filesystem("s3", skip_instance_cache=True).find(s3_url) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nothing://bucket", "nothing://bucket cannot be a storage: Protocol not known: nothing"),
        ("simplecache::s3://bucket/x", "is a chain of file systems"),
        ("sftp://user:canary@host/x", r"sftp://host/x cannot be a storage: .*paramiko"),
    ],
)
def test_a_url_that_cannot_be_a_storage_is_told_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as told:
        open_storage(url)
    assert "canary" not in str(told.value)


def test_a_bucket_that_is_not_there_is_told_and_not_made(s3_url: str, s3_endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"s3://mistyped/prefix cannot be a storage: .*No such file"):
        open_storage("s3://mistyped/prefix")
    assert requests.head(f"{s3_endpoint}/mistyped", timeout=10).status_code == 404


def test_a_store_that_takes_nothing_is_told_at_once(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(S3FileSystem, "pipe_file", refuse)
    with pytest.raises(ValueError, match=r"did not keep trial-.*PermissionError: Access Denied"):
        open_storage(s3_url)


def test_a_store_that_removes_nothing_is_told_at_once(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(S3FileSystem, "rm", lambda *_, **__: [])
    with pytest.raises(ValueError, match=r"did not delete trial-.* it is still there"):
        open_storage(s3_url)


def test_a_store_that_cannot_be_reached_is_told(
    s3_url: str, s3_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = s3_options | {
        "endpoint_url": "http://127.0.0.1:9",
        "config_kwargs": {"retries": {"total_max_attempts": 1}},
    }
    monkeypatch.setitem(fsspec.config.conf, "s3", options)
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    with pytest.raises(ValueError, match=r"cannot be a storage: .*EndpointConnectionError"):
        open_storage(s3_url)


def test_a_deletion_that_the_store_refuses_in_silence_is_told(
    storage: ObjectStorage, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.put({"images/t/1": source})

    async def refused(self: S3FileSystem, paths: list[str], **_: object) -> list[str]:
        return []  # as s3fs does with what stands under "Errors" in the store's answer

    with monkeypatch.context() as patch:
        patch.setattr(S3FileSystem, "_bulk_delete", refused)
        with pytest.raises(StorageError, match=r"did not delete images/t: .*it is still there"):
            storage.delete("images/t")
    storage.delete("images/t")
    assert storage.files("images/t") == {}


def test_an_upload_that_breaks_off_leaves_nothing_that_passes_for_a_file(
    storage: ObjectStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large").write_bytes(os.urandom(12 * 1024 * 1024))
    parts = []
    upload = S3FileSystem._call_s3

    async def break_off(self: S3FileSystem, method: str, *arguments: Any, **options: Any) -> Any:
        if method == "upload_part":
            parts.append(options["PartNumber"])
            if len(parts) == 2:
                raise ConnectionError("broken off")
        return await upload(self, method, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(S3FileSystem, "_call_s3", break_off)
        patch.setattr(S3FileSystem, "call_s3", fsspec.asyn.sync_wrapper(break_off))
        with pytest.raises(StorageError, match="did not keep images/t/1: ConnectionError: broken off"):
            storage.put({"images/t/1": tmp_path / "large"})
    assert parts == [1, 2]
    assert storage.files("images/t") == {}
    storage.put({"images/t/1": tmp_path / "large"})
    assert storage.files("images/t") == {"1": 12 * 1024 * 1024}


def test_what_another_server_has_put_is_seen_at_once(
    storage: ObjectStorage, s3_url: str, source: Path
) -> None:
    assert storage.files("images/t") == {}
    other = ObjectStorage(s3_url)
    other.put({"images/t/1": source})
    assert storage.files("images/t") == {"1": 5}
    other.delete("images/t/1")
    with pytest.raises(FileNotFoundError, match=r"some/prefix: images/t/1"):
        storage.open("images/t/1")
    assert storage.names("images") == []


def test_a_file_that_goes_while_it_is_read_is_told(storage: ObjectStorage, source: Path) -> None:
    storage.put({"images/t/1": source})
    with storage.open("images/t/1") as file:
        storage.delete("images/t/1")
        with pytest.raises(FileNotFoundError):
            file.read(0, 5)


def test_the_thread_of_an_event_loop_cannot_wait_for_the_store(storage: ObjectStorage, source: Path) -> None:
    async def use() -> None:
        for function in (
            lambda: storage.put({"images/t/1": source}),
            lambda: storage.fetch({"images/t/1": source}),
            lambda: storage.open("images/t/1"),
            lambda: storage.names("images"),
            lambda: storage.files("images"),
            lambda: storage.delete("images"),
        ):
            with pytest.raises(RuntimeError, match="on the thread of an event loop"):
                function()

    asyncio.run(use())


def test_a_bucket_that_keeps_what_is_deleted_is_warned_of(
    s3_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "cloud_ocr_server"):
        ObjectStorage(s3_url)
    assert caplog.messages == []
    bucket = s3_url.split("/")[2]
    fsspec.filesystem("s3", skip_instance_cache=True).make_bucket_versioned(bucket)
    with caplog.at_level(logging.WARNING, "cloud_ocr_server"):
        ObjectStorage(s3_url)
        monkeypatch.setattr(S3FileSystem, "is_bucket_versioned", refuse)
        ObjectStorage(s3_url)
    assert "keeps old versions: deleted images and results stay there" in caplog.messages[0]
    assert "does not say whether it keeps old versions: Access Denied" in caplog.messages[1]


def test_fsspecs_configuration_from_the_environment_is_used(s3_url: str, s3_endpoint: str) -> None:
    environment = os.environ | {
        "FSSPEC_S3_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    code = f"from airflow_provider_ocr.server.files.storage import open_storage; open_storage({s3_url!r})"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)


MEMORY = """
import json, resource, sys
from pathlib import Path
import fsspec.config
from airflow_provider_ocr.server.files.storage import open_storage

fsspec.config.conf["s3"] = json.loads(sys.argv[2])
storage = open_storage(sys.argv[1])
source, small, copy = (Path(sys.argv[3]) / name for name in ("large", "small", "copy"))
storage.put({"images/t/0": small})
storage.fetch({"images/t/0": copy})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
storage.put({"images/t/1": source})
storage.fetch({"images/t/1": copy})
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
assert copy.stat().st_size == source.stat().st_size
"""


def test_memory_holds_pieces_of_a_file_and_not_the_file(
    s3_url: str, s3_options: dict[str, str], tmp_path: Path
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(80 * 1024 * 1024)
    (tmp_path / "small").write_bytes(bytes(4 * 1024 * 1024))
    command = [sys.executable, "-c", MEMORY, s3_url, json.dumps(s3_options), str(tmp_path)]
    answer = subprocess.run(command, check=True, timeout=120, capture_output=True, text=True)
    assert int(answer.stdout) < 40
