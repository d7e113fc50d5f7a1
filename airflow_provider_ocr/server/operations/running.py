# SPDX-License-Identifier: Apache-2.0
"""Runs the server until SIGINT or SIGTERM."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from contextlib import ExitStack

import uvicorn
from starlette.types import ASGIApp

from airflow_provider_ocr.server.api.lenient_http import LenientHTTPProtocol
from airflow_provider_ocr.server.operations.admin import AdminServer, create_admin_app
from airflow_provider_ocr.server.operations.assembly import Parts, make_app, open_parts, start_work
from airflow_provider_ocr.server.operations.overview import Overview
from airflow_provider_ocr.server.operations.recognition import recognition_of
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.operations.tls import ServerCertificate

_log = logging.getLogger("cloud_ocr_server")


def run_server(
    *,
    listener: socket.socket,
    admin_listener: socket.socket | None,
    certificate: ServerCertificate | None,
    options: ServeOptions,
) -> None:
    """Serve until the process is told to stop.

    :param listener: a listening socket for the API.
    :param admin_listener: one for status page and metrics, if they are wanted.
    :param certificate: for HTTPS, if that is wanted.
    :param options: all the rest. This process alone may use ``options.data``.
    """
    # uvicorn stops in order and then sends itself the same signal again; the rest stops in order too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as running:
        running.callback(_log.info, "stopped")
        try:
            if options.recognition == "none":
                _log.warning("nothing is recognised: every result says so, and no source is fetched")
            parts = open_parts(options, recognition_of(options), running)
            workforce = start_work(parts, running)
            if admin_listener is not None:
                _start_admin(parts, admin_listener, running)
            _answer(make_app(parts, workforce), listener, certificate)
        except KeyboardInterrupt:
            _log.info("interrupted")


def _start_admin(parts: Parts, listener: socket.socket, running: ExitStack) -> None:
    overview = Overview(
        store=parts.store,
        applications=parts.applications,
        work=parts.work,
        spool=parts.spool,
        pace=parts.pace,
        options=parts.options,
    )
    admin = AdminServer(create_admin_app(statistics=overview.statistics), listener)
    running.callback(admin.stop)
    admin.start()


def _answer(app: ASGIApp, listener: socket.socket, certificate: ServerCertificate | None) -> None:
    # uvicorn's own access log would print queries.
    config = uvicorn.Config(
        app,
        http=LenientHTTPProtocol,
        access_log=False,
        log_config=None,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )
    if certificate is not None:
        config.load()
        config.ssl = certificate.context
        certificate.watch()
    host, port = listener.getsockname()[:2]
    scheme = "http" if certificate is None else "https"
    _log.info("listening on %s://%s:%d", scheme, f"[{host}]" if ":" in host else host, port)
    uvicorn.Server(config).run(sockets=[listener])
