# SPDX-License-Identifier: Apache-2.0
"""Puts the server's parts together and runs them until SIGINT or SIGTERM."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from airflow_provider_ocr.server.accounts import Accounts
from airflow_provider_ocr.server.app import create_app
from airflow_provider_ocr.server.choices import Choices
from airflow_provider_ocr.server.methods import ApiMethods
from airflow_provider_ocr.server.networks import AddressPolicy, Network
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.source import SourceFetcher
from airflow_provider_ocr.server.store import Store
from airflow_provider_ocr.server.worker import Workers

_log = logging.getLogger("cloud_ocr_server")


def run_server(
    *,
    listener: socket.socket,
    data: Path,
    passwords: Mapping[str, str],
    workers: int,
    allowed_sources: Sequence[Network] = (),
    tessdata: Path | None = None,
    choices: Choices | None = None,
) -> None:
    """Serve on ``listener`` until the process is told to stop.

    :param listener: a listening socket.
    :param data: folder for database, images and results; this process alone may use it.
    :param passwords: application name to password.
    :param workers: how many documents are recognised at the same time.
    :param allowed_sources: networks that images may be fetched from although they are not public.
    :param tessdata: a folder with more recognition data.
    :param choices: what to do where the API's documentation leaves it open.
    """
    languages = gather_tessdata(data / "tessdata", extra=tessdata)
    store = Store.in_folder(data)
    files = ResultFiles(data)
    fetcher = SourceFetcher(AddressPolicy(allowed_sources))
    workforce = Workers(store=store, files=files, fetcher=fetcher, tessdata=languages.folder, count=workers)
    methods = ApiMethods(store=store, files=files, workforce=workforce, tessdata=languages, choices=choices)
    app = create_app(accounts=Accounts(passwords), methods=methods, store=store, files=files)
    # uvicorn stops in order and then sends itself the same signal again; the rest stops in order too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    workforce.start()
    try:
        _answer(app, listener)
    except KeyboardInterrupt:
        _log.info("interrupted")
    finally:
        workforce.stop()
        store.close()
        _log.info("stopped")


def _answer(app: ASGIApp, listener: socket.socket) -> None:
    # uvicorn's own access log would print queries.
    config = uvicorn.Config(
        app, access_log=False, log_config=None, log_level="warning", timeout_graceful_shutdown=5
    )
    host, port = listener.getsockname()[:2]
    _log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    uvicorn.Server(config).run(sockets=[listener])
