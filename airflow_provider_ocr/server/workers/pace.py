# SPDX-License-Identifier: Apache-2.0
"""How fast documents are recognised: what estimates and statistics are made of."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_FIRST_GUESS_SECONDS = 3.0
_WEIGHT_OF_LAST = 0.1
_WINDOW_SECONDS = 300.0


class Pace:
    """What the workers have been doing of late. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds_per_page = _FIRST_GUESS_SECONDS
        self._last = threading.local()
        self._page_times: deque[float] = deque()
        self._pages = 0
        self._failures = 0
        self._busy = 0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """A worker, which is the thread that calls, has a document for as long as this lasts."""
        self._last.time = time.monotonic()
        with self._lock:
            self._busy += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def note_page(self) -> None:
        """The worker that calls has a page done."""
        now = time.monotonic()
        seconds, self._last.time = now - self._last.time, now
        with self._lock:
            self._pages += 1
            self._page_times.append(now)
            self._seconds_per_page += _WEIGHT_OF_LAST * (seconds - self._seconds_per_page)
            self._forget_before(now - _WINDOW_SECONDS)

    def note_failure(self) -> None:
        """A document has failed."""
        with self._lock:
            self._failures += 1

    def seconds(self, pages: int, *, workers: int = 1) -> int:
        """How long so many pages will take so many workers; at least 1."""
        with self._lock:
            return max(1, round(self._seconds_per_page * pages / workers))

    @property
    def pages_per_minute(self) -> float:
        """Over the last five minutes."""
        with self._lock:
            self._forget_before(time.monotonic() - _WINDOW_SECONDS)
            return len(self._page_times) * 60 / _WINDOW_SECONDS

    @property
    def pages_total(self) -> int:
        """Since the start."""
        return self._pages

    @property
    def failures_total(self) -> int:
        """Documents that failed since the start."""
        return self._failures

    @property
    def busy_workers(self) -> int:
        """How many have a document now."""
        return self._busy

    def _forget_before(self, time: float) -> None:
        while self._page_times and self._page_times[0] < time:
            self._page_times.popleft()
