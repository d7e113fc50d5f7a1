# SPDX-License-Identifier: Apache-2.0
"""Connections are kept and shared; a proxy is one's own or the environment's; cookies are not kept."""

from __future__ import annotations

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.download import Downloader
from airflow_provider_ocr.client.network import Network, Timeouts
from airflow_provider_ocr.client.transport import Transport
from airflow_provider_ocr.protocol import errors

if TYPE_CHECKING:
    from tests.unit.client.conftest import Conversation, RawServer
    from tests.unit.conftest import ScriptedServer

Listen = Callable[[Callable[["Conversation"], None]], "RawServer"]
MakeTransport = Callable[..., Transport]

PATIENT = Timeouts(connect=5.0, read=5.0)


def _answering(status: str = "200 OK", *headers: str) -> Callable[[Conversation], None]:
    def talk(conversation: Conversation) -> None:
        while conversation.hear():
            conversation.answer(b"<response/>", status, *headers)

    return talk


def test_a_connection_is_kept_for_the_next_call(listen: Listen, make_transport: MakeTransport) -> None:
    server = listen(_answering())
    transport = make_transport(base_url=server.url, timeouts=PATIENT)
    for _ in range(5):
        transport.read("listTasks", {})
    assert (len(server.requests), server.connections) == (5, 1)


@pytest.mark.parametrize("status", ["450 No", "401 Who", "503 Not now"])
def test_a_connection_is_kept_after_a_refusal(
    listen: Listen, make_transport: MakeTransport, status: str
) -> None:
    server = listen(_answering(status))
    transport = make_transport(base_url=server.url, timeouts=PATIENT)
    for _ in range(5):
        with pytest.raises(errors.OcrError, match=status[:3]):
            transport.change("deleteTask", {})
    assert (len(server.requests), server.connections) == (5, 1)


def test_threads_share_connections_and_open_no_more_than_they_are(
    listen: Listen, make_transport: MakeTransport
) -> None:
    server = listen(_answering())
    transport = make_transport(base_url=server.url, timeouts=PATIENT)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: transport.read("x", {"n": str(number)}), range(40)))
    assert answers == [b"<response/>"] * 40
    assert len(server.requests) == 40
    assert 1 <= server.connections <= 4


def test_a_closed_transport_hangs_up(listen: Listen, make_transport: MakeTransport) -> None:
    server = listen(_answering())
    transport = make_transport(base_url=server.url, timeouts=PATIENT)
    transport.read("x", {})
    transport.close()
    assert server.closed.acquire(timeout=20)


def test_cookies_are_not_kept(listen: Listen, make_transport: MakeTransport) -> None:
    server = listen(_answering("200 OK", "Set-Cookie: session=1; Path=/"))
    transport = make_transport(base_url=server.url, timeouts=PATIENT)
    transport.read("x", {})
    transport.read("x", {})
    assert b"cookie" not in server.requests[1].lower()


def _authorization(request: bytes) -> str:
    (line,) = [line for line in request.split(b"\r\n") if line.startswith(b"Proxy-Authorization: Basic ")]
    return base64.b64decode(line.split()[-1]).decode()


def test_a_proxy_of_ones_own_carries_calls_and_downloads(
    listen: Listen, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "ocr.example")
    proxy = listen(_answering())
    url = proxy.url.replace("//", "//us%20er:pass%2Fword@")
    make_transport(base_url="http://ocr.example", proxy=url, timeouts=PATIENT).read("listTasks", {})
    downloader = Downloader(network=Network(timeouts=PATIENT, proxy=url))
    assert b"".join(downloader.stream("http://files.example/a?sig=x")) == b"<response/>"
    downloader.close()
    call, download = proxy.requests
    assert call.startswith(b"GET http://ocr.example/listTasks HTTP/1.1")
    assert download.startswith(b"GET http://files.example/a?sig=x HTTP/1.1")
    assert [_authorization(request) for request in proxy.requests] == ["us er:pass/word"] * 2


def test_a_proxy_may_come_without_a_scheme(listen: Listen, make_transport: MakeTransport) -> None:
    proxy = listen(_answering())
    transport = make_transport(
        base_url="http://ocr.example", proxy=f"127.0.0.1:{proxy.port}", timeouts=PATIENT
    )
    assert transport.read("listTasks", {}) == b"<response/>"
    assert len(proxy.requests) == 1


def test_without_a_proxy_of_ones_own_it_is_the_environments(
    listen: Listen, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = listen(_answering())
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    make_transport(base_url="http://ocr.example", timeouts=PATIENT).read("listTasks", {})
    assert proxy.requests[0].startswith(b"GET http://ocr.example/listTasks HTTP/1.1")


def test_a_host_that_the_environment_excepts_is_reached_directly(
    server: ScriptedServer, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.reply("listTasks", b"<response/>")
    assert make_transport().read("listTasks", {}) == b"<response/>"


def test_no_request_goes_out_without_an_exchange(server: ScriptedServer) -> None:
    session = Network().session(accept_encoding="identity")
    with pytest.raises(LookupError), session:
        session.get(server.url, timeout=1.0)
    assert server.received == []


@pytest.mark.parametrize(
    ("timeouts", "in_all"),
    [
        (Timeouts(), 120.0),
        (Timeouts(read=300.0), 900.0),
        (Timeouts(read=300.0, total=10.0), 10.0),
    ],
)
def test_a_call_has_two_minutes_unless_it_is_told_otherwise(timeouts: Timeouts, in_all: float) -> None:
    assert timeouts.in_all == in_all
