# SPDX-License-Identifier: Apache-2.0
"""One look at many tasks with few requests: listings first, then by ID what no listing showed.

Each answer is handed on when it comes. The number of requests is bounded however many other tasks the
application has; whoever finds no place in one survey comes first in the next. Of a listing nothing is kept
but what was waited for, and no result URL.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import pendulum

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.verdict import Observation, is_passing
from airflow_provider_ocr.lifecycle.windows import LIST_LIMIT, Chart, Window, moments_of
from airflow_provider_ocr.protocol.errors import (
    AuthenticationError,
    OcrError,
    RequestRejectedError,
    UnreadableAnswerError,
)
from airflow_provider_ocr.protocol.task import OcrTask

FEW = 3
"""So many tasks are asked for by ID at once; a listing would not be cheaper."""

_MOST_REQUESTS = 40
_TASKS_A_REQUEST = 25
_KEPT_FOR_STRAGGLERS = 4
_AHEAD = 24 * 3600
_TOLD_AT_ONCE = 25


_Answer = TypeVar("_Answer")


class Call(Protocol):
    """Has a client asked in a thread, and asks once more with fresh credentials where they are refused."""

    async def __call__(self, ask: Callable[[CloudOcrClient], _Answer], /) -> _Answer:
        """The client's answer.

        :raises OcrError: if the service gave none.
        """


@dataclass(frozen=True, slots=True)
class _Page:
    """A listing.

    :param rows: when the tasks that it shows happened, in its order.
    :param found: those of them that were looked for, without their result URLs.
    """

    rows: Sequence[tuple[int, ...]]
    found: Sequence[OcrTask]


class Survey:
    """Looks at some tasks once.

    :param call: reaches the service.
    :param chart: what earlier surveys have learned; this one adds to it.
    :param wanted: IDs of the tasks; those that have waited longest for a look come first.
    :param tell: takes what was seen of a task.
    :param lists: whether to ask for listings.
    """

    def __init__(
        self,
        *,
        call: Call,
        chart: Chart,
        wanted: Collection[str],
        tell: Callable[[str, Observation], None],
        lists: bool,
    ) -> None:
        self.answered = False
        self.lists_answered: bool | None = None
        """Whether the service gave a listing, or refused; None where it did neither."""
        self.trouble: OcrError | None = None
        self._call = call
        self._chart = chart
        self._missing = dict.fromkeys(wanted)
        self._tell = tell
        self._requests_left = max(_MOST_REQUESTS, len(self._missing) // _TASKS_A_REQUEST)
        self._listed: set[Window] = set()
        self._lists_are_of_use = lists
        self._now = int(time.time())

    async def make(self) -> list[str]:
        """Look, and give the IDs of the tasks that there was no place for."""
        if self._lists_are_of_use and len(self._missing) > FEW:
            await asyncio.gather(*map(self._explore, self._chart.plan(self._missing, now=self._now)))
            await self._look_back()
        if self.trouble is not None and not any(await self._ask_for_some(FEW)):
            await self._tell_trouble(self.trouble)
        await self._ask_for_some(self._requests_left)
        return list(self._missing)

    async def _ask_for_some(self, count: int) -> list[bool]:
        """Look at so many tasks by their IDs, and say of each whether the service answered."""
        return await asyncio.gather(*map(self._ask_for, list(self._missing)[:count]))

    async def _look_back(self) -> None:
        """Go back in time for tasks that nobody has seen yet."""
        window = self._chart.before(self._now, now=self._now)
        while window is not None and self._may_list and len(self._chart.unknown(self._missing)) > FEW:
            if window not in self._listed:
                await self._explore(window)
            window = self._chart.before(window.start, now=self._now)
        if window is None:
            for ocr_task_id in self._chart.unknown(self._missing):
                self._chart.learn(ocr_task_id, ())

    @property
    def _may_list(self) -> bool:
        return self._lists_are_of_use and self._requests_left > _KEPT_FOR_STRAGGLERS

    async def _explore(self, window: Window) -> None:
        """Ask for a window, and for its parts where it has more tasks than an answer."""
        if not self._may_list:
            return
        self._requests_left -= 1
        try:
            known = {ocr_task_id: self._chart.last(ocr_task_id) for ocr_task_id in self._missing}
            page = await self._call(lambda client: _listing(client, window, known, self._now))
        except OcrError as error:
            self._lists_are_of_use = False
            if isinstance(error, RequestRejectedError):
                self.lists_answered = self.lists_answered or False
            if not _is_answer(error):
                self.trouble = error
            return
        self.answered = self.lists_answered = True
        parts = None
        if len(page.rows) >= LIST_LIMIT:
            parts = window.cut(page.rows)
        if parts is None:
            self._listed.add(self._chart.count(window, len(page.rows)))
        else:
            self._chart.cut(window, parts)
        await self._tell_found(page.found)
        worthwhile = [part for part in parts or () if self._chart.may_show(part, self._missing)]
        await asyncio.gather(*map(self._explore, worthwhile if self._missing else ()))

    async def _ask_for(self, ocr_task_id: str) -> bool:
        """Look at one task by its ID; whether the service answered."""
        try:
            observation: Observation = await self._call(lambda client: client.get_task_status(ocr_task_id))
        except OcrError as error:
            observation = error
        is_answered = _is_answer(observation)
        if isinstance(observation, OcrTask):
            self._chart.see(replace(observation, id=ocr_task_id, result_urls=(), extra=()))
        elif not is_answered:
            self.trouble = observation
        self.answered |= is_answered
        self._tell_one(ocr_task_id, observation)
        return is_answered

    async def _tell_found(self, found: Sequence[OcrTask]) -> None:
        for place, task in enumerate(found, start=1):
            if task.id in self._missing:
                self._chart.see(task)
                self._tell_one(task.id, task)
            await _let_others_work(place)

    async def _tell_trouble(self, trouble: OcrError) -> None:
        for place, ocr_task_id in enumerate(list(self._missing), start=1):
            self._tell_one(ocr_task_id, trouble)
            await _let_others_work(place)

    def _tell_one(self, ocr_task_id: str, observation: Observation) -> None:
        del self._missing[ocr_task_id]
        self._tell(ocr_task_id, observation)


def _listing(client: CloudOcrClient, window: Window, known: Mapping[str, OcrTask | None], now: int) -> _Page:
    """Ask for a window.

    Deleted tasks are left out, because all that is landed may be deleted: who waits for one asks by its ID.

    :param known: the tasks that are looked for, as they were seen last. One that has not changed is given
        out as it was then: new objects for thousands of tasks in each interval would have Python search its
        whole memory for garbage again and again, which holds up the event loop.
    """
    rows: list[tuple[int, ...]] = []
    found: list[OcrTask] = []

    def take(task: OcrTask) -> None:
        rows.append(moments_of(task))
        if task.id in known:
            earlier = known[task.id]
            is_same = earlier is not None and _state(earlier) == _state(task)
            found.append(earlier if earlier and is_same else replace(task, result_urls=(), extra=()))

    # The service's clock is not ours: its newest task may seem to come from the future.
    end = max(now, window.start) + _AHEAD if window.is_newest else window.end
    client.scan_tasks(
        take,
        from_date=pendulum.from_timestamp(window.start),
        to_date=pendulum.from_timestamp(end),
        exclude_deleted=True,
    )
    return _Page(rows, found)


async def _let_others_work(told: int) -> None:
    """Who is told goes to work at once; others have their turn in between."""
    if told % _TOLD_AT_ONCE == 0:
        await asyncio.sleep(0)


def _is_answer(observation: Observation) -> bool:
    """Whether the service itself has answered, be it that nobody can read what it said."""
    if isinstance(observation, AuthenticationError):
        return False
    return isinstance(observation, UnreadableAnswerError) or not is_passing(observation)


def _state(task: OcrTask) -> tuple[object, ...]:
    return task.status, task.registration_time, task.status_change_time, task.error
