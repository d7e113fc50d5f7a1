# SPDX-License-Identifier: Apache-2.0
"""Wire: the way from a client to a server on which requests for tasks are lost, late, or lose their key.

Time on it passes only when somebody says so. Whoever waits for a late request to arrive tells it how long,
and the request has arrived when that is over: no test waits for real, and none depends on who is quicker.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from demo.processes import LOOPBACK

TIME_PATH = "/wire/time"
"""Here the time that has passed is told; with ``?pass=SECONDS`` so much more passes first."""

_SUBMISSION = "/processRemoteImage"
_SECONDS = 120.0


class Fate(Enum):
    """What becomes of a request for a task."""

    ANSWERED = "it is carried out and answered"
    UNANSWERED = "it is carried out, and the connection breaks instead of an answer"
    LATE = "it arrives when the time has come, and is answered if somebody still listens"


@dataclass(slots=True)
class _Late:
    """A request on its way.

    :param due: the time at which it arrives.
    """

    due: float
    path: str
    headers: Mapping[str, str]
    arrived: threading.Event = field(default_factory=threading.Event)
    answer: tuple[int, bytes] = (0, b"")


class Wire:
    """Passes requests on to a server, within a ``with`` block.

    :param server: the server's port on the loopback address.
    :param passes_keys: whether ``Idempotency-Key`` goes along. To the vendor's service it means nothing.
    """

    def __init__(self, server: int, *, passes_keys: bool) -> None:
        self._server = server
        self._passes_keys = passes_keys
        self._fates: list[tuple[Fate, float, str]] = []
        self._late: list[_Late] = []
        self._lock = threading.Lock()
        self._on_the_way = threading.Event()
        self.time = 0.0
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wire._pass_on(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Say nothing."""

        self._listener = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://{LOOPBACK}:{self._listener.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def decide(self, fate: Fate, *, seconds: float = 0.0, source: str = "") -> None:
        """Decide on the next request for a task that nothing was decided about.

        :param seconds: how late it is.
        :param source: a part of its source, where not any request is meant.
        """
        self._fates.append((fate, seconds, source))

    def wait_for_a_late_one(self) -> None:
        """Wait until a late request has left its sender."""
        if not self._on_the_way.wait(_SECONDS):
            raise TimeoutError("No late request came.")

    def let_pass(self, seconds: float) -> float:
        """Have time pass; what is due by then has arrived when this returns.

        :returns: the time.
        """
        with self._lock:
            self.time += seconds
            due = [late for late in self._late if late.due <= self.time]
            self._late = [late for late in self._late if late.due > self.time]
        for late in due:
            late.answer = self._ask(late.path, late.headers)
            late.arrived.set()
        return self.time

    def _pass_on(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        if parts.path == TIME_PATH:
            seconds = float(parse_qs(parts.query).get("pass", ["0"])[0])
            _answer(request, 200, json.dumps(self.let_pass(seconds)).encode())
            return
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in ("host", "connection", "accept-encoding")
            and (self._passes_keys or name.lower() != "idempotency-key")
        }
        fate, seconds = self._fate_of(parts.path, parts.query)
        if fate is Fate.LATE:
            status, body = self._hold(_Late(self.time + seconds, request.path, headers))
        else:
            status, body = self._ask(request.path, headers)
        if fate is Fate.UNANSWERED:
            request.close_connection = True
            return
        # Whoever asked may have given up, or be dead.
        with suppress(OSError):
            _answer(request, status, body)

    def _fate_of(self, path: str, query: str) -> tuple[Fate, float]:
        if path == _SUBMISSION:
            source = parse_qs(query).get("source", [""])[0]
            with self._lock:
                for place, (fate, seconds, meant) in enumerate(self._fates):
                    if meant in source:
                        del self._fates[place]
                        return fate, seconds
        return Fate.ANSWERED, 0.0

    def _hold(self, late: _Late) -> tuple[int, bytes]:
        with self._lock:
            self._late.append(late)
        self._on_the_way.set()
        late.arrived.wait(_SECONDS)
        return late.answer

    def _ask(self, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(LOOPBACK, self._server, timeout=_SECONDS)
        try:
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _answer(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Type", "text/xml; charset=utf-8")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
