# SPDX-License-Identifier: Apache-2.0
"""Slows down whoever guesses: after each failed log-in the next one has to wait longer.

What waits is a coroutine and no thread. Attempts that come from one address for one name wait in one
line, so that guessing in parallel gains nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_MOST_IN_LINE = 64
_MOST_IN_ALL_LINES = 512
_MOST_REMEMBERED = 10_000


class TooManyAttemptsError(Exception):
    """More log-ins wait already than may wait; nothing was verified.

    :param retry_after_seconds: after how long it is worth to try again.
    """

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Too many log-ins are waiting; try again in {retry_after_seconds} seconds.")
        self.retry_after_seconds = retry_after_seconds


@dataclass(slots=True)
class Attempt:
    """A log-in that is its line's turn.

    :param failed: to be set if the credentials were wrong.
    """

    failed: bool = False


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last: float


@dataclass(slots=True)
class _Line:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class LoginDelay:
    """The lines in which log-ins wait. It belongs to one event loop.

    :param first_seconds: from a failure to the next attempt; it doubles with every further failure.
    :param longest_seconds: what it grows to.
    :param forget_seconds: after how long without failures all is forgiven.
    """

    def __init__(
        self, *, first_seconds: float = 0.25, longest_seconds: float = 8.0, forget_seconds: float = 300.0
    ) -> None:
        self._first = first_seconds
        self._longest = longest_seconds
        self._forget = forget_seconds
        self._failures: dict[bytes, _Failures] = {}
        self._lines: dict[bytes, _Line] = {}
        self._waiting = 0

    @asynccontextmanager
    async def attempt(self, client: str, name: str) -> AsyncIterator[Attempt]:
        """Wait for the turn of this address and name, and for its delay to be over.

        :raises TooManyAttemptsError: if too many wait already.
        """
        key = _key(client, name)
        line = self._lines.get(key, _Line())
        if line.length >= _MOST_IN_LINE or self._waiting >= _MOST_IN_ALL_LINES:
            raise TooManyAttemptsError(max(1, round(self._longest)))
        self._lines[key] = line
        line.length += 1
        self._waiting += 1
        try:
            async with line.turn:
                await asyncio.sleep(self._seconds_left(key))
                attempt = Attempt()
                yield attempt
                self._note(key, attempt)
        finally:
            self._waiting -= 1
            line.length -= 1
            if not line.length:
                del self._lines[key]

    def _seconds_left(self, key: bytes) -> float:
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        passed = time.monotonic() - failures.last
        if passed > self._forget:
            del self._failures[key]
            return 0.0
        return max(0.0, self._seconds_after(failures.count) - passed)

    def _seconds_after(self, failures: int) -> float:
        # The power is taken of a small number: a guesser may fail a million times.
        return min(self._longest, self._first * 2.0 ** min(failures - 1, 32))

    def _note(self, key: bytes, attempt: Attempt) -> None:
        earlier = self._failures.pop(key, None)
        if not attempt.failed:
            return
        # Last in the dictionary is who failed last; who failed long ago is forgotten first.
        self._failures[key] = _Failures((earlier.count if earlier else 0) + 1, time.monotonic())
        if len(self._failures) > _MOST_REMEMBERED:
            del self._failures[next(iter(self._failures))]


def _key(client: str, name: str) -> bytes:
    # A name is as long as its sender likes; what is remembered of it is not.
    return hashlib.sha256(f"{client}\0{name}".encode()).digest()
