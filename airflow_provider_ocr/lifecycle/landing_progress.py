# SPDX-License-Identifier: Apache-2.0
"""How far a landing has come, for whoever waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingProgress:
    """One reading.

    :param received: bytes of all files together.
    :param announced: bytes that they will have; None if not all of their hosts have told.
    :param seconds: since the landing began.
    """

    received: int
    announced: int | None
    seconds: float

    def __str__(self) -> str:
        rate = self.received / self.seconds / _MEGABYTE if self.seconds > 0 else 0.0
        whole = ""
        if self.announced:
            share = self.received / self.announced
            whole = f" of {self.announced / _MEGABYTE:.1f} MB ({share:.0%})"
        return f"{self.received / _MEGABYTE:.1f} MB{whole}, {rate:.1f} MB/s"


class Meter:
    """Counts what arrives. Threads may share one.

    :param clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._received = 0
        self._announced: int | None = None

    def announce(self, size: int | None) -> None:
        """Note how much will come in all.

        :param size: bytes, if it is known.
        """
        self._announced = size

    def add(self, count: int) -> None:
        """Note what has come.

        :param count: bytes.
        """
        with self._lock:
            self._received += count

    def read(self) -> LandingProgress:
        """How far it has come by now."""
        seconds = self._clock() - self._began
        return LandingProgress(received=self._received, announced=self._announced, seconds=seconds)
