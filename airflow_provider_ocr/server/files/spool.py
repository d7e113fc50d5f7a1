# SPDX-License-Identifier: Apache-2.0
"""How much room there is for images that wait to be recognised: a byte budget, and a watermark on the disk.

The server asks before it accepts anything, and before it begins a fetch. Asking costs nothing: the answer
is measured anew only about once a second, so a burst within a second may overshoot by what it brings.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_BUDGET_RETRY_SECONDS = 30
_DISK_RETRY_SECONDS = 120


class SpoolFullError(Exception):
    """There is no room for another image.

    :param retry_after_seconds: when it makes sense to ask again.
    :param reason: one sentence for the user of the API.
    """

    def __init__(self, retry_after_seconds: int, reason: str) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Has a disk that is full while an image is written count as a spool without room.

    :raises SpoolFullError: if the disk, or the server's part of it, turned out to be full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _disk_full() from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLevel:
    """What was measured; all in bytes.

    :param held: images of unfinished tasks.
    :param incoming: images that are arriving.
    :param free: what the disk has left.
    """

    held: int
    incoming: int
    free: int


class Spool:
    """Decides whether another image may come in. Safe to use from several threads.

    :param folder: the server's data folder; images arrive in ``incoming`` there.
    :param budget_bytes: how much unfinished tasks and arriving images may hold.
    :param min_free_bytes: how much of the disk always stays free.
    :param held_bytes: the size of all images of unfinished tasks.
    :param valid_seconds: how long a measurement counts.
    """

    def __init__(
        self,
        folder: Path,
        *,
        budget_bytes: int,
        min_free_bytes: int,
        held_bytes: Callable[[], int],
        valid_seconds: float = 1.0,
    ) -> None:
        self._folder = folder
        self._budget_bytes = budget_bytes
        self._min_free_bytes = min_free_bytes
        self._held_bytes = held_bytes
        self._valid_seconds = valid_seconds
        self._lock = threading.Lock()
        self._level: SpoolLevel | None = None
        self._measured = 0.0

    def room(self, *, expected_bytes: int = 0) -> None:
        """Return if there is room for another image.

        :param expected_bytes: what fetches that are under way, or an upload, may bring in all; what of it is
            here already is not counted twice.
        :raises SpoolFullError: if there is none.
        """
        level = self.level()
        arriving = max(level.incoming, expected_bytes)
        if level.held + arriving >= self._budget_bytes:
            raise SpoolFullError(
                _BUDGET_RETRY_SECONDS,
                "The server holds as many unfinished images as it has room for; try again later.",
            )
        if level.free + level.incoming - arriving < self._min_free_bytes:
            raise _disk_full()

    def level(self) -> SpoolLevel:
        """What is held and what is free, as of about a second ago at most."""
        with self._lock:
            now = time.monotonic()
            if self._level is None or now - self._measured >= self._valid_seconds:
                self._level = self._measure()
                self._measured = now
            return self._level

    def _measure(self) -> SpoolLevel:
        return SpoolLevel(
            held=self._held_bytes(),
            incoming=_bytes_in(self._folder / "incoming"),
            free=shutil.disk_usage(self._folder).free,
        )


def _disk_full() -> SpoolFullError:
    return SpoolFullError(_DISK_RETRY_SECONDS, "The disk of the server is nearly full; try again later.")


def _bytes_in(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # it arrived meanwhile, and was moved to its task
                total += entry.stat(follow_symlinks=False).st_size
    return total
