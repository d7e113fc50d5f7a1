# SPDX-License-Identifier: Apache-2.0
"""An image arrives whole or not at all, from permitted networks only; a failure is one clear sentence."""

from __future__ import annotations

import base64
import gzip
import ipaddress
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import (
    SourceError,
    SourceFetcher,
    SourceLimits,
    _redirected,
    check_url,
)

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]
IMAGE = bytes(range(256)) * 4096


@pytest.fixture
def fetcher() -> Iterator[SourceFetcher]:
    """A fetcher that may connect to the loopback address."""
    with closing(SourceFetcher(AddressPolicy(LOOPBACK))) as fetcher:
        yield fetcher


@contextmanager
def limited_to(**limits: int) -> Iterator[SourceFetcher]:
    """A fetcher whose patience is as small as a test needs it."""
    with closing(SourceFetcher(AddressPolicy(LOOPBACK), limits=SourceLimits(**limits))) as fetcher:
        yield fetcher


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where an image is to be written: a folder of its own, so that leftovers show."""
    folder = tmp_path / "images"
    folder.mkdir()
    return folder / "image"


def send(request: BaseHTTPRequestHandler, body: bytes = IMAGE, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def redirect(request: BaseHTTPRequestHandler, location: str, status: int = 302) -> None:
    send(request, b"", status, Location=location)


def sentence_of(fetcher: SourceFetcher, url: str, target: Path) -> str:
    """The error of a fetch that fails. It holds neither query nor credentials, and nothing is left behind."""
    with pytest.raises(SourceError) as failure:
        fetcher.fetch(url, target)
    sentence = str(failure.value)
    assert "secret" not in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert list(target.parent.iterdir()) == []
    return sentence


def test_an_image_is_written_byte_by_byte_as_it_is(
    serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    seen = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        seen.append((request.path, request.headers["User-Agent"]))
        send(request)

    fetcher.fetch(f"{serve(answer)}/scans/a%20b.png?signature=secret&x=%2F", target)
    assert target.read_bytes() == IMAGE
    assert list(target.parent.iterdir()) == [target]
    (path, agent) = seen[0]
    assert path == "/scans/a%20b.png?signature=secret&x=%2F"
    assert agent.startswith("cloud-ocr-server/")


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ("me:secret@", b"Basic bWU6c2VjcmV0"),
        ("m%65:s%65cret@", b"Basic bWU6c2VjcmV0"),
        ("me:a%3Ab%40%C3%BC@", "me:a:b@\u00fc"),
        ("me@", "me:"),
        ("", b""),
    ],
)
def test_credentials_in_the_url_are_sent(
    user: str, sent: bytes | str, serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    url = serve(lambda request: send(request, (request.headers["Authorization"] or "none").encode()))
    fetcher.fetch(url.replace("//", f"//{user}"), target)
    if isinstance(sent, str):
        sent = b"Basic " + base64.b64encode(sent.encode())
    assert target.read_bytes() == (sent or b"none")


def test_credentials_stay_with_the_host_that_they_were_given_for(
    serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    other = serve(lambda request: send(request, (request.headers["Authorization"] or "none").encode()))
    url = serve(lambda request: redirect(request, other))
    fetcher.fetch(url.replace("//", "//me:secret@"), target)
    assert target.read_bytes() == b"none"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("", "/"),
        ("?x=1", "/?x=1"),
        ("/a b/\u00fc.png#page=2", "/a%20b/%C3%BC.png"),
        ("/a\r\nX-Header: x", "/a%0D%0AX-Header:%20x"),
        ("/a%0d%0ab?c=%2f&d=+%20", "/a%0D%0Ab?c=%2F&d=+%20"),
    ],
)
def test_a_path_is_asked_for_as_a_browser_does(
    path: str, asked: str, serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    url = serve(lambda request: send(request, repr((request.path, request.headers["X-Header"])).encode()))
    fetcher.fetch(url + path, target)
    assert target.read_bytes().decode() == repr((asked, None))


def test_the_host_is_named_without_the_user(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    url = serve(lambda request: send(request, request.headers["Host"].encode()))
    fetcher.fetch(url.replace("//", "//me:secret@"), target)
    assert f"http://{target.read_text()}" == url


def test_a_host_may_be_an_ipv6_address(target: Path) -> None:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            send(self, self.headers["Host"].encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    class Server(HTTPServer):
        address_family = socket.AF_INET6

    with (
        Server(("::1", 0), Answering) as server,
        closing(SourceFetcher(AddressPolicy([ipaddress.ip_network("::1/128")]))) as fetcher,
    ):
        threading.Thread(target=server.handle_request, daemon=True).start()
        fetcher.fetch(f"http://[::1]:{server.server_port}/", target)
        assert target.read_text() == f"[::1]:{server.server_port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int, serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    url = serve(lambda request: send(request) if request.path == "/b" else redirect(request, "/b", status))
    fetcher.fetch(f"{url}/a", target)
    assert target.read_bytes() == IMAGE


@pytest.mark.parametrize(
    "location", ["/b/\u00fc", "/b/%C3%BC", "b/%C3%BC", "../b/\u00fc#x", "//{host}/b/\u00fc"]
)
def test_a_redirect_may_be_relative_and_hold_letters_of_any_language(
    location: str, serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.path == "/b/%C3%BC":
            send(request)
        else:
            where = location.replace("{host}", request.headers["Host"])
            redirect(request, where.encode().decode("latin-1"))  # the header goes out byte by byte

    fetcher.fetch(f"{serve(answer)}/a?signature=secret", target)
    assert target.read_bytes() == IMAGE


def test_a_redirect_to_nowhere_is_a_failure(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    url = serve(lambda request: send(request, b"", 302))
    assert "127.0.0.1 answered with HTTP 302." in sentence_of(fetcher, f"{url}/?signature=secret", target)


def count_down(request: BaseHTTPRequestHandler) -> None:
    left = int(request.path.strip("/"))
    if left:
        redirect(request, f"/{left - 1}")
    else:
        send(request)


def test_five_redirects_are_followed(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    fetcher.fetch(f"{serve(count_down)}/5", target)
    assert target.read_bytes() == IMAGE


def test_a_sixth_redirect_is_not_followed(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    assert "more than 5 redirects" in sentence_of(fetcher, f"{serve(count_down)}/6", target)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://0x7f000001.example.invalid:1/?x=secret", "its name could not be resolved"),
        ("http://[::1]:{port}/?x=secret", "not on a public network"),
        ("http://10.0.0.1:{port}/?x=secret", "not on a public network"),
        ("http://2852039166/latest/meta-data/?x=secret", "not on a public network"),
        ("ftp://127.0.0.1:{port}/?x=secret", "not an absolute http or https URL"),
        ("file:///etc/passwd?x=secret", "not an absolute http or https URL"),
        ("http://127.0.0.1:port/?x=secret", "not an absolute http or https URL"),
        ("http://[127.0.0.1/?x=secret", "redirects to what is no URL"),
        ("http://secret@[x]/", "redirects to what is no URL"),
    ],
)
def test_where_a_redirect_leads_is_checked_like_the_first_address(
    location: str, reason: str, serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        port = canary.getsockname()[1]
        url = serve(lambda request: redirect(request, location.replace("{port}", str(port))))
        assert reason in sentence_of(fetcher, f"{url}/?signature=secret", target)
        with pytest.raises(BlockingIOError):
            canary.accept()


@pytest.mark.parametrize(
    "location", ["http://example.com/b", "HTTP://other.example/b", "ftp://example.com/b"]
)
def test_a_redirect_does_not_give_up_tls(location: str) -> None:
    with pytest.raises(SourceError, match=r"example\.com redirects from https to http"):
        _redirected("https://example.com/a", location, host="example.com")
    assert _redirected("https://example.com/a", "b?x=1", host="example.com") == "https://example.com/b?x=1"
    assert _redirected("http://example.com/a", "https://example.com/b", host="example.com").startswith(
        "https:"
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:7f00:1]",
    ],
)
def test_without_leave_this_machine_is_not_connected_to(host: str, target: Path) -> None:
    strict = SourceFetcher(AddressPolicy())
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        url = f"http://{host}:{canary.getsockname()[1]}/?signature=secret"
        assert "not on a public network" in sentence_of(strict, url, target)
        with pytest.raises(BlockingIOError):
            canary.accept()
    strict.close()


def test_proxies_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, target: Path
) -> None:
    proxied = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        proxied.append(request.path)
        send(request, b"proxy")

    proxy = serve(answer)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with limited_to() as fetcher:
        fetcher.fetch(serve(send), target)
        assert target.read_bytes() == IMAGE
        target.unlink()
        nobody = f"https://127.0.0.1:{unused_port()}/?signature=secret"
        assert "could not be connected to" in sentence_of(fetcher, nobody, target)
    assert proxied == []


def test_passwords_of_a_netrc_file_are_not_sent(
    monkeypatch: pytest.MonkeyPatch, serve: Serve, tmp_path: Path, target: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\ndefault login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    url = serve(lambda request: send(request, (request.headers["Authorization"] or "none").encode()))
    with limited_to() as fetcher:
        fetcher.fetch(url, target)
    assert target.read_bytes() == b"none"


def test_what_one_source_sets_as_a_cookie_is_not_sent_again(
    serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    cookies = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        cookies.append(request.headers["Cookie"])
        send(request, Set_Cookie="session=secret; Path=/")

    url = serve(answer)
    fetcher.fetch(url, target)
    fetcher.fetch(url, target)
    assert cookies == [None, None]


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "scan.png",
            "/scan.png",
            "//host/scan.png",
            "http:",
            "http://",
            "http:///scan.png",
            "https://?x",
        ),
        *(
            "ftp://host/x",
            "file:///etc/passwd",
            "data:image/png;base64,AAAA",
            "gopher://host/",
            "javascript:1",
        ),
        *("http://host:port/", "http://host:99999/", "http://[::1/", "http://user@/x", "s3://bucket/x"),
        *(
            "http://ho st/",
            "http://host\n/",
            "http://%00/",
            f"http://{'a' * 254}/",
            "http://[fe80::1",
            "\x00",
        ),
    ],
)
def test_what_is_no_absolute_http_url_is_refused(url: str) -> None:
    with pytest.raises(SourceError, match="not an absolute http or https URL"):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.com", "example.com"),
        ("HTTPS://Example.COM:8443/x?y#z", "example.com"),
        ("http://user:secret@example.com/", "example.com"),
        ("http://[2606:4700::1]:80/", "2606:4700::1"),
    ],
)
def test_the_host_of_a_url_is_all_that_is_told_of_it(url: str, host: str) -> None:
    assert check_url(url) == host


@pytest.mark.parametrize("status", [204, 206, 300, 304, 400, 401, 403, 404, 410, 429, 500, 503])
def test_any_other_answer_than_200_is_a_failure_with_its_status(
    status: int, serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    url = serve(
        lambda request: send(request, b"" if status in (204, 304) else b"nothing here: secret", status)
    )
    sentence = sentence_of(fetcher, f"{url}/scan.png?signature=secret", target)
    assert f"127.0.0.1 answered with HTTP {status}" in sentence


def test_an_empty_body_is_a_failure(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    assert (
        sentence_of(fetcher, serve(lambda request: send(request, b"")), target)
        == "The source image is empty."
    )


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def test_nobody_listening_is_a_failure(fetcher: SourceFetcher, target: Path) -> None:
    sentence = sentence_of(fetcher, f"http://127.0.0.1:{unused_port()}/?signature=secret", target)
    assert "fetched from 127.0.0.1: it could not be connected to" in sentence


def test_a_host_that_speaks_no_tls_is_a_failure(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    url = serve(send).replace("http:", "https:")
    assert "the TLS handshake failed" in sentence_of(fetcher, f"{url}/?signature=secret", target)


def chunked(request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    request.wfile.write(body)


def gzip_encoded(body: bytes, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda request: send(request, body, 200, Content_Encoding="gzip", **headers)


HALF_A_GZIP = gzip.compress(IMAGE)[:50]
BROKEN: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "shorter than announced": lambda request: send(request, IMAGE, Content_Length=str(len(IMAGE) + 1)),
    "nothing of what was announced": lambda request: send(request, b"", Content_Length="9"),
    "no last chunk": lambda request: chunked(request, b"5\r\nhello\r\n"),
    "a chunk that ends early": lambda request: chunked(request, b"ff\r\nhello"),
    "no chunks": lambda request: chunked(request, b"hello"),
    "half a gzip": gzip_encoded(HALF_A_GZIP),
    "half a gzip, and half of what was announced": gzip_encoded(HALF_A_GZIP, Content_Length="100"),
    "a gzip that goes on behind what was announced": gzip_encoded(gzip.compress(IMAGE), Content_Length="50"),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_transfer_is_a_failure(
    answer: Callable[[BaseHTTPRequestHandler], None], serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    assert "the transfer broke off" in sentence_of(fetcher, f"{serve(answer)}/?signature=secret", target)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(IMAGE)),
        ("GZIP ", gzip.compress(IMAGE)),
        ("x-gzip", gzip.compress(IMAGE)),
        ("deflate", zlib.compress(IMAGE)),
        ("identity", IMAGE),
        ("", IMAGE),
    ],
)
def test_an_encoded_transfer_is_decoded(
    encoding: str, body: bytes, serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    fetcher.fetch(serve(lambda request: send(request, body, Content_Encoding=encoding)), target)
    assert target.read_bytes() == IMAGE


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("gzip", b"this is no gzip", "its compression is damaged"),
        ("gzip", gzip.compress(IMAGE) + b"and more", "its compression is damaged"),
        ("gzip", gzip.compress(IMAGE) + gzip.compress(IMAGE), "its compression is damaged"),
        ("gzip", gzip.compress(IMAGE)[:-8] + bytes(8), "its compression is damaged"),
        ("deflate", b"x", "the transfer broke off"),
        ("br", IMAGE, "an encoding that the server did not ask for"),
        ("zstd", IMAGE, "an encoding that the server did not ask for"),
        ("gzip, gzip", gzip.compress(gzip.compress(IMAGE)), "an encoding that the server did not ask for"),
    ],
)
def test_what_cannot_be_decoded_is_a_failure(
    encoding: str, body: bytes, reason: str, *, serve: Serve, fetcher: SourceFetcher, target: Path
) -> None:
    url = serve(lambda request: send(request, body, Content_Encoding=encoding))
    assert reason in sentence_of(fetcher, f"{url}/?signature=secret", target)


def test_a_compressed_image_is_not_asked_for(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    url = serve(lambda request: send(request, request.headers["Accept-Encoding"].encode()))
    fetcher.fetch(url, target)
    assert target.read_bytes() == b"identity"


def test_a_chunked_transfer_is_put_together(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    fetcher.fetch(serve(lambda request: chunked(request, b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n")), target)
    assert target.read_bytes() == b"hello!"


LIMIT = 2**20


@pytest.fixture
def small() -> Iterator[SourceFetcher]:
    """A fetcher that takes images of up to 1 MB."""
    with limited_to(image_bytes=LIMIT) as fetcher:
        yield fetcher


@pytest.mark.parametrize("compress", [False, True])
def test_an_image_of_exactly_the_limit_is_fetched(
    compress: bool, serve: Serve, small: SourceFetcher, target: Path
) -> None:
    image = bytes(LIMIT)
    url = serve(gzip_encoded(gzip.compress(image)) if compress else lambda request: send(request, image))
    small.fetch(url, target)
    assert target.stat().st_size == LIMIT


@pytest.mark.parametrize("compress", [False, True])
def test_an_image_over_the_limit_is_refused_and_counts_as_it_is_when_decoded(
    compress: bool, serve: Serve, small: SourceFetcher, target: Path
) -> None:
    image = bytes(LIMIT + 1)
    url = serve(gzip_encoded(gzip.compress(image)) if compress else lambda request: send(request, image))
    assert sentence_of(small, url, target) == "The source image is larger than 1 MB."


class Flood:
    """Sends 64 MB of zeros, unless the other side has enough before."""

    def __init__(self, status: int, **headers: str) -> None:
        self._status = status
        self._headers = headers
        self.was_taken_whole = False

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        request.send_response(self._status)
        for name, value in self._headers.items():
            request.send_header(name, value)
        request.end_headers()
        with suppress(OSError):
            for _ in range(64):
                request.wfile.write(bytes(2**20))
            self.was_taken_whole = True


def test_an_image_without_end_is_refused_at_the_limit(
    serve: Serve, small: SourceFetcher, target: Path
) -> None:
    flood = Flood(200)
    assert "larger than 1 MB" in sentence_of(small, serve(flood.answer), target)
    assert not flood.was_taken_whole


def test_the_body_of_a_redirect_is_not_read(serve: Serve, fetcher: SourceFetcher, target: Path) -> None:
    flood = Flood(302, Location="/image")
    url = serve(lambda request: send(request) if request.path == "/image" else flood.answer(request))
    fetcher.fetch(f"{url}/start", target)
    assert target.read_bytes() == IMAGE
    assert not flood.was_taken_whole


def test_a_failure_of_the_disk_is_no_fault_of_the_source(
    serve: Serve, fetcher: SourceFetcher, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        fetcher.fetch(serve(send), tmp_path / "missing" / "image")
