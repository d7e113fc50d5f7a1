# SPDX-License-Identifier: Apache-2.0
"""A transport and a client that speak to the scripted server, pauses that are noted instead of made, and a
server that says byte for byte what a test wants.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.network import Network, Timeouts
from airflow_provider_ocr.client.transport import Transport

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

NETWORK = {"timeouts", "verify", "proxy"}
IMPATIENT = Timeouts(connect=2.0, read=0.3)


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that were to be waited, in their order."""
    return []


@pytest.fixture
def make_transport(server: ScriptedServer, pauses: list[float]) -> Iterator[Callable[..., Transport]]:
    """Makes transports to the scripted server; what is not given is harmless."""
    made = []

    def make(**given: Any) -> Transport:
        defaults = {"base_url": server.url, "application_id": "my app", "password": "pass/word"}
        network = Network(**{"timeouts": IMPATIENT, **{k: given.pop(k) for k in NETWORK & given.keys()}})
        made.append(Transport(**{**defaults, "network": network, "sleep": pauses.append, **given}))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[CloudOcrClient]:
    with CloudOcrClient(
        base_url=server.url, application_id="my app", password="pass/word", timeouts=IMPATIENT
    ) as client:
        yield client


class Conversation:
    """The server's side of one connection.

    :param connection: the connected socket.
    :param requests: gets the requests that arrive, head and body in one.
    :param closing: is set when the test is over.
    """

    def __init__(self, connection: socket.socket, requests: list[bytes], closing: threading.Event) -> None:
        self.connection = connection
        self._requests = requests
        self._closing = closing
        self._arrived = b""

    def hear(self) -> bytes:
        """The next request; empty if none comes any more."""
        while b"\r\n\r\n" not in self._arrived:
            if not self._receive():
                return b""
        head, _, _ = self._arrived.partition(b"\r\n\r\n")
        length = len(head) + 4
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length += int(line.partition(b":")[2])
        while len(self._arrived) < length and self._receive():
            pass
        request, self._arrived = self._arrived[:length], self._arrived[length:]
        self._requests.append(request)
        return request

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.sendall(piece)

    def answer(self, body: bytes, status: str = "200 OK", *headers: str) -> None:
        """A complete answer after which the connection may stay."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.say("\r\n".join(lines).encode() + body)

    def drip(self, piece: bytes, seconds: float = 0.05) -> None:
        """Say ``piece`` again and again until nobody listens any more."""
        while not self._closing.wait(seconds):
            self.say(piece)

    def wait(self) -> None:
        """Say nothing until the test is over."""
        self._closing.wait(20)

    def reset(self) -> None:
        """Break the connection off without a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _receive(self) -> bytes:
        received = self.connection.recv(65536)
        self._arrived += received
        return received


class RawServer:
    """Accepts connections on the loopback and lets ``talk`` lead each of the conversations."""

    def __init__(self, talk: Callable[[Conversation], None]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = threading.Semaphore(0)
        self._talk = talk
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[RawServer]:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._closing.set()
            thread.join()
            self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            threading.Thread(target=self._lead, args=(connection,), daemon=True).start()

    def _lead(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        # A client that hangs up is what most of these tests are about.
        with connection, suppress(OSError):
            self._talk(Conversation(connection, self.requests, self._closing))
        self.closed.release()


@pytest.fixture
def listen() -> Iterator[Callable[[Callable[[Conversation], None]], RawServer]]:
    """Starts servers that say what a function of the test makes them say."""
    with ExitStack() as running:
        yield lambda talk: running.enter_context(RawServer(talk).running())
