# SPDX-License-Identifier: Apache-2.0
"""Why no answer came is told from what happened on real sockets, by kind, and without a secret."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from urllib3 import exceptions as urllib3_errors

from airflow_provider_ocr.client.exchange import Exchange
from airflow_provider_ocr.client.failures import UncallableUrlError, failure_of
from airflow_provider_ocr.client.network import Timeouts
from airflow_provider_ocr.client.transport import Transport
from airflow_provider_ocr.protocol import errors

if TYPE_CHECKING:
    from tests.unit.client.conftest import Conversation, RawServer
    from tests.unit.conftest import ScriptedServer

Talk = Callable[["Conversation"], None]
Listen = Callable[[Talk], "RawServer"]
MakeTransport = Callable[..., Transport]
Shown = Callable[[BaseException], str]
Fails = Callable[..., errors.OcrError]

QUERY = {"source": "https://u:USERSECRET@images.example/a?sig=QUERYSECRET", "pdfPassword": "PDFSECRET"}
SECRETS = ("USERSECRET", "QUERYSECRET", "PDFSECRET", "pass/word", "pass%2Fword", "PROXYSECRET")
BRIEF = Timeouts(connect=1.0, read=1.0)
BROKEN = errors.ConnectionFailedError
NOT_HTTP = "what answered does not speak HTTP; are scheme and port right?"


@pytest.fixture
def closed() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@pytest.fixture
def fails(make_transport: MakeTransport, shown: Shown) -> Fails:
    """Makes a call that has to fail, and sees that nothing but our own error is left of it."""

    def fail(**given: object) -> errors.OcrError:
        with pytest.raises(errors.OcrError) as caught:
            make_transport(**{"timeouts": BRIEF, **given}).change("processRemoteImage", QUERY)
        error = caught.value
        assert (error.__cause__, error.__context__) == (None, None)
        assert not any(secret in shown(error) for secret in SECRETS)
        return error

    return fail


def _talking(*pieces: bytes, listening: bool = True) -> Talk:
    def talk(conversation: Conversation) -> None:
        if listening:
            conversation.hear()
        conversation.say(*pieces)

    return talk


def _has(error: errors.OcrError, kind: type[errors.OcrError], words: str) -> None:
    assert type(error) is kind
    assert words in str(error)


def test_a_name_that_does_not_resolve(fails: Fails) -> None:
    error = fails(base_url="https://no-such-host.invalid/x?y=QUERYSECRET")
    _has(error, errors.NameResolutionError, "the server's name does not resolve (no-such-host.invalid)")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_port_where_nobody_listens(fails: Fails, closed: int, scheme: str) -> None:
    error = fails(base_url=f"{scheme}://u:USERSECRET@127.0.0.1:{closed}")
    _has(
        error,
        errors.ConnectFailedError,
        f"refused the connection; is it running, and are host and port right? (127.0.0.1:{closed})",
    )


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EHOSTUNREACH, "no way to the server from this network"),
        (errno.ENETUNREACH, "no way to the server from this network"),
        (errno.EADDRNOTAVAIL, "no connection came about (OSError)"),
        (errno.ETIMEDOUT, "did not accept the connection in time"),
        (errno.ECONNREFUSED, "refused the connection"),
    ],
)
def test_a_network_that_does_not_lead_there(
    fails: Fails, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    # No network of a test machine can be relied upon to fail in all of these ways.
    def fail(*args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket.socket, "connect", fail)
    _has(fails(base_url="http://127.0.0.1:9"), errors.ConnectFailedError, words)


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("ocr.example", "the URL is none that can be called"),
        ("http://", "the URL is none that can be called"),
        ("http://[::1", "the URL is none that can be called"),
        ("http://" + "a" * 70 + ".example", "the URL is none that can be called"),
        ("ftp://ocr.example", "a scheme other than http and https"),
    ],
)
def test_a_url_that_is_none(fails: Fails, base_url: str, words: str) -> None:
    _has(fails(base_url=base_url), UncallableUrlError, words)


def test_a_certificate_that_nobody_vouches_for(fails: Fails, tls_server: ScriptedServer) -> None:
    error = fails(base_url=tls_server.url)
    _has(error, errors.TlsError, "the server's certificate is not trusted (self-signed certificate). Check")


def test_a_certificate_for_another_name(fails: Fails, tls_server: ScriptedServer, ca_bundle: Path) -> None:
    error = fails(base_url=tls_server.url.replace("127.0.0.1", "localhost"), verify=str(ca_bundle))
    _has(error, errors.TlsError, "certificate is not valid for 'localhost'")


def test_a_server_without_tls(fails: Fails, server: ScriptedServer) -> None:
    error = fails(base_url=server.url.replace("http:", "https:"))
    _has(error, errors.TlsError, "does not speak TLS at this port; is http meant instead of https?")


def test_a_server_that_hangs_up_during_the_handshake(fails: Fails, listen: Listen) -> None:
    url = listen(lambda conversation: conversation.connection.recv(1000) and None).url
    error = fails(base_url=url.replace("http:", "https:"))
    _has(error, errors.HandshakeError, "closed the connection during the TLS handshake")


def test_a_server_that_says_nothing_during_the_handshake(fails: Fails, listen: Listen) -> None:
    url = listen(lambda conversation: conversation.wait()).url
    error = fails(base_url=url.replace("http:", "https:"), timeouts=Timeouts(connect=0.2, read=0.2))
    _has(error, errors.HandshakeError, "did not get through the TLS handshake in time")


def test_a_server_that_resets_the_connection_during_the_handshake(fails: Fails, listen: Listen) -> None:
    url = listen(lambda conversation: conversation.reset()).url
    error = fails(base_url=url.replace("http:", "https:"))
    _has(error, errors.HandshakeError, "closed the connection during the TLS handshake")


def test_a_client_whose_certificate_the_server_wants(fails: Fails, listen: Listen, ca_bundle: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca_bundle)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.verify_mode = ssl.CERT_REQUIRED

    def talk(conversation: Conversation) -> None:
        tls.wrap_socket(conversation.connection, server_side=True)

    error = fails(base_url=listen(talk).url.replace("http:", "https:"), verify=str(ca_bundle))
    _has(error, errors.TlsError, "the TLS handshake failed; check the certificate and the CA bundle (")


def test_a_ca_bundle_that_does_not_exist(fails: Fails, tls_server: ScriptedServer, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    error = fails(base_url=tls_server.url, verify=str(missing))
    _has(error, errors.TlsError, f"the CA bundle {missing} does not exist")


def test_a_ca_bundle_of_the_environment_that_does_not_exist(
    fails: Fails, tls_server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(missing))
    _has(fails(base_url=tls_server.url), errors.TlsError, f"the CA bundle {missing} does not exist")


def test_a_ca_bundle_without_a_certificate(fails: Fails, tls_server: ScriptedServer, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    error = fails(base_url=tls_server.url, verify=str(empty))
    _has(error, errors.TlsError, "there is no certificate in the CA bundle")


def test_a_url_that_is_none_is_not_tried_again(make_transport: MakeTransport, pauses: list[float]) -> None:
    with pytest.raises(errors.ConnectFailedError):
        make_transport(base_url="ftp://ocr.example").read("listTasks", {})
    assert pauses == []


def test_tls_is_not_tried_again(make_transport: MakeTransport, listen: Listen, pauses: list[float]) -> None:
    server = listen(_talking(b"HTTP/1.1 400 Bad Request\r\n\r\n", listening=False))
    with pytest.raises(errors.TlsError):
        make_transport(base_url=server.url.replace("http:", "https:")).read("listTasks", {})
    assert (server.connections, pauses) == (1, [])


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ((), BROKEN, "the server closed the connection without an answer"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), errors.NotHttpError, NOT_HTTP),
        ((b"H" * 100_000,), errors.NotHttpError, NOT_HTTP),
        ((b"\x15\x03\x03\0\2\2F",), errors.TlsWantedError, "what answered speaks TLS; is https meant"),
        ((b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 200), BROKEN, "the answer broke off (HTTPException)"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<r",), BROKEN, "broke off (IncompleteRead)"),
    ],
    ids=["nothing", "SSH", "one long line", "an alert of TLS", "too many headers", "half a body"],
)
def test_an_answer_that_is_none(
    fails: Fails, listen: Listen, said: tuple[bytes, ...], kind: type[errors.OcrError], words: str
) -> None:
    _has(fails(base_url=listen(_talking(*said)).url), kind, words)


def test_an_answer_that_does_not_come(fails: Fails, listen: Listen) -> None:
    server = listen(lambda conversation: conversation.wait())
    error = fails(base_url=server.url, timeouts=Timeouts(connect=1.0, read=0.2))
    _has(error, errors.ConnectionFailedError, "the server did not answer in time")


def test_tls_that_breaks_behind_the_request_is_a_broken_answer(
    fails: Fails, listen: Listen, ca_bundle: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca_bundle)

    def talk(conversation: Conversation) -> None:
        raw = conversation.connection.dup()
        conversation.connection = tls.wrap_socket(conversation.connection, server_side=True)
        conversation.hear()
        raw.sendall(b"this is no record")

    error = fails(base_url=listen(talk).url.replace("http:", "https:"), verify=str(ca_bundle))
    _has(error, errors.ConnectionFailedError, "the answer broke off (SSLError)")


PROXY_ANSWERS = {
    "HTTP/1.1 407 Proxy Authentication Required": "the proxy wants other credentials (HTTP 407)",
    "HTTP/1.1 502 Bad Gateway": "the proxy does not connect to the server (HTTP 502)",
    "HTTP/1.1 403 Forbidden": "the proxy does not connect to the server (HTTP 403)",
    "SSH-2.0-OpenSSH_9.2": "the proxy could not be used (BadStatusLine)",
}


@pytest.mark.parametrize("answer", PROXY_ANSWERS)
def test_a_tunnel_that_the_proxy_refuses(fails: Fails, listen: Listen, answer: str) -> None:
    proxy = listen(_talking(f"{answer}\r\nContent-Length: 0\r\n\r\n".encode()))
    url = proxy.url.replace("//", "//u:PROXYSECRET@")
    error = fails(base_url="https://ocr.example:4433", proxy=url)
    _has(error, errors.ProxyFailedError, PROXY_ANSWERS[answer])
    assert "(ocr.example:4433)" in str(error)


@pytest.mark.parametrize("base_url", ["http://ocr.example", "https://ocr.example"])
@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://u:PROXYSECRET@no-such-host.invalid:3128", "the proxy's name does not resolve"),
        ("http://u:PROXYSECRET@127.0.0.1:{closed}", "the proxy refused the connection"),
        ("http://u:PROXYSECRET@", "proxy's URL is malformed"),
        ("http:///x", "proxy's URL is malformed"),
        ("no-such-host:3128", "the proxy's name does not resolve"),
        ("http://[::1", "proxy's URL is malformed"),
        ("http://u:PROXYSECRET@.:3128", "proxy"),
    ],
)
def test_a_proxy_that_cannot_be_reached(
    fails: Fails, closed: int, base_url: str, proxy: str, words: str
) -> None:
    error = fails(base_url=base_url, proxy=proxy.format(closed=closed))
    _has(error, errors.ProxyFailedError, words)


def test_a_proxy_without_tls(fails: Fails, server: ScriptedServer) -> None:
    error = fails(base_url="http://ocr.example", proxy=server.url.replace("http:", "https:"))
    _has(error, errors.ProxyFailedError, "the TLS handshake with the proxy failed")


def test_a_certificate_behind_a_tunnel_is_the_servers(fails: Fails, listen: Listen, ca_bundle: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(ca_bundle)

    def talk(conversation: Conversation) -> None:
        conversation.hear()
        conversation.say(b"HTTP/1.1 200 OK\r\n\r\n")
        tls.wrap_socket(conversation.connection, server_side=True)

    error = fails(base_url="https://ocr.example", proxy=listen(talk).url)
    _has(error, errors.TlsError, "the server's certificate is not trusted")


UNUSABLE_PROXIES = {
    "socks5://u:PROXYSECRET@127.0.0.1:{closed}": "the proxy is no HTTP proxy; SOCKS and others cannot",
    "SOCKS5h://u:PROXYSECRET@127.0.0.1:{closed}": "the proxy is no HTTP proxy; SOCKS",
    "ftp://u:PROXYSECRET@127.0.0.1:{closed}": "the proxy is no HTTP proxy; SOCKS",
    "http://u:PROXYSECRET@127.0.0.1:99999": "the proxy's URL is malformed; it should look like http://",
    "http://u:PROXY[SECRET@127.0.0.1:9": "the proxy's URL is malformed; it should look like http://",
    "http://u:PROXYSECRET@127.0.0.1:port": "the proxy's URL is malformed; it should look like http://",
}


@pytest.mark.parametrize("base_url", ["http://ocr.example", "https://ocr.example"])
@pytest.mark.parametrize("variable", [None, "ALL_PROXY", "{scheme}_proxy"])
@pytest.mark.parametrize("proxy", UNUSABLE_PROXIES)
def test_a_proxy_that_cannot_be_used_wherever_it_comes_from(
    *,
    fails: Fails,
    closed: int,
    monkeypatch: pytest.MonkeyPatch,
    base_url: str,
    proxy: str,
    variable: str | None,
) -> None:
    url = proxy.format(closed=closed)
    if variable is not None:
        monkeypatch.setenv(variable.format(scheme=base_url.partition(":")[0]), url)
    error = fails(base_url=base_url, proxy=None if variable else url)
    _has(error, errors.ProxyFailedError, UNUSABLE_PROXIES[proxy])
    assert str(error).endswith("(ocr.example).")


def test_a_socks_proxy_is_asked_for_nothing(fails: Fails, listen: Listen) -> None:
    proxy = listen(lambda conversation: conversation.wait())
    fails(base_url="http://ocr.example", proxy=proxy.url.replace("http:", "socks5h:"))
    assert proxy.connections == 0


def test_a_proxy_that_cannot_be_used_does_not_matter_where_none_is_needed(
    server: ScriptedServer, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server.reply("listTasks", b"<response/>")
    assert make_transport().read("listTasks", {}) == b"<response/>"


def test_a_refusal_of_the_proxy_itself_says_that_it_is_the_proxys(fails: Fails, listen: Listen) -> None:
    proxy = listen(_talking(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"))
    error = fails(base_url="http://ocr.example", proxy=proxy.url)
    _has(error, errors.ProxyFailedError, "This comes from a proxy, not from the server")


def test_wrapped_errors_are_looked_into_however_they_are_wrapped() -> None:
    inner = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    middle = urllib3_errors.ProtocolError("Connection aborted.", inner)
    inner.__cause__ = middle  # a circle ends the search, not the program
    outer = requests.exceptions.ConnectionError(middle)
    exchange = Exchange(seconds=1.0, step=1.0, most_bytes=1)
    assert failure_of(outer, exchange).kind is errors.ConnectFailedError


def test_the_classes_are_all_failures_of_the_connection() -> None:
    kinds = (
        *(errors.NameResolutionError, errors.ConnectFailedError, errors.TlsError, errors.ProxyFailedError),
        *(errors.HandshakeError, errors.TlsWantedError, errors.NotHttpError),
    )
    assert all(issubclass(kind, errors.ConnectionFailedError) for kind in kinds)
