# SPDX-License-Identifier: Apache-2.0
"""The pages for whoever runs the server: status, metrics, health.

They ask for no password, change nothing, and have nothing on them of a document, its description or source.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from importlib.resources import files
from socket import socket

import pendulum
import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.times import render_time
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.operations.amounts import byte_text, count_text, duration_text
from airflow_provider_ocr.server.operations.metrics import Metrics
from airflow_provider_ocr.server.operations.statistics import Statistics

_PACKAGE = "airflow_provider_ocr.server.operations"
_REFRESH_SECONDS = 5
_SECONDS_TO_STOP = 10.0
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_log = logging.getLogger("cloud_ocr_server")


def create_admin_app(*, statistics: Callable[[], Statistics]) -> ASGIApp:
    """The ASGI application of status page and metrics.

    :param statistics: gives the numbers of the moment; called in a thread, once for each request.
    """
    pages = _Pages(statistics)
    return Starlette(
        routes=[
            Route("/", pages.status),
            Route("/status.css", pages.style),
            Route("/metrics", pages.metrics),
            Route("/health", pages.health),
        ],
        exception_handlers={500: _internal_error},
    )


class AdminServer:
    """Answers for an ASGI application in a thread of its own, so that a look at it holds nothing up.

    :param app: the application.
    :param listener: a listening socket, which stays the caller's.
    """

    def __init__(self, app: ASGIApp, listener: socket) -> None:
        # uvicorn's own access log would write a line for each scrape.
        self._server = uvicorn.Server(
            uvicorn.Config(app, access_log=False, log_config=None, log_level="warning", lifespan="off")
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="admin", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what has been asked, and no more."""
        self._server.should_exit = True
        self._thread.join(_SECONDS_TO_STOP)


class _Pages:
    """What the routes lead to; functions without ``async`` run in threads, where statistics may wait."""

    def __init__(self, statistics: Callable[[], Statistics]) -> None:
        self._statistics = statistics
        self._metrics = Metrics(statistics)
        environment = Environment(
            loader=PackageLoader(_PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"bytes": byte_text, "count": count_text, "duration": duration_text}
        self._template = environment.get_template("status.html")
        self._style = (
            files("airflow_provider_ocr.server.operations") / "templates" / "status.css"
        ).read_text()

    def status(self, _: Request) -> Response:
        """The status page."""
        page = self._template.render(
            now=self._statistics(),
            statuses=list(TaskStatus),
            time=render_time(pendulum.now("UTC")),
            version=__version__,
            refresh_seconds=_REFRESH_SECONDS,
        )
        return Response(page, media_type="text/html", headers=_HEADERS)

    def style(self, _: Request) -> Response:
        """How the status page looks."""
        return Response(self._style, media_type="text/css", headers=_HEADERS)

    def metrics(self, request: Request) -> Response:
        """The statistics for Prometheus."""
        rendered, content_type = self._metrics.render(request.headers.get("Accept", ""))
        return Response(rendered, headers=_HEADERS | {"Content-Type": content_type})

    async def health(self, _: Request) -> Response:
        """That this process answers."""
        return PlainTextResponse("ok\n", headers=_HEADERS)


async def _internal_error(request: Request, error: Exception) -> Response:
    _log.error("%s failed", request.url.path, exc_info=error)
    return PlainTextResponse(
        "The statistics could not be read; the server's log says why.\n", status_code=500, headers=_HEADERS
    )
