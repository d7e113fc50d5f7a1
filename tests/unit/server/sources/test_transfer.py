# SPDX-License-Identifier: Apache-2.0
"""A transfer that is cut stops waiting at once and says why."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from airflow_provider_ocr.server.sources.transfer import Transfer


class TooLateError(Exception):
    """The time was over."""


class StoppedError(Exception):
    """The server stops."""


@pytest.fixture
def transfer() -> Iterator[Transfer]:
    """A transfer."""
    transfer = Transfer()
    yield transfer
    transfer.close()


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """A connection over which nothing comes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        yield ours


def test_whoever_waits_for_data_is_woken(transfer: Transfer, connection: socket.socket) -> None:
    transfer.use(connection)
    begin = time.monotonic()
    with transfer.within(0.1, TooLateError()):
        assert connection.recv(1) == b""
    assert 0.1 <= time.monotonic() - begin < 5
    with pytest.raises(TooLateError):
        transfer.check()


def test_what_is_done_in_time_is_not_cut(transfer: Transfer, connection: socket.socket) -> None:
    transfer.use(connection)
    with transfer.within(0.05, TooLateError()):
        pass
    connection.settimeout(0.15)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    transfer.check()


def test_a_cut_holds_for_connections_to_come(transfer: Transfer, connection: socket.socket) -> None:
    transfer.cut(StoppedError())
    with pytest.raises(StoppedError):
        transfer.use(connection)


def test_the_last_connection_is_the_one_that_is_cut(transfer: Transfer, connection: socket.socket) -> None:
    left, right = socket.socketpair()
    with left, right:
        transfer.use(left)
        transfer.use(connection)
        transfer.cut(StoppedError())
        assert connection.recv(1) == b""
        right.sendall(b"x")
        assert left.recv(1) == b"x"


def test_the_first_reason_counts(transfer: Transfer) -> None:
    transfer.cut(StoppedError())
    transfer.cut(TooLateError())
    with pytest.raises(StoppedError):
        transfer.check()


def test_a_connection_that_the_other_side_has_ended_can_be_cut(
    transfer: Transfer, connection: socket.socket
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        transfer.use(ours)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset
        theirs.close()
        time.sleep(0.05)
        transfer.cut(StoppedError())
        ours.close()
    with pytest.raises(StoppedError):
        transfer.check()


def test_nothing_is_left_of_a_limit_that_was_kept(transfer: Transfer) -> None:
    before = threading.active_count()
    for _ in range(20):
        with transfer.within(60, TooLateError()):
            pass
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before
