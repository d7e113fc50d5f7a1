# SPDX-License-Identifier: Apache-2.0
"""A few jobs at the same time, in threads that are gone when the block is left, whatever made it end.

The thread that waits is the caller's own, so a signal that Airflow turns into an exception there, a time-out
or a kill, is met at once: the jobs are then told to stop, and the block is left when they have.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

from airflow_provider_ocr.protocol.errors import OcrError

_log = logging.getLogger(__name__)
_Done = TypeVar("_Done")


class SideBySide:
    """Runs jobs within a ``with`` block.

    :param most: how many at the same time.
    :param on_tick: called while they run.
    :param seconds: how often.
    """

    def __init__(self, *, most: int, on_tick: Callable[[], None], seconds: float) -> None:
        self._pool = ThreadPoolExecutor(max_workers=most, thread_name_prefix="landing")
        self._on_tick = on_tick
        self._seconds = seconds
        self._next_tick = time.monotonic() + seconds
        self.stopped = threading.Event()
        """Set when the jobs that still run are to give up; each looks now and then."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def run(
        self, jobs: Sequence[Callable[[], _Done]], on_done: Callable[[_Done], None] = lambda _: None
    ) -> list[_Done]:
        """What the jobs give, in their order. If one fails the others end all the same.

        :param jobs: they run in threads.
        :param on_done: called in this one with each result as soon as it is there.
        :raises Exception: that of the first job that failed, after all have ended; the others' are logged.
        """
        futures = [self._pool.submit(job) for job in jobs]
        waiting = set(futures)
        while waiting:
            patience = max(0.0, self._next_tick - time.monotonic())
            done, waiting = wait(waiting, timeout=patience, return_when=FIRST_COMPLETED)
            for future in (future for future in futures if future in done and not future.exception()):
                on_done(future.result())
            if waiting and time.monotonic() >= self._next_tick:
                self._next_tick += self._seconds
                self._on_tick()
        for error in [error for future in futures if (error := future.exception())][1:]:
            # Only our own errors' words are known to hold no secret.
            _log.error("Besides: %s", error if isinstance(error, OcrError) else type(error).__name__)
        return [future.result() for future in futures]
