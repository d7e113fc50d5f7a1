# SPDX-License-Identifier: Apache-2.0
"""A URL that was not encoded is understood, whichever parser is there; nothing but a URL is changed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from airflow_provider_ocr.server.api.lenient_http import LenientRequests, encoded_request_line

if TYPE_CHECKING:
    from tests.unit.server.conftest import Site

MUELLER = "M\u00fcller"
BLANKS = "GET /x?d=Hans M\u00fcller HTTP/1.1\r\n".encode()


class LenientH11(LenientRequests, H11Protocol):
    """Lenient with h11."""


class LenientHttpTools(LenientRequests, HttpToolsProtocol):
    """Lenient with httptools."""


@pytest.mark.parametrize(
    ("data", "encoded"),
    [
        (BLANKS, b"GET /x?d=Hans%20M%C3%BCller HTTP/1.1\r\n"),
        (
            BLANKS + b"X: \xfc \r\n\r\nb \xfc",
            b"GET /x?d=Hans%20M%C3%BCller HTTP/1.1\r\nX: \xfc \r\n\r\nb \xfc",
        ),
        (b"POST /\xfc HTTP/1.0\n", b"POST /%FC HTTP/1.0\n"),
        (b"GET /a HTTP/1.1 HTTP/1.1\r\n", b"GET /a%20HTTP/1.1 HTTP/1.1\r\n"),
        (b"GET /a%20b+c?d=%C3 HTTP/1.1\r\nX: a b\r\n", None),
        (b"GET /a  HTTP/1.1\r\n", None),
        (b"GET  /a HTTP/1.1\r\n", None),
        (b"GET /a\tb c HTTP/1.1\r\n", None),
        (b"GET /a\rb c HTTP/1.1\r\n", None),
        (b"GET /a b", None),
        (b"GET /a b\r\n", None),
        (b"get /a b HTTP/1.1\r\n", None),
        (b"\x16\x03\x01\x02\x00\x01\xfc", None),
        (b"", None),
    ],
)
def test_only_a_request_line_that_is_complete_is_encoded(data: bytes, encoded: bytes | None) -> None:
    assert encoded_request_line(data) == (data if encoded is None else encoded)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the query and the body."""
    assert scope["type"] == "http"
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    told = scope["query_string"] + b"|" + body + b";"
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]}
    )
    await send({"type": "http.response.body", "body": told})


@pytest.fixture(params=[LenientH11, LenientHttpTools])
def connection(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A connection to a server that echoes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(echo, http=request.param, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with socket.create_connection(listener.getsockname(), timeout=10) as connected:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connected
        server.should_exit = True
        thread.join()


def answered(connection: socket.socket, *pieces: bytes) -> bytes:
    """The body that is answered to a request which comes in pieces."""
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(0.1)
    received = b""
    while not received.endswith(b";"):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    assert received.startswith(b"HTTP/1.1 200 ")
    return received.rpartition(b"\r\n\r\n")[2]


def test_each_request_of_a_connection_is_understood_and_no_body_is_changed(connection: socket.socket) -> None:
    body = b"GET /\xfc b HTTP/1.1\r\n"
    head = BLANKS + b"Host: h\r\nContent-Length: %d\r\n\r\n" % len(body)
    told = b"d=Hans%20M%C3%BCller|" + body + b";"
    assert answered(connection, head + body) == told
    assert answered(connection, head, body) == told
    assert answered(connection, head[:-2], head[-2:], body[:3], body[3:]) == told


def test_a_header_that_looks_like_a_request_line_is_none(connection: socket.socket) -> None:
    begin = b"GET /x?a HTTP/1.1\r\nHost: h\r\nX: "
    assert answered(connection, begin, b"GET / b HTTP/1.1\r\n\r\n") == b"a|;"


def test_the_api_takes_a_description_as_scripts_send_it(site: Site) -> None:
    host, _, port = site.url.removeprefix("http://").partition(":")
    token = requests.auth._basic_auth_str("my app", "pass:word")
    query = f"source=https://example.com/x.png&exportFormat=txt&description=Hans {MUELLER}"
    head = f"GET /processRemoteImage?{query} HTTP/1.1\r\nHost: h\r\nAuthorization: {token}\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connected:
        connected.sendall(f"{head}Connection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: connected.recv(65536), b"")).decode()
    assert received.startswith("HTTP/1.1 200 ")
    assert f'description="Hans {MUELLER}"' in received
