# SPDX-License-Identifier: Apache-2.0
"""From a name to a connected socket: each address has its chance, and all together have one time-out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from airflow_provider_ocr.client.connecting import ResolutionTimeoutError, open_socket

Resolve = Callable[..., None]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def closed() -> Iterator[int]:
    """A port that nobody listens at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where connections are neither accepted nor refused: its queue is full."""
    with ExitStack() as held, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            connection = held.enter_context(socket.socket())
            connection.setblocking(False)
            connection.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield listener.getsockname()[1]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Makes every name resolve to these ports of the loopback."""

    def to(*ports: int) -> None:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))
            for port in ports
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args: found)

    return to


def test_a_connection_has_its_options_and_comes_from_where_it_should(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    source = ("127.0.0.2", 0)
    with open_socket("127.0.0.1", port, seconds=5.0, source_address=source, options=options) as connection:
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.getsockname()[0] == "127.0.0.2"
        assert connection.getpeername() == ("127.0.0.1", port)


def test_an_ipv6_address_may_have_its_brackets() -> None:
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")
    with listener, open_socket("[::1]", listener.getsockname()[1], seconds=5.0) as connection:
        assert connection.getpeername()[0] == "::1"


@pytest.mark.parametrize("obstacle", ["closed", "silent"])
def test_the_next_address_has_its_chance(
    request: pytest.FixtureRequest, listener: socket.socket, resolve: Resolve, obstacle: str
) -> None:
    resolve(request.getfixturevalue(obstacle), listener.getsockname()[1])
    with open_socket("ocr.example", 443, seconds=1.0) as connection:
        assert connection.getpeername() == listener.getsockname()
        # The first one has not eaten up the time of the second.
        timeout = connection.gettimeout()
    assert timeout is not None
    assert timeout > 0.2


def test_all_addresses_together_have_one_time_out(silent: int, resolve: Resolve) -> None:
    resolve(silent, silent, silent, silent)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        open_socket("ocr.example", 443, seconds=0.4)
    assert 0.35 < time.monotonic() - started < 2.0


def test_a_name_without_an_address_does_not_resolve(resolve: Resolve) -> None:
    resolve()
    with pytest.raises(socket.gaierror):
        open_socket("ocr.example", 443, seconds=1.0)


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a" * 64 + ".example"])
def test_a_name_that_nobody_has_is_an_error_of_the_look_up(name: str) -> None:
    with pytest.raises((socket.gaierror, UnicodeError)):
        open_socket(name, 443, seconds=5.0)


def test_a_look_up_that_hangs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def hang(*args: Any) -> list[Any]:
        over.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = time.monotonic()
    with pytest.raises(ResolutionTimeoutError):
        open_socket("ocr.example", 443, seconds=0.2)
    assert time.monotonic() - started < 2.0
    over.set()
