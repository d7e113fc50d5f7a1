# SPDX-License-Identifier: Apache-2.0
"""A check tells apart all that can be wrong with a connection, against real sockets, and ends in time."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.hooks.connection_check import Finding
from demo.processes import LOOPBACK, free_port

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

PASSWORD = "hush-hush/42"
TASKS = b"<response/>"
HTML = b"<!DOCTYPE html><html><head><title>Log in</title></head><body>Who are you?</body></html>"


def info(amounts: str) -> bytes:
    """What an application is told of itself."""
    return f"<info><application><name>app</name>{amounts}</application></info>".encode()


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Finding, str]]:
    """Checks a connection with this host and extra; its message has been seen to hold no secret."""

    def checked(host: str | None, conn_type: str = "cloud_ocr", **extra: Any) -> tuple[Finding, str]:
        connection = {"conn_type": conn_type, "host": host, "login": "app", "password": PASSWORD}
        text = json.dumps({**connection, "extra": {"timeout": 5, **extra}})
        monkeypatch.setenv("AIRFLOW_CONN_MY_OCR", text)
        report = CloudOcrHook("my_ocr").check_connection()
        assert CloudOcrHook("my_ocr").test_connection()[0] is report.works
        assert PASSWORD not in report.message
        assert "hush" not in report.message
        return report.finding, report.message

    return checked


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose listener takes no more connections, as a host behind a firewall does not."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server((LOOPBACK, 0), backlog=0))
        for _ in range(3):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def refusing_proxy() -> Iterator[str]:
    """A proxy that does not accept who asks; its URL."""

    class Refusal(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(407)
            self.send_header("Proxy-Authenticate", 'Basic realm="proxy"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_CONNECT = do_GET  # noqa: N815 - the base class looks for this name

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    with ThreadingHTTPServer((LOOPBACK, 0), Refusal) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://{LOOPBACK}:{proxy.server_port}"
        proxy.shutdown()


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ("<pages>99</pages><fields>495</fields>", "Left to spend: 99 pages or 495 fields."),
        ("<pages>12000</pages>", "Left to spend: 12,000 pages."),
        ("<pages>0</pages><fields>4</fields>", "Left to spend: 0 pages or 4 fields."),
        (
            "<pages>9</pages><expires>2027-01-31T00:00:00</expires>",
            "Left to spend: 9 pages, until 2027-01-31.",
        ),
        ("", "It does not tell what is left to spend."),
    ],
)
def test_a_connection_that_works_tells_what_is_left(
    server: ScriptedServer, check: Callable[..., tuple[Finding, str]], amounts: str, words: str
) -> None:
    server.reply("getApplicationInfo", info(amounts))
    assert check(server.url) == (
        Finding.WORKS,
        f"{server.url} accepts the application ID and the password. {words}",
    )
    assert {received.path for received in server.received} == {"getApplicationInfo"}


@pytest.mark.parametrize("conn_type", ["cloud_ocr", "cloud-ocr"])
def test_both_spellings_of_the_type_are_the_packages_own(
    server: ScriptedServer, check: Callable[..., tuple[Finding, str]], conn_type: str
) -> None:
    server.reply("getApplicationInfo", info(""))
    finding, message = check(server.url, conn_type)
    assert finding is Finding.WORKS
    assert "type" not in message


def test_a_connection_of_another_type_works_and_is_named(
    server: ScriptedServer, check: Callable[..., tuple[Finding, str]]
) -> None:
    server.reply("getApplicationInfo", info(""))
    finding, message = check(server.url, "http")
    assert finding is Finding.WORKS
    assert "The connection's type is 'http'; with 'cloud_ocr', Airflow shows its form" in message
    server.forget("getApplicationInfo")
    server.reply("getApplicationInfo", status=401)
    finding, message = check(server.url, "http")
    assert finding is Finding.WRONG_CREDENTIALS
    assert "type is 'http'" in message


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (403, b"", "getApplicationInfo is not enabled for this application."),
        (404, HTML, "It does not tell what is left to spend."),
        (
            450,
            b"<error><message>No such method.</message></error>",
            "It does not tell what is left to spend.",
        ),
        (200, TASKS, "It does not tell what is left to spend."),
    ],
)
def test_a_server_that_does_not_tell_what_is_left_is_asked_something_else_that_is_free(
    server: ScriptedServer, check: Callable[..., tuple[Finding, str]], status: int, body: bytes, words: str
) -> None:
    server.reply("getApplicationInfo", body, status=status)
    server.reply("listFinishedTasks", TASKS)
    finding, message = check(server.url)
    assert finding is Finding.WORKS
    assert message.endswith(words)
    assert {received.path for received in server.received} == {"getApplicationInfo", "listFinishedTasks"}


@pytest.mark.parametrize(
    ("answer", "finding", "words"),
    [
        (
            (401, b"<error><message>Unknown application.</message></error>"),
            Finding.WRONG_CREDENTIALS,
            "Unknown app",
        ),
        ((401, HTML), Finding.WRONG_CREDENTIALS, "The application ID is the name"),
        ((200, HTML), Finding.NOT_CLOUD_OCR, "not a Cloud OCR server"),
        ((200, b'{"status": "ok"}'), Finding.NOT_CLOUD_OCR, "not a Cloud OCR server"),
        ((200, b"<catalog><book/></catalog>"), Finding.NOT_CLOUD_OCR, "not a Cloud OCR server"),
        ((200, b""), Finding.NOT_CLOUD_OCR, "not a Cloud OCR server"),
        ((404, HTML), Finding.NOT_CLOUD_OCR, "HTTP 404"),
        ((405, b""), Finding.NOT_CLOUD_OCR, "HTTP 405"),
        ((302, b""), Finding.NOT_CLOUD_OCR, "HTTP 302"),
        ((403, HTML), Finding.NOT_CLOUD_OCR, "HTTP 403"),
        ((450, b"<error><message>Quota.</message></error>"), Finding.SERVER_TROUBLE, "Quota."),
        ((500, HTML), Finding.SERVER_TROUBLE, "HTTP 500"),
        ((503, b""), Finding.SERVER_TROUBLE, "Try again later."),
        ((429, b""), Finding.SERVER_TROUBLE, "Try again later."),
        ((550, b"<error><message>Oops.</message></error>"), Finding.SERVER_TROUBLE, "Oops."),
    ],
)
def test_what_a_server_answers_tells_what_is_wrong(
    server: ScriptedServer,
    check: Callable[..., tuple[Finding, str]],
    answer: tuple[int, bytes],
    finding: Finding,
    words: str,
) -> None:
    for method in ("getApplicationInfo", "listFinishedTasks"):
        server.reply(method, answer[1], status=answer[0], headers={"Location": "https://example.com/login"})
    found, message = check(server.url)
    assert found is finding
    assert words in message
    assert server.url in message


def test_a_name_that_does_not_resolve_is_told_apart(check: Callable[..., tuple[Finding, str]]) -> None:
    finding, message = check("https://no-such-host.invalid")
    assert finding is Finding.UNRESOLVED
    assert "Cannot resolve the name of https://no-such-host.invalid." in message


def test_a_port_that_nobody_listens_on_is_told_apart(check: Callable[..., tuple[Finding, str]]) -> None:
    url = f"http://{LOOPBACK}:{free_port()}"
    finding, message = check(url)
    assert finding is Finding.UNREACHABLE
    assert f"Cannot connect to {url}." in message


def test_a_host_that_does_not_answer_is_out_of_reach_before_long(
    check: Callable[..., tuple[Finding, str]], full_port: int
) -> None:
    finding, message = check(f"http://{LOOPBACK}:{full_port}", timeout=0.3)
    assert finding is Finding.UNREACHABLE
    assert "Cannot connect" in message


def test_a_server_that_says_nothing_is_told_apart(
    check: Callable[..., tuple[Finding, str]], server: ScriptedServer
) -> None:
    server.reply("getApplicationInfo", stall=60)
    finding, _ = check(server.url, timeout=0.3)
    assert finding is Finding.NO_ANSWER


@pytest.mark.parametrize(
    ("said", "finding", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", Finding.NOT_CLOUD_OCR, "does not speak HTTP"),
        (b"\x15\x03\x03\0\2\2F", Finding.TLS_FAILED, "Let it begin with https://"),
        (b"", Finding.NO_ANSWER, "https:// if the server speaks TLS"),
    ],
    ids=["SSH", "an alert of TLS", "nothing"],
)
def test_a_server_that_does_not_speak_plain_http_is_told_apart(
    check: Callable[..., tuple[Finding, str]],
    serve: Callable[[Callable[[BaseHTTPRequestHandler], None]], str],
    said: bytes,
    finding: Finding,
    words: str,
) -> None:
    found, message = check(serve(lambda request: request.wfile.write(said) and None))
    assert found is finding
    assert words in message


def test_a_server_with_tls_that_is_asked_without_names_https(
    check: Callable[..., tuple[Finding, str]], tls_server: ScriptedServer
) -> None:
    finding, message = check(tls_server.url.replace("https://", "http://"))
    assert finding in {Finding.TLS_FAILED, Finding.NO_ANSWER}
    assert "https://" in message


@pytest.mark.parametrize("farewell", [b"", None], ids=["hangs up", "says nothing"])
def test_a_server_that_does_not_answer_the_tls_handshake_is_not_out_of_reach(
    check: Callable[..., tuple[Finding, str]], farewell: bytes | None
) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        if farewell is not None:
            threading.Thread(target=_hang_up, args=(listener,), daemon=True).start()
        finding, message = check(f"https://{LOOPBACK}:{listener.getsockname()[1]}", timeout=0.3)
    assert finding is Finding.NO_ANSWER
    assert "accepts connections and does not answer" in message


def _hang_up(listener: socket.socket) -> None:
    """Accept connections, read what is said first, and close them."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)


@pytest.mark.parametrize("status", [200, 404])
@pytest.mark.parametrize("goes_on", ["hangs up", "falls silent"])
def test_what_the_first_answer_proved_is_kept_when_no_second_one_comes(
    check: Callable[..., tuple[Finding, str]], server: ScriptedServer, status: int, goes_on: str
) -> None:
    server.reply("getApplicationInfo", HTML, status=status)
    server.reply("listFinishedTasks", **({"cut": 0} if goes_on == "hangs up" else {"stall": 60.0}))
    finding, _ = check(server.url, timeout=0.3)
    assert finding is Finding.NOT_CLOUD_OCR


def test_a_method_that_is_not_enabled_proves_nothing_of_a_server_that_falls_silent(
    check: Callable[..., tuple[Finding, str]], server: ScriptedServer
) -> None:
    server.reply("getApplicationInfo", status=403)
    server.reply("listFinishedTasks", stall=60)
    assert check(server.url, timeout=0.3)[0] is Finding.NO_ANSWER


def test_the_second_question_goes_over_a_connection_of_its_own(
    check: Callable[..., tuple[Finding, str]],
    serve: Callable[[Callable[[BaseHTTPRequestHandler], None]], str],
) -> None:
    """As a server needs it that closes each connection without announcing it."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        body = b"" if "getApplicationInfo" in request.path else TASKS
        status = b"403 Forbidden" if "getApplicationInfo" in request.path else b"200 OK"
        request.wfile.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        # What comes over this connection from now on is heard and not answered.
        request.rfile.read(1)

    assert check(serve(answer), timeout=2)[0] is Finding.WORKS


def test_a_certificate_that_nobody_knows_is_told_apart_with_what_to_do(
    check: Callable[..., tuple[Finding, str]], tls_server: ScriptedServer, ca_bundle: Path
) -> None:
    finding, message = check(tls_server.url)
    assert finding is Finding.TLS_FAILED
    assert "give that authority's certificate as CA bundle" in message
    tls_server.reply("getApplicationInfo", info(""))
    assert check(tls_server.url, ca_bundle=str(ca_bundle))[0] is Finding.WORKS


def test_a_server_without_tls_is_told_apart_with_what_to_do(
    check: Callable[..., tuple[Finding, str]], server: ScriptedServer
) -> None:
    finding, message = check(server.url.replace("http://", "https://"))
    assert finding is Finding.TLS_FAILED
    assert "its URL begins with http://" in message


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_told_apart(
    check: Callable[..., tuple[Finding, str]], scheme: str
) -> None:
    finding, message = check(f"{scheme}://ocr.example", proxy=f"http://me:hush@{LOOPBACK}:{free_port()}")
    assert finding is Finding.PROXY_FAILED
    assert f"The proxy on the way to {scheme}://ocr.example could not be used." in message


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_other_credentials_is_told_apart(
    check: Callable[..., tuple[Finding, str]], refusing_proxy: str, scheme: str
) -> None:
    proxy = refusing_proxy.replace("://", "://me:hush@")
    finding, message = check(f"{scheme}://ocr.example", proxy=proxy)
    assert finding is Finding.PROXY_FAILED
    assert "its user and password" in message


@pytest.mark.parametrize(
    ("host", "extra", "words"),
    [
        (None, {}, "has no host"),
        ("https://ocr.example", {"location": "cloud-eu"}, "another server's host"),
        ("https://ocr.example", {"timeout": "soon"}, "as timeout"),
        ("https://ocr.example", {"proxy": "ftp://me:hush@x"}, "proxy that cannot be used"),
    ],
)
def test_a_connection_that_is_not_complete_is_told_apart(
    check: Callable[..., tuple[Finding, str]], host: str | None, extra: dict[str, Any], words: str
) -> None:
    finding, message = check(host, **extra)
    assert finding is Finding.INCOMPLETE
    assert words in message


def test_a_connection_that_does_not_exist_is_no_traceback() -> None:
    works, message = CloudOcrHook("nobody_made_this").test_connection()
    assert not works
    assert "nobody_made_this" in message


def test_a_check_ends_in_time_even_if_the_answer_comes_in_drops(
    monkeypatch: pytest.MonkeyPatch, serve: Callable[[Callable[[BaseHTTPRequestHandler], None]], str]
) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            for _ in range(300):
                request.wfile.write(b"H")
                request.wfile.flush()
                time.sleep(0.1)

    connection = {"conn_type": "cloud_ocr", "host": serve(drip), "login": "a", "password": "b"}
    monkeypatch.setenv("AIRFLOW_CONN_MY_OCR", json.dumps(connection))
    before = time.monotonic()
    report = CloudOcrHook("my_ocr").check_connection(seconds=1)
    assert time.monotonic() - before < 10
    assert report.finding is Finding.NO_ANSWER


def test_a_check_ends_in_time_even_if_the_name_service_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: time.sleep(30))
    connection = {"conn_type": "cloud_ocr", "host": "https://slow.example", "login": "a", "password": "b"}
    monkeypatch.setenv("AIRFLOW_CONN_MY_OCR", json.dumps(connection))
    before = time.monotonic()
    report = CloudOcrHook("my_ocr").check_connection(seconds=0.2)
    assert time.monotonic() - before < 10
    assert report.finding is Finding.UNRESOLVED
