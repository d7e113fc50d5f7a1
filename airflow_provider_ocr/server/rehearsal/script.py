# SPDX-License-Identifier: Apache-2.0
"""What becomes of documents while nothing is recognised: decided beforehand, and changed at any time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase

from airflow_provider_ocr.protocol.vocabulary import TaskStatus

NOTHING_READ = "Nothing was recognised: this file comes from a server that rehearses."

HELD = (TaskStatus.SUBMITTED, TaskStatus.QUEUED, TaskStatus.IN_PROGRESS)
"""The states that tasks can be held in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What becomes of one document.

    :param text: what its results say; a form feed begins a new page.
    :param seconds: how long it is InProgress.
    :param error: why it fails; None where it is completed.
    """

    text: str = NOTHING_READ
    seconds: float = 0.0
    error: str | None = None

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return self.text.count("\f") + 1


class Script:
    """What becomes of all documents. Safe to use from several threads.

    :param usual: what becomes of a document that nothing else was said about.
    """

    def __init__(self, usual: Outcome | None = None) -> None:
        self._usual = usual or Outcome()
        self._rules: list[tuple[str, Outcome]] = []
        self._held: set[TaskStatus] = set()
        self._changed = threading.Condition()

    def begin_anew(self) -> None:
        """Forget what was said, and let go of all tasks."""
        with self._changed:
            self._rules.clear()
            self._held.clear()
            self._changed.notify_all()

    def add(self, outcome: Outcome, *, source: str = "*") -> None:
        """Decide on documents; what is said later counts more.

        :param source: a shell pattern for their URLs, which are looked at without user, query and fragment.
            An image that was sent has none, which only ``*`` fits.
        """
        with self._changed:
            self._rules.append((source, outcome))

    def outcome_of(self, source: str) -> Outcome:
        """What becomes of a document.

        :param source: its URL without user, query and fragment; empty if it was sent.
        """
        with self._changed:
            fitting = (outcome for pattern, outcome in reversed(self._rules) if fnmatchcase(source, pattern))
            return next(fitting, self._usual)

    def hold(self, status: TaskStatus) -> None:
        """Let no task go on from a state.

        :param status: one of ``HELD``.
        :raises ValueError: if tasks cannot be held in it.
        """
        if status not in HELD:
            raise ValueError(f"Tasks cannot be held {status}; they can be {', '.join(HELD)}.")
        with self._changed:
            self._held.add(status)

    def release(self) -> None:
        """Let all tasks go on."""
        with self._changed:
            self._held.clear()
            self._changed.notify_all()

    @contextmanager
    def claiming(self) -> Iterator[bool]:
        """Whether a Queued task may go on; nobody holds them meanwhile."""
        with self._changed:
            yield TaskStatus.QUEUED not in self._held

    def stay(self, status: TaskStatus, *, seconds: float, cancelled: Callable[[], bool]) -> None:
        """Wait until a task may go on from a state.

        :param seconds: how long it stays there in any case.
        :param cancelled: tells whether to wait no longer; whoever makes it true calls ``wake``.
        """
        end = time.monotonic() + seconds
        with self._changed:
            while not cancelled():
                left = end - time.monotonic()
                if status in self._held:
                    self._changed.wait()
                elif left > 0:
                    self._changed.wait(left)
                else:
                    return

    def wake(self) -> None:
        """Have those who wait ask whether they are cancelled."""
        with self._changed:
            self._changed.notify_all()
