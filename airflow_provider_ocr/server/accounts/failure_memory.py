# SPDX-License-Identifier: Apache-2.0
"""Who has failed to log in how often of late, and how long the next attempt has to wait for that."""

from __future__ import annotations

import time
from dataclasses import dataclass

_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last: float


class FailureMemory:
    """The latest failures, of a bounded number of keys.

    :param first_seconds: from the first failure that counts to the next attempt; it doubles with every
        further failure.
    :param longest_seconds: what it grows to.
    :param forget_seconds: after how long without failures all is forgiven.
    :param free: how many failures have no consequence.
    """

    def __init__(
        self, *, first_seconds: float, longest_seconds: float, forget_seconds: float, free: int = 0
    ) -> None:
        self.longest_seconds = longest_seconds
        self._first = first_seconds
        self._forget = forget_seconds
        self._free = free
        self._failures: dict[bytes, _Failures] = {}

    def __contains__(self, key: bytes) -> bool:
        return key in self._failures

    def seconds_after(self, failures: int) -> float:
        """From so many failures to the next attempt."""
        if failures <= self._free:
            return 0.0
        # The power is taken of a small number: a guesser may fail a million times.
        return min(self.longest_seconds, self._first * 2.0 ** min(failures - self._free - 1, 32))

    def seconds_left(self, key: bytes) -> float:
        """From now to the next attempt; 0 if it may be made at once."""
        return max(0.0, self.delay(key) - self._seconds_passed(key))

    def delay(self, key: bytes) -> float:
        """From the last failure to the next attempt, in seconds; 0 if all is forgiven."""
        if self._seconds_passed(key) > self._forget:
            del self._failures[key]
        failures = self._failures.get(key)
        return self.seconds_after(failures.count) if failures else 0.0

    def note(self, key: bytes) -> None:
        """Remember one more failure."""
        earlier = 0 if self._seconds_passed(key) > self._forget else self._count(key)
        # Last in the dictionary is who failed last; who failed long ago is forgotten first.
        self._failures.pop(key, None)
        self._failures[key] = _Failures(earlier + 1, time.monotonic())
        if len(self._failures) > _MOST_REMEMBERED:
            del self._failures[next(iter(self._failures))]

    def forgive(self, key: bytes) -> None:
        """Forget all failures."""
        self._failures.pop(key, None)

    def _count(self, key: bytes) -> int:
        failures = self._failures.get(key)
        return failures.count if failures else 0

    def _seconds_passed(self, key: bytes) -> float:
        failures = self._failures.get(key)
        return time.monotonic() - failures.last if failures else 0.0
