# SPDX-License-Identifier: Apache-2.0
"""One poll loop per connection and event loop, shared by all who wait on that connection.

Who waits opens a watch on a task and awaits its looks. Looks that are due at about the same time become one
survey, which lists many tasks with one request. The loop has one client, makes at most four calls at once,
in threads of its own, and does not look at the same task twice within two seconds. Nobody waits for a call
that is about others' tasks. It only reads; it persists nothing; it ends with the last watch.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager, suppress
from weakref import WeakKeyDictionary

from airflow_provider_ocr.client.pauses import pause_before_retry
from airflow_provider_ocr.lifecycle.line import Connect, Line
from airflow_provider_ocr.lifecycle.list_refusals import ListRefusals
from airflow_provider_ocr.lifecycle.survey import Survey
from airflow_provider_ocr.lifecycle.verdict import Observation
from airflow_provider_ocr.lifecycle.waiting import News, Question, WaitingTask
from airflow_provider_ocr.lifecycle.windows import Chart

_SPREAD = 0.1
_BETWEEN_SURVEYS = 1.0


class Poller:
    """Looks at tasks for whoever watches them. Get one from `shared_poller`.

    :param connect: makes a client from a fresh look-up of the connection.
    """

    def __init__(self, connect: Connect) -> None:
        self._line = Line(connect)
        self._tasks: dict[str, WaitingTask] = {}
        self._chart = Chart()
        self._list_refusals = ListRefusals()
        self._changed = asyncio.Event()
        self._alarm = float("inf")
        self._quiet_until = 0.0
        self._troubles = 0
        self._loop: asyncio.Task[None] | None = None
        self._surveys: set[asyncio.Task[None]] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nobody watches."""
        return not self._tasks

    @asynccontextmanager
    async def watch(self, ocr_task_id: str) -> AsyncIterator[Watch]:
        """A watch on one task, for as long as the block lasts.

        :param ocr_task_id: the task's ID.
        """
        task = self._tasks.setdefault(ocr_task_id, WaitingTask(ocr_task_id))
        task.watches += 1
        if self._loop is None:
            # A context of its own: otherwise this loop's log lines land in the file of whoever came first.
            self._loop = asyncio.create_task(self._run(), context=contextvars.Context())
        try:
            yield Watch(self, task)
        finally:
            task.watches -= 1
            if not task.watches:
                del self._tasks[ocr_task_id]
                self._chart.forget(ocr_task_id)
            if not self._tasks:
                await self._stop()

    def schedule(
        self, task: WaitingTask, delay: float, seen: News | None, patience: float
    ) -> asyncio.Future[Observation]:
        """What a look gives at a task.

        :param task: the task.
        :param delay: as of `Watch.look`.
        :param seen: as of `Watch.look`.
        :param patience: as of `Watch.look`.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Observation] = loop.create_future()
        now = loop.time()
        task.ask(Question(answer=answer, delay=delay, seen=seen, until=now + patience), now=now)
        if task.due < self._alarm:
            self._changed.set()
        return answer

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        # A random lateness, so that many triggerers do not come to the service at the same moment.
        spread = random.uniform(0.0, _SPREAD)  # noqa: S311 - no secret
        while True:
            self._changed.clear()
            idle = [task for task in self._tasks.values() if task.is_ready]
            due = min((task.due + spread * task.delay for task in idle), default=float("inf"))
            self._alarm = max(due, self._quiet_until)
            pause = self._alarm - clock()
            if pause > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), None if pause == float("inf") else pause)
                continue
            # Who would be looked at soon after comes along, so that from then on all come together.
            ready = sorted((task for task in idle if task.early <= clock()), key=lambda task: task.last_look)
            survey = asyncio.create_task(self._survey({task.ocr_task_id: task for task in ready}))
            self._surveys.add(survey)
            survey.add_done_callback(self._surveys.discard)
            for task in ready:
                task.begin_look()
            spread = random.uniform(0.0, _SPREAD)  # noqa: S311 - no secret
            # Those who begin to wait one after the other are gathered meanwhile.
            self._quiet_until = max(self._quiet_until, clock() + _BETWEEN_SURVEYS)

    async def _survey(self, tasks: dict[str, WaitingTask]) -> None:
        """Look at these tasks, each once."""
        clock = asyncio.get_running_loop().time

        def tell(ocr_task_id: str, observation: Observation | Exception) -> None:
            tasks.pop(ocr_task_id).end_look(observation, now=clock())
            if ocr_task_id not in self._tasks:
                self._chart.forget(ocr_task_id)  # who waited for it has left meanwhile

        survey = Survey(
            call=self._line.call,
            chart=self._chart,
            wanted=tasks,
            tell=tell,
            lists=self._list_refusals.may_list(),
        )
        try:
            for ocr_task_id in await survey.make():
                tasks.pop(ocr_task_id).put_off(now=clock())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait
            for ocr_task_id in list(tasks):
                tell(ocr_task_id, error)
        finally:
            self._changed.set()
        self._list_refusals.note(answered=survey.lists_answered)
        self._rest(survey)

    def _rest(self, survey: Survey) -> None:
        """Leave the service alone for a while when all that it gives is trouble, or when it asks for it."""
        if survey.trouble is None:
            self._troubles = 0
            return
        self._troubles = 0 if survey.answered else self._troubles + 1
        asked = getattr(survey.trouble, "retry_after", None)
        pause = pause_before_retry(self._troubles, asked, random.random())  # noqa: S311 - jitter
        self._quiet_until = max(self._quiet_until, asyncio.get_running_loop().time() + pause)

    async def _stop(self) -> None:
        loop, self._loop = self._loop, None
        for task in filter(None, (loop, *self._surveys)):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self._line.close()


class Watch:
    """One watcher's view of one task.

    :param poller: looks at the task.
    :param task: the task.
    """

    def __init__(self, poller: Poller, task: WaitingTask) -> None:
        self._poller = poller
        self._task = task

    async def look(self, delay: float, *, seen: News | None = None, patience: float = 0.0) -> Observation:
        """What the next look gives, which is made in about ``delay`` seconds, at least two.

        :param delay: seconds from now, and between looks.
        :param seen: what is no news, as of `news_of`: a look that tells it is followed by another after
            the same delay.
        :param patience: seconds after which a look is given whatever it is.
        :raises Exception: whatever kept the connection from being looked up.
        """
        return await self._poller.schedule(self._task, delay, seen, patience)


_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Poller]] = WeakKeyDictionary()


def shared_poller(key: Hashable, connect: Connect) -> Poller:
    """The poller of the running event loop for ``key``, a connection's ID; made if there is none in use.

    :param key: a connection's ID.
    :param connect: makes the client that a new poller asks by.
    """
    pollers = _pollers.setdefault(asyncio.get_running_loop(), {})
    poller = pollers.get(key)
    if poller is None or poller.is_idle:
        poller = pollers[key] = Poller(connect)
    return poller
