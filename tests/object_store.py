# SPDX-License-Identifier: Apache-2.0
"""An S3 store of the tests' own, over HTTP on the loopback address; for ``pytest_plugins``."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import fsspec.config
import pytest
import requests
from moto.server import ThreadedMotoServer

LOOPBACK = "127.0.0.1"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The base URL of a running store."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def s3_options(s3_endpoint: str) -> dict[str, str]:
    """What fsspec has to know in order to use the store."""
    return {"endpoint_url": s3_endpoint, "key": "test", "secret": "test"}


@pytest.fixture
def s3_environment(s3_options: dict[str, str]) -> dict[str, str]:
    """The same for a program of its own."""
    return {f"FSSPEC_S3_{name.upper()}": value for name, value in s3_options.items()}


@pytest.fixture
def s3_url(s3_endpoint: str, s3_options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A place in a bucket of the test's own, which fsspec reaches as it is configured."""
    monkeypatch.setitem(fsspec.config.conf, "s3", s3_options)
    bucket = f"bucket-{uuid.uuid4().hex}"
    requests.put(f"{s3_endpoint}/{bucket}", timeout=10).raise_for_status()
    return f"s3://{bucket}/some/prefix"


@pytest.fixture(params=["data folder", "other folder", "S3"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """The storages that a server may have; None for its data folder."""
    if request.param == "data folder":
        return None
    return request.getfixturevalue("s3_url") if request.param == "S3" else str(tmp_path / "storage")


@pytest.fixture
def stored(storage_url: str | None, tmp_path: Path) -> Callable[[], set[str]]:
    """Gives the keys of all files in the storage; the data folder is ``tmp_path / "data"``."""

    def keys() -> set[str]:
        if storage_url is not None and storage_url.startswith("s3:"):
            root = storage_url.removeprefix("s3://")
            store = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
            return {key.removeprefix(root + "/") for key in store.find(root)}
        folder = tmp_path / "data" if storage_url is None else Path(storage_url)
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        return {key for key in found if not key.startswith(("incoming/", "work/"))}

    return keys


@pytest.fixture
def requested() -> Iterator[list[str]]:
    """The lines in which the store, which runs in this process, tells what it was asked for."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    log, keeper = logging.getLogger("werkzeug"), Keeper()
    before = log.level
    log.addHandler(keeper)
    log.setLevel(logging.INFO)
    yield lines
    log.removeHandler(keeper)
    log.setLevel(before)
