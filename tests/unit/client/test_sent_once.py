# SPDX-License-Identifier: Apache-2.0
"""No starting method reaches a server twice, whatever the server or the network does in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.network import Timeouts
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask

if TYPE_CHECKING:
    from tests.unit.client.conftest import Conversation, RawServer

Talk = Callable[["Conversation"], None]
Listen = Callable[[Talk], "RawServer"]
Connect = Callable[..., CloudOcrClient]

ID = "c3187247-7e81-4d12-8767-bc886c1ab878"
SETTINGS = ProcessingSettings.parse(export_format="txt")
TASK = f'<response><task id="{ID}" status="Queued"/></response>'.encode()

STARTING: dict[str, Callable[[CloudOcrClient], OcrTask]] = {
    "processRemoteImage": lambda client: client.process_remote_image("https://a.example/b", SETTINGS),
    "processImage": lambda client: client.process_image(b"image", SETTINGS),
    "submitImage": lambda client: client.submit_image(b"image"),
    "processDocument": lambda client: client.process_document(ID, SETTINGS),
}


def _answering(status: str, *headers: str) -> Talk:
    def talk(conversation: Conversation) -> None:
        while conversation.hear():
            conversation.answer(b"", status, *headers)

    return talk


def _saying(*pieces: bytes) -> Talk:
    def talk(conversation: Conversation) -> None:
        conversation.hear()
        conversation.say(*pieces)

    return talk


def _silent(conversation: Conversation) -> None:
    conversation.hear()
    conversation.wait()


def _resetting(conversation: Conversation) -> None:
    conversation.hear()
    conversation.reset()


def _resetting_early(conversation: Conversation) -> None:
    conversation.connection.recv(10)
    conversation.reset()


MISHAPS: dict[str, Talk] = {
    "closed after the request": _saying(),
    "reset after the request": _resetting,
    "half a status line": _saying(b"HTTP/1.1 2"),
    "no HTTP": _saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "headers without an end": _saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n"),
    "half a body": _saying(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n<response>"),
    "half a body, said to close": _saying(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 900\r\n\r\n<response>"
    ),
    "half a chunk": _saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n900\r\n<response>"),
    "no answer": _silent,
    "408": _answering("408 Request Timeout", "Connection: close"),
    "421": _answering("421 Misdirected Request"),
    "425": _answering("425 Too Early", "Retry-After: 0"),
    "429": _answering("429 Too Many Requests", "Retry-After: 0"),
    "502": _answering("502 Bad Gateway"),
    "503": _answering("503 Service Unavailable", "Retry-After: 0"),
    "504": _answering("504 Gateway Timeout", "Connection: close"),
    "550": _answering("550 Internal"),
    "302": _answering("302 Found", "Location: /again"),
    "303": _answering("303 See Other", "Location: /again"),
    "307": _answering("307 Temporary Redirect", "Location: /again"),
    "308": _answering("308 Permanent Redirect", "Location: /again"),
    "401 Basic": _answering("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'),
    "401 Digest": _answering("401 Unauthorized", 'WWW-Authenticate: Digest realm="x", nonce="y"'),
    "407": _answering("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="x"'),
    "417": _answering("417 Expectation Failed"),
}


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes impatient clients."""
    made = []

    def make(base_url: str, **given: str) -> CloudOcrClient:
        timeouts = Timeouts(connect=2.0, read=0.3)
        made.append(
            CloudOcrClient(
                base_url=base_url, application_id="app", password="secret", timeouts=timeouts, **given
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.mark.parametrize(
    ("method", "mishap"),
    [
        *[("processRemoteImage", mishap) for mishap in MISHAPS],  # a GET
        *[("processImage", mishap) for mishap in MISHAPS],  # a POST
        *[(method, mishap) for method in ("submitImage", "processDocument") for mishap in list(MISHAPS)[:2]],
    ],
)
def test_a_starting_method_arrives_once(listen: Listen, connect: Connect, method: str, mishap: str) -> None:
    server = listen(MISHAPS[mishap])
    with pytest.raises(errors.OcrError):
        STARTING[method](connect(server.url))
    targets = [request.split(b" ")[1].partition(b"?")[0].decode() for request in server.requests]
    assert targets == [f"/{method}"]


@pytest.mark.parametrize("mishap", MISHAPS)
def test_a_starting_method_arrives_once_through_a_proxy(
    listen: Listen, connect: Connect, mishap: str
) -> None:
    proxy = listen(MISHAPS[mishap])
    with pytest.raises(errors.OcrError):
        STARTING["processImage"](connect("http://ocr.example", proxy=proxy.url))
    assert len(proxy.requests) == 1


def test_a_request_that_breaks_off_is_not_sent_again(listen: Listen, connect: Connect) -> None:
    server = listen(_resetting_early)
    with pytest.raises(errors.ConnectionFailedError):
        connect(server.url).process_image(bytes(3_000_000), SETTINGS)
    assert server.connections == 1


@pytest.mark.parametrize("method", STARTING)
def test_a_kept_connection_that_dies_under_the_next_request_does_not_repeat_it(
    listen: Listen, connect: Connect, method: str
) -> None:
    def one_answer_only(conversation: Conversation) -> None:
        conversation.hear()
        conversation.answer(b"<response/>")
        conversation.hear()  # and closes without an answer to it

    server = listen(one_answer_only)
    client = connect(server.url)
    assert client.list_finished_tasks() == []
    with pytest.raises(errors.ConnectionFailedError, match="closed the connection without an answer"):
        STARTING[method](client)
    assert (len(server.requests), server.connections) == (2, 1)


def test_a_kept_connection_that_is_closed_already_is_not_used(listen: Listen, connect: Connect) -> None:
    def one_answer_per_connection(conversation: Conversation) -> None:
        conversation.hear()
        conversation.answer(TASK)

    server = listen(one_answer_per_connection)
    client = connect(server.url)
    for count in (1, 2, 3):
        assert client.process_image(b"image", SETTINGS).id == ID
        assert (len(server.requests), server.connections) == (count, count)
        assert server.closed.acquire(timeout=20)


def test_a_tunnel_that_does_not_come_about_carries_no_request(listen: Listen, connect: Connect) -> None:
    proxy = listen(_answering("502 Bad Gateway"))
    with pytest.raises(errors.ProxyFailedError, match="HTTP 502"):
        STARTING["processRemoteImage"](connect("https://ocr.example", proxy=proxy.url))
    (request,) = proxy.requests
    assert request.startswith(b"CONNECT ocr.example:443 ")
    assert b"Authorization" not in request
