# SPDX-License-Identifier: Apache-2.0
"""The real servers that tests talk to: one with the sample scans, and ``cloud-ocr-server`` processes.

Besides, how tests are dealt to processes, and what a whole run has to have run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.testing import cloud_ocr, cloud_ocr_session
from demo.ocr_server import OcrServer, ScanServer
from demo.processes import LOOPBACK
from tests.contract import RowsAreProven
from tests.databases import empty_database
from tests.postgresql import PostgresqlServer, find_programs
from tests.skips import NothingIsSkipped

__all__ = ["cloud_ocr", "cloud_ocr_session"]  # fixtures, as DAG authors take them

SAMPLES = Path(__file__).parents[1] / "demo" / "samples"


def pytest_configure(config: pytest.Config) -> None:
    proven = RowsAreProven.of(config)
    if proven is not None:
        config.pluginmanager.register(proven)
    skips = NothingIsSkipped.of(config)
    if skips is not None:
        config.pluginmanager.register(skips)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``--dist loadfile`` as this project needs it; any other is xdist's own business."""
    if config.getvalue("dist") != "loadfile":
        return None
    from tests.distribution import OneAirflow

    return OneAirflow(config, log)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the sample scans, each with its text beside it."""
    return SAMPLES


@pytest.fixture(scope="session")
def scans() -> Iterator[ScanServer]:
    """Serves the sample scans on the loopback address."""
    with ScanServer(SAMPLES) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server that all tests share, each with a database of its own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt install postgresql")
    with PostgresqlServer(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind that the server works with."""
    return empty_database(request, tmp_path)


@pytest.fixture(scope="session")
def ocr_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OcrServer]:
    """A running ``cloud-ocr-server`` that all tests share; do not stop it."""
    folder = tmp_path_factory.mktemp("ocr-server")
    with OcrServer(data=folder / "data", logs=folder / "logs") as server:
        yield server


@pytest.fixture
def new_ocr_server(tmp_path: Path) -> Iterator[Callable[..., OcrServer]]:
    """Starts a ``cloud-ocr-server`` of the test's own; the next call starts one on the same data folder.

    It takes ``OcrServer``'s optional arguments. Its data lie in ``tmp_path / "data"``, or in the folder that
    ``data`` names.
    """
    with ExitStack() as running:
        runs = 0

        def start(**options: Any) -> OcrServer:
            nonlocal runs
            runs += 1
            logs = tmp_path / f"run-{runs}"
            given = {"data": tmp_path / "data", **options}
            return running.enter_context(OcrServer(logs=logs, **given))

        yield start


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[BaseHTTPRequestHandler], None]], str]]:
    """Starts an HTTP server whose GET requests a function of the test answers; gives its base URL."""
    with ExitStack() as running:

        def start(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:
                    answer(self)

                def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                    """Say nothing."""

            server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
            running.callback(server.server_close)
            running.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            return f"http://{LOOPBACK}:{server.server_port}"

        yield start
