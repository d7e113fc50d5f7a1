# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between a client and the server, on purpose, and a record of all that was asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airflow_provider_ocr.protocol.messages import render_error

METHODS = (
    "processRemoteImage",
    "processImage",
    "submitImage",
    "processDocument",
    "getTaskStatus",
    "listTasks",
    "listFinishedTasks",
    "deleteTask",
    "getApplicationInfo",
)
RESULTS = "results"
"""Stands for the downloads of results, where else a method's name stands."""

_STATUSES = range(200, 600)

_NAMES = {name.lower(): name for name in (*METHODS, RESULTS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with some requests.

    :param methods: the methods that it concerns, in the API's spelling; empty for all requests.
    :param times: how many requests; None for all from now on.
    :param seconds: how long the request waits before anything else.
    :param status: the HTTP status that answers in the server's place; None to have the server answer.
    :param message: what such an answer says.
    :param headers: the headers of such an answer.
    :param breaks: whether the connection breaks in the place of an answer.
    :param carried_out: whether the server has carried the request out before that.
    """

    methods: tuple[str, ...] = ()
    times: int | None = 1
    seconds: float = 0.0
    status: int | None = None
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks: bool = False
    carried_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """A request as it arrived.

    :param method: the API's method, or ``results`` for the download of a result.
    :param parameters: those of its query.
    :param idempotency_key: its header of that name; empty if it has none.
    :param status: the HTTP status that it was answered with; None if it was not.
    :param ocr_task_id: the one task that it made or asked for, if it was carried out.
    """

    method: str
    parameters: Mapping[str, str]
    idempotency_key: str
    status: int | None
    ocr_task_id: str | None


class Interference:
    """Stands between HTTP and an application. Safe to use from several threads.

    :param app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._received: list[ReceivedRequest] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Have something go wrong; what was asked for first comes first.

        :raises ValueError: if it names a method that there is not, answers with what is no HTTP status of an
            answer, or concerns no request.
        """
        unknown = set(fault.methods) - set(_NAMES.values())
        if unknown:
            raise ValueError(f"There is no method {min(unknown)!r}; there are {', '.join(_NAMES.values())}.")
        if fault.status is not None and fault.status not in _STATUSES:
            raise ValueError(
                f"{fault.status!r} is no HTTP status of an answer; "
                f"those go from {_STATUSES[0]} to {_STATUSES[-1]}."
            )
        if fault.times is not None and fault.times < 1:
            raise ValueError(f"{fault.times!r} is no number of requests; None stands for all from now on.")
        with self._lock:
            self._faults.append(fault)

    def begin_anew(self) -> None:
        """Have nothing go wrong any more, and forget what was asked."""
        with self._lock:
            self._faults.clear()
            self._received.clear()

    def received(self) -> list[ReceivedRequest]:
        """What was asked, in the order of the answers."""
        with self._lock:
            return list(self._received)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or see to it that it goes wrong."""
        method = _NAMES.get(scope["path"].strip("/").partition("/")[0].lower()) if "path" in scope else None
        if method is None:
            await self._app(scope, receive, send)
            return
        statuses: list[int] = []

        async def note_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                # Whoever has an answer finds the request that it is to.
                self._note(method, scope, message["status"])
            await send(message)

        fault = self._next(method)
        await asyncio.sleep(fault.seconds)
        if fault.breaks:
            if fault.carried_out:
                await self._app(scope, receive, _to_nobody)
            # Before the connection breaks: whoever sees that finds the request.
            self._note(method, scope, None)
            await _break(scope, receive)
        elif fault.status is None:
            await self._app(scope, receive, note_status)
        else:
            answer = Response(
                render_error(fault.message or f"HTTP {fault.status}, as the test wants it."),
                fault.status,
                fault.headers,
                media_type="text/xml; charset=utf-8",
            )
            await answer(scope, receive, note_status)

    def _next(self, method: str) -> Fault:
        """What goes wrong with the request at hand."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.methods and method not in fault.methods:
                    continue
                if fault.times is not None:
                    self._faults[place] = replace(fault, times=fault.times - 1)
                    if fault.times == 1:
                        del self._faults[place]
                return fault
        return _NOTHING

    def _note(self, method: str, scope: Scope, status: int | None) -> None:
        headers = dict(scope["headers"])
        request = ReceivedRequest(
            method=method,
            parameters=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
            idempotency_key=headers.get(b"idempotency-key", b"").decode("latin-1"),
            status=status,
            ocr_task_id=scope.get("cloud_ocr_task_id"),
        )
        with self._lock:
            self._received.append(request)


_NOTHING = Fault(times=None)


async def _to_nobody(message: Message) -> None:
    """Take an answer that never arrives."""


async def _break(scope: Scope, receive: Receive) -> None:
    scope["state"]["abort"]()
    while (await receive())["type"] != "http.disconnect":
        pass


class BreakableConnection(asyncio.Protocol):
    """What gives applications a way to break off, behind one of uvicorn's protocols: the next base class."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": cast("asyncio.Transport", transport).abort}
