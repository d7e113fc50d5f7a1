# SPDX-License-Identifier: Apache-2.0
"""Windows of time in which ``listTasks`` shows at most 1,000 tasks, and which of them are worth asking for.

Everything here holds whether the service filters by registration or by last change, and whichever end of
its order it shows: a window that is cut off is cut in two, wherever the cut lies. What earlier listings have
taught only saves requests; nobody may conclude from it that a task is not there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from airflow_provider_ocr.protocol.task import OcrTask

LIST_LIMIT = 1000
"""How many tasks one answer of ``listTasks`` holds at most; one with so many may be cut off."""

OPEN_END = 2**40
"""The end of the newest window, in seconds since 1970: it is always now."""

_NEWEST_SECONDS = 600
_OLDEST_SECONDS = 7 * 24 * 3600
_FULL_ENOUGH = LIST_LIMIT // 2
_WORTH_A_LISTING = 2


@dataclass(frozen=True, slots=True)
class Window:
    """Some time of the service's clock; both ends belong to it.

    :param start: seconds since 1970.
    :param end: seconds since 1970.
    :param rows: how many tasks its last answer had; None if it was not asked for.
    """

    start: int
    end: int
    rows: int | None = None

    @property
    def is_newest(self) -> bool:
        """Whether what happens next happens in it."""
        return self.end == OPEN_END

    @property
    def is_too_full(self) -> bool:
        """Whether more happened in one second than an answer can show."""
        return self.start == self.end and (self.rows or 0) >= LIST_LIMIT

    def holds(self, moments: Iterable[int]) -> bool:
        """Whether one of these moments lies in it.

        :param moments: seconds since 1970.
        """
        return any(self.start <= moment <= self.end for moment in moments)

    def cut(self, rows: Sequence[tuple[int, ...]]) -> tuple[Window, Window] | None:
        """The two parts of a window whose answer was cut off; None if it is a single second.

        :param rows: the moments of the tasks that it showed, in its order: registration, last change.
        """
        if self.start == self.end:
            return None
        place = min(max(self._place(rows), self.start), self.end - 1)
        return Window(self.start, place), Window(place + 1, self.end)

    def _place(self, rows: Sequence[tuple[int, ...]]) -> int:
        """Where most of what was shown lies on one side and, probably, all that was not on the other."""
        for which in (0, -1):
            shown = [row[which] for row in rows if row]
            if shown and self.start <= min(shown) and max(shown) <= self.end:
                newest_first = rows[0][-1:] > rows[-1][-1:]
                return sorted(shown)[len(shown) // 4 - 1 if newest_first else len(shown) * 3 // 4]
        return (self.start + self.end) // 2


def moments_of(task: OcrTask) -> tuple[int, ...]:
    """When a task was registered and last changed, as far as the service told it.

    :param task: as the service told it.
    """
    times = (task.registration_time, task.status_change_time)
    return tuple(time.int_timestamp for time in times if time is not None)


class Chart:
    """Which windows there are, and in which of them the tasks lie that somebody waits for."""

    def __init__(self) -> None:
        self._windows: list[Window] = []  # the oldest first, without gaps
        self._moments: dict[str, tuple[int, ...]] = {}
        self._last: dict[str, OcrTask] = {}

    def learn(self, ocr_task_id: str, moments: tuple[int, ...]) -> None:
        """Note where a task lies, as it was seen last; nowhere, if nobody can tell.

        :param ocr_task_id: the task's ID.
        :param moments: seconds since 1970.
        """
        self._moments[ocr_task_id] = moments

    def see(self, task: OcrTask) -> None:
        """Note how a task was seen.

        :param task: without what should not be kept.
        """
        if self._last.get(task.id) is not task:
            self._last[task.id] = task
            self.learn(task.id, moments_of(task))

    def last(self, ocr_task_id: str) -> OcrTask | None:
        """How a task was seen last, if it was.

        :param ocr_task_id: the task's ID.
        """
        return self._last.get(ocr_task_id)

    def forget(self, ocr_task_id: str) -> None:
        """Nobody waits for this task any more.

        :param ocr_task_id: the task's ID.
        """
        self._moments.pop(ocr_task_id, None)
        self._last.pop(ocr_task_id, None)

    def unknown(self, wanted: Iterable[str]) -> list[str]:
        """Those of the tasks that were never seen.

        :param wanted: IDs of the tasks.
        """
        return [ocr_task_id for ocr_task_id in wanted if ocr_task_id not in self._moments]

    def plan(self, wanted: Collection[str], *, now: int) -> list[Window]:
        """The windows to ask for, the newest first: those that may show two of the tasks, and the newest.

        :param wanted: IDs of the tasks.
        :param now: seconds since 1970.
        """
        self._fit(now)
        starts = [window.start for window in self._windows]
        counts = Counter(
            place
            for ocr_task_id in wanted
            for place in {bisect_right(starts, moment) - 1 for moment in self._moments.get(ocr_task_id, ())}
        )
        last = len(self._windows) - 1
        return [
            self._windows[place]
            for place in range(last, -1, -1)
            if place == last or (counts[place] >= _WORTH_A_LISTING and not self._windows[place].is_too_full)
        ]

    def may_show(self, window: Window, wanted: Iterable[str]) -> bool:
        """Whether one of these tasks may be in a window.

        :param window: the window.
        :param wanted: IDs of the tasks.
        """
        return window.is_newest or any(
            ocr_task_id not in self._moments or window.holds(self._moments[ocr_task_id])
            for ocr_task_id in wanted
        )

    def before(self, moment: int, *, now: int) -> Window | None:
        """The window that ends before a moment; ever longer ones, a week back at most.

        :param moment: seconds since 1970.
        :param now: seconds since 1970.
        """
        for window in self._windows:
            if window.start < moment <= window.end + 1:
                return window
        first = self._windows[0]
        reach = max(now - first.start, _NEWEST_SECONDS)
        if reach >= _OLDEST_SECONDS:
            return None
        older = Window(first.start - reach, first.start - 1)
        self._windows.insert(0, older)
        return older

    def count(self, window: Window, rows: int) -> Window:
        """Note how many tasks a window has; gives the window with that number.

        :param window: as it was asked for.
        :param rows: how many tasks its answer had.
        """
        counted = replace(window, rows=rows)
        self._replace(window, counted)
        return counted

    def cut(self, window: Window, parts: Iterable[Window]) -> None:
        """Note that a window has to be asked for in parts.

        :param window: the window.
        :param parts: which together are the window.
        """
        self._replace(window, *parts)

    def _replace(self, window: Window, *others: Window) -> None:
        # Another survey may have cut or joined it meanwhile; then what that one found holds.
        if window in self._windows:
            place = self._windows.index(window)
            self._windows[place : place + 1] = others

    def _fit(self, now: int) -> None:
        """Begin where the oldest task lies, and join neighbours that have become small."""
        known = [moment for moments in self._moments.values() for moment in moments]
        oldest = min(known, default=now)
        windows = self._windows or [Window(now - _NEWEST_SECONDS, OPEN_END)]
        windows = [window for window in windows if window.end >= oldest]
        if oldest < windows[0].start:
            windows.insert(0, Window(oldest, windows[0].start - 1))
        joined = windows[:1]
        for window in windows[1:]:
            before = joined[-1]
            if (before.rows is not None and window.rows is not None) and (
                before.rows + window.rows <= _FULL_ENOUGH
            ):
                joined[-1] = Window(before.start, window.end, before.rows + window.rows)
            else:
                joined.append(window)
        self._windows = joined
