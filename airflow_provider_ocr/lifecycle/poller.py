# SPDX-License-Identifier: Apache-2.0
"""One poll loop per connection and event loop, shared by all who wait on that connection.

Who waits opens a watch on a task and awaits its looks. The loop has one client, makes at most four calls
at once, in threads of its own, and does not ask for the same task twice within two seconds, but for once
more with fresh credentials. It only reads; it persists nothing; it ends with the last watch.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from weakref import WeakKeyDictionary

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.verdict import Observation
from airflow_provider_ocr.protocol.errors import AuthenticationError, OcrError
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL

_CALLS_AT_ONCE = 4
_CLIENT_LIFETIME = 300.0

_log = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[CloudOcrClient]]


class Poller:
    """Looks at tasks for whoever watches them. Get one from `shared_poller`.

    :param connect: makes a client from a fresh look-up of the connection.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._client: CloudOcrClient | None = None
        self._client_expires = 0.0
        self._connecting = asyncio.Lock()
        self._due: dict[_Watch, float] = {}
        self._watches = 0
        self._changed = asyncio.Event()
        self._executor = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="cloud-ocr-poll")
        self._loop: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody watches."""
        return self._watches == 0

    @asynccontextmanager
    async def watch(self, ocr_task_id: str) -> AsyncIterator[_Watch]:
        """A watch on one task, for as long as the block lasts.

        :param ocr_task_id: the task's ID.
        """
        watch = _Watch(self, ocr_task_id)
        self._watches += 1
        if self._loop is None:
            # A context of its own: otherwise this loop's log lines land in the file of whoever came first.
            self._loop = asyncio.create_task(self._run(), context=contextvars.Context())
        try:
            yield watch
        finally:
            self._watches -= 1
            self._due.pop(watch, None)
            if self._watches == 0:
                await self._stop()

    def schedule(self, watch: _Watch, delay: float) -> None:
        """Look for this watch in so many seconds, at least two.

        :param watch: the watch.
        :param delay: seconds from now.
        """
        self._due[watch] = asyncio.get_running_loop().time() + max(delay, SHORTEST_POLL_INTERVAL)
        self._changed.set()

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            self._changed.clear()
            pause = min(self._due.values(), default=float("inf")) - clock()
            if pause > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), None if pause == float("inf") else pause)
                continue
            tasks = {watch.ocr_task_id for watch, due in self._due.items() if due <= clock()}
            # Whoever else watches such a task gets this look too, so that it is not asked for again soon.
            ready = [watch for watch in self._due if watch.ocr_task_id in tasks]
            for watch in ready:
                del self._due[watch]
            await self._look(ready)
            # A call may have gone out late, and who came meanwhile counts from before it.
            earliest = clock() + SHORTEST_POLL_INTERVAL
            for watch, due in self._due.items():
                if watch.ocr_task_id in tasks:
                    self._due[watch] = max(due, earliest)

    async def _look(self, watches: list[_Watch]) -> None:
        """Look at the tasks of these watches, each task once."""
        tasks = sorted({watch.ocr_task_id for watch in watches})
        try:
            client = await self._connected()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait
            for watch in watches:
                watch.deliver(error)
            return
        looks = (self._look_at(client, ocr_task_id) for ocr_task_id in tasks)
        found = await asyncio.gather(*looks, return_exceptions=True)
        observations = dict(zip(tasks, found, strict=True))
        for watch in watches:
            watch.deliver(observations[watch.ocr_task_id])

    async def _look_at(self, client: CloudOcrClient, ocr_task_id: str) -> Observation:
        try:
            try:
                return await self._ask(client, ocr_task_id)
            except AuthenticationError:
                # The password may have been changed since the connection was looked up.
                return await self._ask(await self._connected(refused=client), ocr_task_id)
        except OcrError as error:
            return error

    async def _ask(self, client: CloudOcrClient, ocr_task_id: str) -> Observation:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, client.get_task_status, ocr_task_id)

    async def _connected(self, *, refused: CloudOcrClient | None = None) -> CloudOcrClient:
        """The client that all share; a fresh one where it is old, or the one that was refused."""
        async with self._connecting:
            now = asyncio.get_running_loop().time()
            client = self._client
            if client is None or client is refused or now >= self._client_expires:
                client = self._client = await self._connect()
                self._client_expires = now + _CLIENT_LIFETIME
            return client

    async def _stop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        self._executor.shutdown(wait=False)
        if self._client is not None:
            self._client.close()


class _Watch:
    """One watcher's view of one task."""

    def __init__(self, poller: Poller, ocr_task_id: str) -> None:
        self.ocr_task_id = ocr_task_id
        self._poller = poller
        self._answer: asyncio.Future[Observation] | None = None

    async def look(self, delay: float) -> Observation:
        """What the next look gives, which is made in ``delay`` seconds, at least two.

        :raises Exception: whatever kept the connection from being looked up.
        """
        self._answer = asyncio.get_running_loop().create_future()
        self._poller.schedule(self, delay)
        return await self._answer

    def deliver(self, observation: Observation | BaseException) -> None:
        """Hand over what a look gave."""
        if self._answer is None or self._answer.done():
            return
        if isinstance(observation, BaseException) and not isinstance(observation, OcrError):
            self._answer.set_exception(observation)
        else:
            self._answer.set_result(observation)


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
