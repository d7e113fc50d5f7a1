# SPDX-License-Identifier: Apache-2.0
"""Exchange: what one request and its answer may cost in time and bytes, and how far the request has come.

A read time-out alone bounds nothing: a server that sends one byte before each of them holds a caller for
ever. The connections ask the exchange that is under way before each step on the socket how long they may
wait, and tell it what arrived. Whoever has no use for the answer any more can stop it from another thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum

_UNDER_WAY: ContextVar[Exchange | None] = ContextVar("exchange under way", default=None)


class Stage(Enum):
    """How far a request has come."""

    CONNECTING = "nothing was said"
    AT_PROXY = "a proxy was asked to connect to the server"
    SENT = "the request, or a part of it, has left"


class StoppedError(Exception):
    """Nobody waits for the answer any more."""


class TooManyBytesError(OSError):
    """An answer is longer than its exchange allows."""


class Exchange:
    """The allowance of one request and its answer.

    :param seconds: from now until the answer is here.
    :param step: seconds that may pass without a byte sent or received.
    :param most_bytes: what may arrive, headers included, as sent and not as decoded.
    :param stopped: set by whoever wants it to end.
    """

    def __init__(
        self, *, seconds: float, step: float, most_bytes: int, stopped: threading.Event | None = None
    ) -> None:
        self.stage = Stage.CONNECTING
        self._step = step
        self._stopped = stopped
        self.allow(seconds=seconds, most_bytes=most_bytes)

    def allow(self, *, seconds: float, most_bytes: int) -> None:
        """Begin anew, for the next part of an answer that may go on and on.

        :param seconds: from now.
        :param most_bytes: from now.
        """
        self._deadline = time.monotonic() + seconds
        self._bytes_left = most_bytes

    @property
    def remaining(self) -> float:
        """Seconds until it is over; 0 from then on."""
        return max(0.0, self._deadline - time.monotonic())

    def patience(self, longest: float | None = None) -> float:
        """Seconds that the next step may wait.

        :param longest: instead of what is set for all steps.
        :raises TimeoutError: if nothing remains.
        :raises StoppedError: if somebody wants it to end.
        """
        if self._stopped is not None and self._stopped.is_set():
            raise StoppedError
        remaining = self.remaining
        if not remaining:
            raise TimeoutError("the time for the whole exchange is over")
        return min(self._step if longest is None else longest, remaining)

    def count(self, received: int) -> None:
        """Note what arrived.

        :param received: a number of bytes.
        :raises TooManyBytesError: if it is more than was allowed.
        """
        self._bytes_left -= received
        if self._bytes_left < 0:
            raise TooManyBytesError("the answer is longer than allowed")

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Within it, connections that this thread uses keep to this exchange."""
        token = _UNDER_WAY.set(self)
        try:
            yield
        finally:
            _UNDER_WAY.reset(token)


def under_way() -> Exchange:
    """The exchange that this thread has under way.

    :raises LookupError: if there is none.
    """
    exchange = _UNDER_WAY.get()
    if exchange is None:
        raise LookupError("a connection is used outside of any exchange")
    return exchange
