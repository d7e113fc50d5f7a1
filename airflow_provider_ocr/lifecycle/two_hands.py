# SPDX-License-Identifier: Apache-2.0
"""Bytes are taken with one hand and given with the other: while pieces come, those before them are written.

What is taken runs at most eight megabytes ahead of what is written, so memory stays bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

BATCH_BYTES = 1024 * 1024
MOST_BATCHES = 8


def write_while_reading(pieces: Iterable[bytes], write: Callable[[bytes], None]) -> None:
    """Take the pieces in this thread, and write them in another one, which is gone afterwards.

    :param pieces: what is to be written.
    :param write: is called with one piece after the other, and not again once it has failed.
    :raises Exception: whatever ``pieces`` or ``write`` raises.
    """
    pending: deque[Future[None]] = deque()
    writer = _Writer(write)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="writing") as thread:
        try:
            for batch in _batches(pieces):
                pending.append(thread.submit(writer.write, batch))
                if len(pending) > MOST_BATCHES:
                    pending.popleft().result()
            for each in pending:
                each.result()
        finally:
            writer.is_over = True


class _Writer:
    """Writes until it is over, be it that all is written, that nobody wants the rest, or that it failed."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self.is_over = False

    def write(self, batch: list[bytes]) -> None:
        for piece in batch:
            if self.is_over:
                return
            try:
                self._write(piece)
            except BaseException:
                self.is_over = True
                raise


def _batches(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Pieces by the megabyte: to hand each over by itself takes longer than to write it."""
    batch: list[bytes] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch
