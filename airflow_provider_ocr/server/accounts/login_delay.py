# SPDX-License-Identifier: Apache-2.0
"""Slows down whoever guesses: after each failed log-in the next one has to wait longer.

What waits is a coroutine and no thread. Attempts that come from one address for one name wait in one
line, so that guessing in parallel gains nothing. An address that fails with many names is slowed down as
well, and one address cannot take all the places.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from airflow_provider_ocr.server.accounts.failure_memory import FailureMemory

_MOST_IN_LINE = 64
_MOST_OF_ADDRESS = 96
_MOST_IN_ALL_LINES = 512


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


@dataclass(slots=True)
class _Line:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class LoginDelay:
    """The lines in which log-ins wait. It belongs to one event loop.

    :param first_seconds: from a failure to the next attempt with the same name from the same address; it
        doubles with every further failure.
    :param longest_seconds: what it grows to.
    :param forget_seconds: after how long without failures all is forgiven.
    :param of_addresses: the failures of addresses with whatever names; a default is gentle, because many may
        share an address.
    """

    def __init__(
        self,
        *,
        first_seconds: float = 0.25,
        longest_seconds: float = 8.0,
        forget_seconds: float = 300.0,
        of_addresses: FailureMemory | None = None,
    ) -> None:
        self._of_names = FailureMemory(
            first_seconds=first_seconds, longest_seconds=longest_seconds, forget_seconds=forget_seconds
        )
        self._of_addresses = of_addresses or FailureMemory(
            first_seconds=0.25, longest_seconds=2.0, forget_seconds=60.0, free=10
        )
        self._lines: dict[bytes, _Line] = {}
        self._waiting = 0

    @asynccontextmanager
    async def attempt(self, client: str, name: str) -> AsyncIterator[Attempt]:
        """Wait for the turn of this address and name, and for its delay to be over.

        :raises TooManyAttemptsError: if too many wait already.
        """
        key, address = _key(client, name), _key(client)
        with self._places(key, address) as (line, line_of_address):
            async with line.turn:
                await asyncio.sleep(self._of_names.seconds_left(key))
                async with self._turn_of_address(address, line_of_address):
                    attempt = Attempt()
                    yield attempt
                    self._note(key, address, attempt)

    @contextmanager
    def _places(self, key: bytes, address: bytes) -> Iterator[tuple[_Line, _Line]]:
        line, line_of_address = self._lines.get(key, _Line()), self._lines.get(address, _Line())
        if (
            line.length >= _MOST_IN_LINE
            or line_of_address.length >= _MOST_OF_ADDRESS
            or self._waiting >= _MOST_IN_ALL_LINES
        ):
            raise TooManyAttemptsError(max(1, round(self._of_names.longest_seconds)))
        places = {key: line, address: line_of_address}
        self._lines |= places
        self._waiting += 1
        for place in places.values():
            place.length += 1
        try:
            yield line, line_of_address
        finally:
            self._waiting -= 1
            for name, place in places.items():
                place.length -= 1
                if not place.length:
                    del self._lines[name]

    @asynccontextmanager
    async def _turn_of_address(self, address: bytes, line: _Line) -> AsyncIterator[None]:
        if not self._of_addresses.delay(address):
            yield
            return
        async with line.turn:
            await asyncio.sleep(self._of_addresses.seconds_left(address))
            yield

    def _note(self, key: bytes, address: bytes, attempt: Attempt) -> None:
        if attempt.failed:
            self._of_names.note(key)
            self._of_addresses.note(address)
        else:
            # Not so the address: who has one right password may still guess those of others.
            self._of_names.forgive(key)


def _key(*of: str) -> bytes:
    # A name is as long as its sender likes; what is remembered of it is not.
    return hashlib.sha256("\0".join(of).encode()).digest()
