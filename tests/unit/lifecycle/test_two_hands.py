# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from airflow_provider_ocr.lifecycle.two_hands import BATCH_BYTES, MOST_BATCHES, write_while_reading

_SECONDS = 120.0
BATCH = bytes(BATCH_BYTES)


@pytest.mark.parametrize("size", [1, 7, BATCH_BYTES // 3, BATCH_BYTES, 3 * BATCH_BYTES])
def test_all_is_written_in_its_order(size: int) -> None:
    pieces = [bytes([number]) * size for number in range(40)]
    written: list[bytes] = []
    write_while_reading(iter(pieces), written.append)
    assert written == pieces


def test_nothing_is_written_if_nothing_comes() -> None:
    written: list[bytes] = []
    write_while_reading(iter([]), written.append)
    assert written == []


def test_pieces_are_written_while_others_come() -> None:
    is_written = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield BATCH
        assert is_written.wait(_SECONDS), "the first piece is not written before the second one comes"
        yield BATCH

    write_while_reading(pieces(), lambda _: is_written.set())


def test_what_comes_waits_for_what_is_written() -> None:
    taken = 0
    may_write, is_far_ahead = threading.Event(), threading.Event()

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(4 * MOST_BATCHES):
            taken += 1
            if taken == MOST_BATCHES + 1:
                # Nobody takes another one now: as many as may be are waiting to be written.
                threading.Timer(0.2, is_far_ahead.set).start()
            yield BATCH

    def write(_: bytes) -> None:
        may_write.wait(_SECONDS)

    reading = threading.Thread(target=write_while_reading, args=(pieces(), write))
    reading.start()
    assert is_far_ahead.wait(_SECONDS)
    assert taken == MOST_BATCHES + 1
    may_write.set()
    reading.join(_SECONDS)
    assert taken == 4 * MOST_BATCHES


def test_what_cannot_be_written_ends_it_and_nothing_is_written_after_it() -> None:
    tries: list[bytes] = []

    def write(piece: bytes) -> None:
        tries.append(piece)
        if len(tries) == 3:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_while_reading(iter([BATCH] * 50), write)
    assert len(tries) == 3


def test_what_does_not_come_ends_it_and_no_thread_remains() -> None:
    written: list[bytes] = []

    def pieces() -> Iterator[bytes]:
        yield BATCH
        raise ConnectionError("it broke off")

    with pytest.raises(ConnectionError, match="it broke off"):
        write_while_reading(pieces(), written.append)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("writing")]
    assert len(written) <= 1
