# SPDX-License-Identifier: Apache-2.0
"""A call ends within its time and its bytes, wherever the other side begins to dawdle or to flood."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.exchange import Exchange, TooManyBytesError, under_way
from airflow_provider_ocr.client.network import Timeouts
from airflow_provider_ocr.client.transport import Transport
from airflow_provider_ocr.protocol import errors

if TYPE_CHECKING:
    from tests.unit.client.conftest import Conversation, RawServer

Talk = Callable[["Conversation"], None]
Listen = Callable[[Talk], "RawServer"]
MakeTransport = Callable[..., Transport]

HURRY = Timeouts(connect=5.0, read=5.0, total=0.4)
MUCH_LATER = 4.0  # seconds; a machine with other work to do is slow, a dripping server has no end at all


def _dripping(piece: bytes, *before: bytes) -> Talk:
    def talk(conversation: Conversation) -> None:
        conversation.hear()
        conversation.say(*before)
        conversation.drip(piece)

    return talk


DRIPS = {
    "in the status line": _dripping(b"0", b"HTTP/1.1 200 "),
    "in a header": _dripping(b"x", b"HTTP/1.1 200 OK\r\nX-Long: "),
    "between headers": _dripping(b"X: y\r\n", b"HTTP/1.1 200 OK\r\n"),
    "one 100 Continue after the other": _dripping(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "in the body": _dripping(b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"),
    "in a body without length": _dripping(b"x", b"HTTP/1.1 200 OK\r\n\r\n"),
    "in chunks": _dripping(b"1\r\nx\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "in a chunk's length": _dripping(b"0", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "in trailers": _dripping(b"X: y\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_server_that_drips_is_cut(listen: Listen, make_transport: MakeTransport, drip: str) -> None:
    server = listen(DRIPS[drip])
    started = time.monotonic()
    with pytest.raises(errors.ConnectionFailedError, match="within the time for the whole call"):
        make_transport(base_url=server.url, timeouts=HURRY).change("processRemoteImage", {})
    assert 0.3 < time.monotonic() - started < MUCH_LATER
    assert len(server.requests) == 1


def test_repetitions_share_one_time(
    listen: Listen, make_transport: MakeTransport, pauses: list[float]
) -> None:
    def silent_from_the_second_time_on(conversation: Conversation) -> None:
        conversation.hear()
        if len(server.requests) > 1:
            conversation.wait()

    server = listen(silent_from_the_second_time_on)
    timeouts = Timeouts(connect=5.0, read=5.0, total=1.2)
    started = time.monotonic()
    with pytest.raises(errors.ConnectionFailedError, match="within the time for the whole call"):
        make_transport(base_url=server.url, timeouts=timeouts, read_attempts=9).read("listTasks", {})
    assert time.monotonic() - started < MUCH_LATER
    assert (len(server.requests), len(pauses)) == (2, 1)


def test_a_pause_that_does_not_fit_any_more_is_not_made(
    listen: Listen, make_transport: MakeTransport, pauses: list[float]
) -> None:
    server = listen(lambda conversation: conversation.hear() and None)
    with pytest.raises(errors.ConnectionFailedError, match="without an answer"):
        make_transport(base_url=server.url, timeouts=HURRY).read("listTasks", {})
    assert (len(server.requests), pauses) == (1, [])


def test_a_server_that_takes_an_image_in_too_slowly_is_cut(
    listen: Listen, make_transport: MakeTransport
) -> None:
    server = listen(lambda conversation: conversation.wait())
    started = time.monotonic()
    with pytest.raises(errors.ConnectionFailedError, match="within the time for the whole call"):
        make_transport(base_url=server.url, timeouts=HURRY).change("processImage", {}, bytes(20_000_000))
    assert time.monotonic() - started < MUCH_LATER


def test_a_long_image_may_take_longer_than_a_connection_may(
    listen: Listen, make_transport: MakeTransport
) -> None:
    image = bytes(range(256)) * 20_000

    def slow(conversation: Conversation) -> None:
        receive = conversation.connection.recv
        begun = time.monotonic()
        while len(conversation._arrived) < len(image):
            conversation._arrived += receive(400_000)
            if time.monotonic() - begun < 0.6:
                time.sleep(0.05)
        conversation.hear()
        conversation.answer(b"<response/>")

    server = listen(slow)
    timeouts = Timeouts(connect=0.3, read=5.0)
    transport = make_transport(base_url=server.url, timeouts=timeouts)
    assert transport.change("processImage", {}, image) == b"<response/>"
    assert server.requests[0].endswith(image)


def test_a_tunnel_that_drips_is_cut(listen: Listen, make_transport: MakeTransport) -> None:
    proxy = listen(_dripping(b"0", b"HTTP/1.1 200 "))
    started = time.monotonic()
    with pytest.raises(errors.ProxyFailedError, match="did not answer in time"):
        make_transport(base_url="https://ocr.example", proxy=proxy.url, timeouts=HURRY).change("x", {})
    assert time.monotonic() - started < MUCH_LATER


@pytest.mark.parametrize("timeouts", [HURRY, Timeouts(connect=0.4, read=20.0)], ids=["total", "connect"])
def test_a_tls_handshake_that_drags_on_is_cut(
    listen: Listen, make_transport: MakeTransport, timeouts: Timeouts
) -> None:
    def half_a_record(conversation: Conversation) -> None:
        conversation.say(b"\x16\x03\x03\x40\x00")
        conversation.drip(b"x")

    url = listen(half_a_record).url.replace("http:", "https:")
    started = time.monotonic()
    with pytest.raises(errors.HandshakeError, match="did not get through the TLS handshake in time"):
        make_transport(base_url=url, timeouts=timeouts).change("x", {})
    assert time.monotonic() - started < MUCH_LATER


def test_a_drip_behind_tls_is_cut(listen: Listen, make_transport: MakeTransport, ca_bundle: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca_bundle)

    def talk(conversation: Conversation) -> None:
        conversation.connection = tls.wrap_socket(conversation.connection, server_side=True)
        DRIPS["in a header"](conversation)

    url = listen(talk).url.replace("http:", "https:")
    with pytest.raises(errors.ConnectionFailedError, match="within the time for the whole call"):
        make_transport(base_url=url, timeouts=HURRY, verify=str(ca_bundle)).change("x", {})


@pytest.mark.parametrize("timeouts", [HURRY, Timeouts(connect=0.4, read=20.0)], ids=["total", "connect"])
def test_a_look_up_that_hangs_is_cut(
    make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch, timeouts: Timeouts
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: over.wait(20) and [])
    started = time.monotonic()
    with pytest.raises(errors.NameResolutionError):
        make_transport(base_url="http://ocr.example", timeouts=timeouts).change("x", {})
    assert time.monotonic() - started < MUCH_LATER
    over.set()


FLOODS = {
    "of interim answers": _dripping(b"HTTP/1.1 100 Continue\r\n\r\n" * 5000),
    "of a body": _dripping(b"x" * 100_000, b"HTTP/1.1 200 OK\r\n\r\n"),
    "of one chunk of negative length": _dripping(
        b"x" * 100_000, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
    ),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_cut(
    listen: Listen, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch, flood: str
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.client.transport.MOST_BYTES", 1_000_000)
    timeouts = Timeouts(connect=5.0, read=5.0, total=10.0)
    server = listen(FLOODS[flood])
    with pytest.raises(errors.UnreadableAnswerError, match="x: the answer is far longer"):
        make_transport(base_url=server.url, timeouts=timeouts).change("x", {})


def test_an_exchange_grants_what_remains_of_its_time() -> None:
    exchange = Exchange(seconds=5.0, step=2.0, most_bytes=10)
    assert (exchange.patience(), exchange.patience(1.0)) == (2.0, 1.0)
    assert 4.0 < exchange.patience(20.0) <= 5.0
    exchange.allow(seconds=0.0, most_bytes=10)
    assert exchange.remaining == 0.0
    with pytest.raises(TimeoutError):
        exchange.patience(1.0)


def test_an_exchange_counts_what_arrives() -> None:
    exchange = Exchange(seconds=5.0, step=5.0, most_bytes=10)
    exchange.count(10)
    exchange.count(0)
    with pytest.raises(TooManyBytesError):
        exchange.count(1)
    exchange.allow(seconds=5.0, most_bytes=1)
    exchange.count(1)


def test_an_exchange_is_under_way_in_its_own_thread_only() -> None:
    outer, inner = (Exchange(seconds=5.0, step=5.0, most_bytes=10) for _ in range(2))
    elsewhere: list[type[BaseException]] = []

    def look() -> None:
        try:
            under_way()
        except LookupError as error:
            elsewhere.append(type(error))

    with outer.under_way():
        with inner.under_way():
            assert under_way() is inner
        assert under_way() is outer
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert elsewhere == [LookupError]
    with pytest.raises(LookupError):
        under_way()
