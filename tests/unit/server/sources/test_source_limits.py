# SPDX-License-Identifier: Apache-2.0
"""No host holds a fetch up for longer than its limits, or fills the memory, whatever it sends and when."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import (
    FetchStoppedError,
    SourceError,
    SourceFetcher,
    SourceLimits,
)

Speak = Callable[[socket.socket], None]
Host = Callable[[Speak], str]

LOOPBACK = "127.0.0.1"
ALLOWED = [ipaddress.ip_network("127.0.0.0/8")]
SECONDS = 0.4
PATIENCE = 3.0  # for a test machine that has much to do
BEGIN = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def host() -> Iterator[Host]:
    """Starts a host that hears requests out and then says what a test lets it say; gives its base URL."""
    with ExitStack() as running:

        def start(speak: Speak) -> str:
            listener = running.enter_context(socket.create_server((LOOPBACK, 0)))
            threading.Thread(target=_accept, args=(listener, speak), daemon=True).start()
            running.callback(listener.shutdown, socket.SHUT_RDWR)
            return f"http://{LOOPBACK}:{listener.getsockname()[1]}"

        yield start


def _accept(listener: socket.socket, speak: Speak) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_converse, args=(connection, speak), daemon=True).start()


def _converse(connection: socket.socket, speak: Speak) -> None:
    with connection, suppress(OSError):
        heard = connection.recv(65536)
        if heard.startswith(b"GET"):
            while not heard.endswith(b"\r\n\r\n"):
                heard += connection.recv(65536)
        speak(connection)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where an image is to be written: a folder of its own, so that leftovers show."""
    folder = tmp_path / "images"
    folder.mkdir()
    return folder / "image"


@contextmanager
def limited_to(**limits: Any) -> Iterator[SourceFetcher]:
    with closing(SourceFetcher(AddressPolicy(ALLOWED), limits=SourceLimits(**limits))) as fetcher:
        yield fetcher


def failure_of(fetcher: SourceFetcher, url: str, target: Path) -> str:
    """Why a fetch fails, which it does in bounded time and without a trace."""
    begin = time.monotonic()
    with pytest.raises(SourceError) as failure:
        fetcher.fetch(f"{url}/scan.png?signature=secret", target)
    assert time.monotonic() - begin < PATIENCE
    assert list(target.parent.iterdir()) == []
    assert "secret" not in str(failure.value)
    return str(failure.value)


def drip(before: bytes, drop: bytes = b"x") -> Speak:
    """Says something, and then a little again and again, without end."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(before)
        while True:
            time.sleep(0.02)
            connection.sendall(drop)

    return speak


def test_a_silent_host_is_given_up(host: Host, target: Path) -> None:
    url = host(lambda _: time.sleep(PATIENCE))
    with limited_to(read_seconds=SECONDS) as fetcher:
        assert f"{LOOPBACK}: it sent nothing for 0.4 seconds." in failure_of(fetcher, url, target)


def test_a_host_that_falls_silent_in_the_middle_is_given_up(host: Host, target: Path) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(BEGIN + b"Content-Length: 100\r\n\r\nan im")
        time.sleep(PATIENCE)

    with limited_to(read_seconds=SECONDS) as fetcher:
        assert f"{LOOPBACK}: it sent nothing for 0.4 seconds." in failure_of(fetcher, host(speak), target)


@pytest.mark.parametrize(
    ("before", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 O", b"K"),
        (BEGIN, b"x"),
        (BEGIN + b"X: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_host_that_drips_its_header_is_given_up(
    before: bytes, drop: bytes, host: Host, target: Path
) -> None:
    with limited_to(headers_seconds=SECONDS) as fetcher:
        failure = failure_of(fetcher, host(drip(before, drop)), target)
    assert failure.endswith(f"fetched from {LOOPBACK}: its answer did not begin within 0.4 seconds.")


def test_a_host_that_drips_its_side_of_the_tls_handshake_is_given_up(host: Host, target: Path) -> None:
    a_long_record = b"\x16\x03\x03\x40\x00"
    url = host(drip(a_long_record, b"\x02")).replace("http:", "https:")
    with limited_to(headers_seconds=SECONDS) as fetcher:
        assert "its answer did not begin within 0.4 seconds" in failure_of(fetcher, url, target)


CHUNKED = BEGIN + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("before", "drop"),
    [
        (BEGIN + b"Content-Length: 1000000\r\n\r\n", b"x"),
        (BEGIN + b"\r\n", b"x"),
        (b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n", b"x"),
        (BEGIN + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"", mtime=0)[:10], b"\0\0\0\xff\xff"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"1", b";"),
        (CHUNKED + b"fffffff\r\n", b"x"),
        (CHUNKED + b"1\r\nx\r\n0\r\n", b"X: x\r\n"),
    ],
)
def test_a_host_that_drips_its_image_is_given_up(
    before: bytes, drop: bytes, host: Host, target: Path
) -> None:
    with limited_to(total_seconds=SECONDS) as fetcher:
        failure = failure_of(fetcher, host(drip(before, drop)), target)
    assert failure == "The source image did not arrive within 0.4 seconds."


def test_all_redirects_share_one_limit(host: Host, target: Path) -> None:
    def speak(connection: socket.socket) -> None:
        time.sleep(0.15)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n")

    with limited_to(total_seconds=SECONDS, headers_seconds=SECONDS) as fetcher:
        assert "did not arrive within 0.4 seconds" in failure_of(fetcher, host(speak), target)


def test_an_image_that_is_slow_but_in_time_is_fetched(host: Host, target: Path) -> None:
    def speak(connection: socket.socket) -> None:
        for piece in (BEGIN, b"Content-Length: 4\r\n", b"\r\n", b"im", b"g", b"!"):
            time.sleep(0.1)
            connection.sendall(piece)

    # In all 0.6 seconds: more than any of the limits on a part of it.
    with limited_to(read_seconds=0.5, headers_seconds=0.55, total_seconds=PATIENCE) as fetcher:
        fetcher.fetch(host(speak), target)
    assert target.read_bytes() == b"img!"


def test_a_name_that_is_slow_to_resolve_is_given_up(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(PATIENCE))
    with limited_to(connect_seconds=SECONDS) as fetcher:
        failure = failure_of(fetcher, "http://slow.example", target)
    assert "slow.example: its name was not resolved within 0.4 seconds." in failure


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"200 OK\r\n\r\nimage",
        b"HTTP/1.1 zweihundert OK\r\n\r\nimage",
        b"HTTP/1.1 200 " + b"x" * 70_000,
        BEGIN + b"X: " + b"x" * 70_000,
        BEGIN + b"X: x\r\n" * 1000,
        CHUNKED + b"1" + b";" * 70_000,
    ],
)
def test_what_is_not_http_is_a_failure(answer: bytes, host: Host, target: Path) -> None:
    with limited_to() as fetcher:
        failure = failure_of(fetcher, host(lambda connection: connection.sendall(answer)), target)
    assert f"{LOOPBACK}: its answer is not valid HTTP." in failure


def test_a_host_that_says_nothing_and_hangs_up_is_a_failure(host: Host, target: Path) -> None:
    def speak(connection: socket.socket) -> None:
        """Not a word."""

    with limited_to() as fetcher:
        assert "it closed the connection without an answer." in failure_of(fetcher, host(speak), target)


@cache
def bomb_of(encoding: str) -> bytes:
    compressor = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    return b"".join(compressor.compress(bytes(2**20)) for _ in range(256)) + compressor.flush()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("claim", ["Content-Length: {}", "X-Length: {}", "Content-Length: -1"])
def test_a_compression_bomb_is_refused_at_the_limit_whatever_length_it_claims(
    encoding: str, claim: str, host: Host, target: Path
) -> None:
    bomb = bomb_of(encoding)
    assert len(bomb) < 2**20
    header = f"Content-Encoding: {encoding}\r\n{claim.format(len(bomb))}\r\n\r\n"
    url = host(lambda connection: connection.sendall(BEGIN + header.encode() + bomb))
    tracemalloc.start()
    try:
        with limited_to(image_bytes=2**22) as fetcher:
            assert failure_of(fetcher, url, target) == "The source image is larger than 4 MB."
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2**22


def test_many_streams_in_one_cost_no_time(host: Host, target: Path) -> None:
    answer = BEGIN + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x") * 1_000_000
    with limited_to() as fetcher:
        failure = failure_of(fetcher, host(lambda connection: connection.sendall(answer)), target)
    assert "its compression is damaged" in failure


def test_what_comes_behind_a_compressed_image_is_not_swallowed(host: Host, target: Path) -> None:
    def speak(connection: socket.socket) -> None:
        connection.sendall(BEGIN + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"image"))
        time.sleep(0.1)
        connection.sendall(b"more")

    with limited_to() as fetcher:
        assert "its compression is damaged" in failure_of(fetcher, host(speak), target)


def test_an_image_that_goes_on_behind_its_length_ends_there(host: Host, target: Path) -> None:
    answer = BEGIN + b"Content-Length: 5\r\n\r\n" + b"image" * 100
    with limited_to() as fetcher:
        fetcher.fetch(host(lambda connection: connection.sendall(answer)), target)
    assert target.read_bytes() == b"image"


@pytest.mark.parametrize("before", [b"", BEGIN, BEGIN + b"\r\nan image that"])
def test_closing_the_fetcher_ends_a_fetch_that_waits(before: bytes, host: Host, target: Path) -> None:
    waits = threading.Event()
    outcome: list[BaseException] = []

    def speak(connection: socket.socket) -> None:
        connection.sendall(before)
        waits.set()
        time.sleep(PATIENCE)

    def fetch() -> None:
        try:
            fetcher.fetch(url, target)
        except FetchStoppedError as stopped:
            outcome.append(stopped)

    url = host(speak)
    with limited_to() as fetcher:
        thread = threading.Thread(target=fetch)
        thread.start()
        assert waits.wait(PATIENCE)
    thread.join(PATIENCE / 2)
    assert len(outcome) == 1
    assert list(target.parent.iterdir()) == []
    with pytest.raises(FetchStoppedError):
        fetcher.fetch(url, target)


def test_one_fetch_that_is_given_up_leaves_another_alone(host: Host, tmp_path: Path) -> None:
    def speak(connection: socket.socket) -> None:
        time.sleep(SECONDS)
        connection.sendall(BEGIN + b"\r\nimage")

    good, outcome = host(speak), []
    with limited_to(image_bytes=9) as fetcher:
        thread = threading.Thread(target=lambda: outcome.append(fetcher.fetch(good, tmp_path / "good")))
        thread.start()
        folder = tmp_path / "bad"
        folder.mkdir()
        failure_of(
            fetcher, host(lambda connection: connection.sendall(BEGIN + b"\r\n" + bytes(10))), folder / "x"
        )
        thread.join(PATIENCE)
    assert outcome == [None]
    assert (tmp_path / "good").read_bytes() == b"image"
