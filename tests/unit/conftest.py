# SPDX-License-Identifier: Apache-2.0
"""A real HTTP server on the loopback that answers from a script, and the API's documents to put into it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import hypothesis
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask

# How long an example takes says more about the machine's other work than about the code.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived."""

    path: str
    query: dict[str, str]
    headers: Message
    at: float
    verb: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer.

    :param length: the Content-Length to claim; the truth by default.
    :param cut: break the connection after so many bytes of the body; 0 breaks it before the status line.
    :param stall: seconds to wait before anything is said.
    """

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    cut: int | None = None
    stall: float = 0.0


Handler = Callable[[Received], bytes | Reply]


class ScriptedServer:
    """Answers each path from its script, the last reply again and again, and remembers what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.closing = threading.Event()
        self._scripts: dict[str, list[Handler]] = {}
        self._lock = threading.Lock()
        self._server = _Listener(("127.0.0.1", 0), _Connection)
        self._server.script = self
        scheme = "http"
        if tls is not None:
            scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[ScriptedServer]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def reply(
        self,
        path: str,
        body: bytes = b"",
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        length: int | None = None,
        cut: int | None = None,
        stall: float = 0.0,
    ) -> None:
        """Add a reply to a path's script."""
        reply = Reply(body=body, status=status, headers=headers or {}, length=length, cut=cut, stall=stall)
        self.on(path, lambda received: reply)

    def refuse(self, path: str, status: int, words: str) -> None:
        """Add an error in the API's form."""
        body = f'<?xml version="1.0"?><error><message language="english">{words}</message></error>'
        self.reply(path, body.encode(), status=status)

    def on(self, path: str, handler: Handler) -> None:
        """Add a computed reply to a path's script."""
        self._scripts.setdefault(path, []).append(handler)

    def forget(self, path: str) -> None:
        """Throw a path's script away."""
        self._scripts.pop(path, None)

    def asked(self, path: str) -> list[Received]:
        """The requests for a path, in their order."""
        return [received for received in self.received if received.path == path]

    def answer_to(self, received: Received) -> Reply:
        with self._lock:
            self.received.append(received)
            script = self._scripts.get(received.path)
            if not script:
                return Reply(status=404)
            handler = script.pop(0) if len(script) > 1 else script[0]
        answer = handler(received)
        return Reply(body=answer) if isinstance(answer, bytes) else answer


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    script: ScriptedServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away, or does not trust the certificate, is part of the script."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body that waits for its headers' acknowledgement costs 40 ms
    server: _Listener

    def do_GET(self) -> None:  # the base class looks for this name
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        received = Received(
            parts.path.removeprefix("/"), query, self.headers, time.monotonic(), self.command, body
        )
        script = self.server.script
        reply = script.answer_to(received)
        if reply.stall:
            script.closing.wait(reply.stall)
        self.close_connection = reply.cut is not None
        if reply.cut == 0:
            return
        self.send_response(reply.status, "scripted")
        self.send_header("Content-Length", str(len(reply.body) if reply.length is None else reply.length))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: reply.cut])
        self.close_connection |= reply.length is not None

    do_POST = do_GET  # noqa: N815 - the base class looks for this name

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback is reached directly, whatever this machine's proxies are."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def other_server() -> Iterator[ScriptedServer]:
    """A second one, for what goes to another host."""
    with ScriptedServer().running() as running:
        yield running


@pytest.fixture
def ca_bundle(tmp_path: Path) -> Path:
    """The certificate, and key, of a server on 127.0.0.1 that only who is told of it trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "scripted server")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return bundle


@pytest.fixture
def tls_server(ca_bundle: Path) -> Iterator[ScriptedServer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca_bundle)
    with ScriptedServer(tls).running() as running:
        yield running


@pytest.fixture
def tasks_body() -> Callable[..., bytes]:
    """Makes a body with one task of these attributes."""
    return lambda **attributes: render_tasks([OcrTask(**attributes)])


@pytest.fixture
def shown() -> Callable[[BaseException], str]:
    """Gives all that a log shows of an error, its causes included."""
    return lambda error: "".join(traceback.format_exception(error))


@pytest.fixture
def reply() -> type[Reply]:
    """Makes replies for computed scripts."""
    return Reply
