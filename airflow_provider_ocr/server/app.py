# SPDX-License-Identifier: Apache-2.0
"""Routes: HTTP to API methods and result files, and back. Nothing is decided here but status codes.

Log lines hold the path of a request and never its query, where sources, passwords and signatures stand.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pendulum
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_ocr.protocol.messages import render_application_info, render_error, render_tasks
from airflow_provider_ocr.protocol.task import ApplicationInfo
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.accounts import Accounts
from airflow_provider_ocr.server.call import Call, RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.methods import Answer, ApiMethods, Method
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.store import Store
from airflow_provider_ocr.server.upload import receive_form, receive_image

_REJECTED = 450
_FAILED = 550
_UNSUPPORTED_IMAGE = 551
_XML = "text/xml; charset=utf-8"
_access_log = logging.getLogger("cloud_ocr_server.access")
_log = logging.getLogger("cloud_ocr_server")


def create_app(*, accounts: Accounts, methods: ApiMethods, store: Store, files: ResultFiles) -> ASGIApp:
    """The ASGI application."""
    endpoints = _Endpoints(accounts=accounts, methods=methods, store=store, files=files)
    api = Route("/{method}", endpoints.call_method, methods=["GET", "POST"])
    # Starlette adds HEAD wherever GET is; but whoever wants no answer must not make a task.
    api.methods = {"GET", "POST"}
    app = Starlette(
        routes=[
            Route("/health", lambda _: PlainTextResponse("ok\n")),
            Route("/results/{task}/{position}", endpoints.send_result, methods=["GET", "HEAD"]),
            api,
        ],
        exception_handlers={404: _http_error, 405: _http_error, 500: _internal_error},
    )
    return _AccessLog(app)


class _Endpoints:
    """What the routes lead to. What waits for the disk or the database runs in threads."""

    def __init__(self, *, accounts: Accounts, methods: ApiMethods, store: Store, files: ResultFiles) -> None:
        self._accounts = accounts
        self._methods = methods
        self._store = store
        self._files = files

    async def call_method(self, request: Request) -> Response:
        """An API method, for the application that the request proves to be."""
        name = request.path_params["method"]
        method = self._methods.find(name)
        if method is None:
            return _error(404, f"There is no method {name[:64]!r}.")
        authorization = request.headers.get("Authorization")
        application = await run_in_threadpool(self._accounts.authenticate, authorization)
        if application is None:
            return _error(
                401,
                "The application ID or the password is wrong or missing.",
                {"WWW-Authenticate": 'Basic realm="Cloud OCR"'},
            )
        request.scope["cloud_ocr_application"] = application
        try:
            answer = await self._carry_out(method, request, application)
        except (RejectedError, ClientDisconnect) as error:
            return _error(_REJECTED, str(error) or "The body of the request broke off.")
        except UnsupportedImageError as error:
            return _error(_UNSUPPORTED_IMAGE, str(error))
        if isinstance(answer, ApplicationInfo):
            return Response(render_application_info(answer), media_type=_XML)
        if len(answer) == 1:
            request.scope["cloud_ocr_task_id"] = answer[0].id
        return Response(render_tasks(answer), media_type=_XML)

    async def _carry_out(self, method: Method, request: Request, application: str) -> Answer:
        query = _query(request)
        if not method.takes_image:
            # A parameter that stands in both is the query's.
            query = _by_name(await receive_form(request)) | query
        call = Call(application=application, query=query, base_url=str(request.base_url).rstrip("/"))
        if not (method.takes_image and request.method == "POST"):
            return await run_in_threadpool(method.answer, call)
        with self._files.incoming() as image:
            if await receive_image(request, image):
                call = replace(call, image=image)
            return await run_in_threadpool(method.answer, call)

    def send_result(self, request: Request) -> Response:
        """A result file, for whoever has its signed URL."""
        ocr_task_id, position = request.path_params["task"], request.path_params["position"]
        expires = request.query_params.get("expires", "")
        signed = self._files.is_valid(
            ocr_task_id,
            position,
            expires=expires,
            signature=request.query_params.get("signature", ""),
            now=pendulum.now("UTC"),
        )
        if not signed:
            return _error(403, "The result URL has expired or is not valid; getTaskStatus gives a fresh one.")
        task = self._store.find(ocr_task_id)
        if task is None or task.status is not TaskStatus.COMPLETED:
            return _error(404, "The result is not there any more.")
        earlier = self._files.was_signed_before(task.changed, expires=expires)
        if earlier or int(position) > len(task.settings.export_format):
            return _error(404, "The result is of an earlier run; getTaskStatus gives URLs of the last one's.")
        export_format = task.settings.export_format[int(position) - 1]
        return FileResponse(
            self._files.result(ocr_task_id, int(position), export_format),
            media_type=export_format.file_type.media_type,
            headers=dict(task.quality),
        )


def _query(request: Request) -> dict[str, str]:
    return _by_name(request.query_params.multi_items())


def _by_name(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters, their names in lower case.

    :raises RejectedError: if one is given twice.
    """
    query: dict[str, str] = {}
    for name, value in parameters:
        if name.lower() in query:
            raise RejectedError(f"{name}: the parameter is given more than once.")
        query[name.lower()] = value
    return query


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(render_error(message), status_code=status, media_type=_XML, headers=headers)


async def _http_error(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    headers = getattr(error, "headers", None) or {}
    allowed = headers.get("Allow")
    message = f"This path takes only {allowed}." if allowed else "There is nothing under this path."
    return _error(status, message, headers)


async def _internal_error(request: Request, error: Exception) -> Response:
    _log.error("%s failed", request.url.path, exc_info=error)
    return _error(_FAILED, "Internal error; the server's log says more.")


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
