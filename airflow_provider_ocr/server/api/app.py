# SPDX-License-Identifier: Apache-2.0
"""Routes: HTTP to API methods and result files, and back. Nothing is decided here but status codes.

Log lines hold the path of a request and never its query, where sources, passwords and signatures stand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_ocr.protocol.vocabulary import ServiceStatus
from airflow_provider_ocr.server.api.answers import refusal
from airflow_provider_ocr.server.api.api_endpoint import ApiEndpoint
from airflow_provider_ocr.server.api.result_endpoint import ResultEndpoint

_access_log = logging.getLogger("cloud_ocr_server.access")
_log = logging.getLogger("cloud_ocr_server")


def create_app(*, api: ApiEndpoint, results: ResultEndpoint, check: Callable[[], None]) -> ASGIApp:
    """The ASGI application.

    :param api: answers requests to API methods.
    :param results: answers requests to result URLs.
    :param check: raises an exception if the server cannot do its work.
    """

    def health(_: Request) -> Response:
        check()
        return PlainTextResponse("ok\n")

    methods = Route("/{method}", api.answer, methods=["GET", "POST"])
    # Starlette adds HEAD wherever GET is; but whoever wants no answer must not make a task.
    methods.methods = {"GET", "POST"}
    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/results/{task}/{position}", results.answer, methods=["GET", "HEAD"]),
            methods,
        ],
        exception_handlers={404: _http_error, 405: _http_error, 500: _internal_error},
    )
    # A redirection would be an answer without a document, which no client of the API can read.
    app.router.redirect_slashes = False
    return _AccessLog(app)


async def _http_error(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    headers = getattr(error, "headers", None) or {}
    allowed = headers.get("Allow")
    message = f"This path takes only {allowed}." if allowed else "There is nothing under this path."
    return refusal(status, message, headers)


async def _internal_error(request: Request, error: Exception) -> Response:
    _log.error("%s failed", request.url.path, exc_info=error)
    return refusal(ServiceStatus.INTERNAL_ERROR, "Internal error; the server's log says more.")


class _AccessLog:
    """One line for each request: method, path without query, status, time, application, task."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status: list[Any] = []
        begin = time.monotonic()

        async def note_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            _access_log.info(
                "%s %s %s %.0f ms %s %s",
                scope["method"],
                ascii(scope["path"])[1:-1],
                status[0] if status else "-",
                (time.monotonic() - begin) * 1000,
                ascii(scope.get("cloud_ocr_application", "-")).strip("'"),
                scope.get("cloud_ocr_task_id", "-"),
            )
