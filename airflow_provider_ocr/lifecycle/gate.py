# SPDX-License-Identifier: Apache-2.0
"""Who waits for room at the service is let through in turn, as many at a time as there is room for.

All who wait on one connection share one look at the service's list, which is never made more often than
every five seconds and never takes more than a twentieth of the time. Whoever was let through counts as one
more unfinished task until a new task shows up, or a minute has passed without one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from weakref import WeakKeyDictionary

import pendulum

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.admission import recent_tasks, unfinished

LOOK_SECONDS = 5.0
"""The least time between two looks."""

_SHARE = 20.0
_PATIENCE_SECONDS = 60.0

Connect = Callable[[], Awaitable[CloudOcrClient]]


class Gate:
    """Lets through whoever waits, first come, first served. Get one from `shared_gate`.

    :param connect: makes a client from a fresh look-up of the connection.
    :param max_in_flight: how many unfinished tasks the application may have.
    """

    def __init__(self, connect: Connect, max_in_flight: int) -> None:
        self._connect = connect
        self._max_in_flight = max_in_flight
        self._turn = asyncio.Lock()
        self._room = 0
        self._next_look = 0.0
        self._known: set[str] | None = None
        self._let_through: deque[float] = deque()

    async def wait(self) -> None:
        """Wait until there is room for one more task.

        :raises OcrError: if the service cannot say what it has.
        """
        clock = asyncio.get_running_loop().time
        async with self._turn:
            while True:
                if clock() >= self._next_look:
                    await self._look()
                if len(self._let_through) < self._room:
                    self._let_through.append(clock())
                    return
                await asyncio.sleep(max(self._next_look - clock(), 0.0))

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        # However it ends, the next look has to wait.
        self._next_look = began + LOOK_SECONDS
        client = await self._connect()
        try:
            tasks = await asyncio.to_thread(recent_tasks, client, pendulum.now("UTC"))
        finally:
            client.close()
        self._next_look = clock() + max(LOOK_SECONDS, (clock() - began) * _SHARE)
        seen = {task.id for task in tasks}
        for _ in seen - (seen if self._known is None else self._known):
            if self._let_through:
                self._let_through.popleft()
        while self._let_through and self._let_through[0] <= began - _PATIENCE_SECONDS:
            self._let_through.popleft()
        self._known = seen
        self._room = self._max_in_flight - len(unfinished(tasks))


_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Gate]] = WeakKeyDictionary()


def shared_gate(key: Hashable, connect: Connect, max_in_flight: int) -> Gate:
    """The gate of the running event loop for a connection and a limit; made if there is none.

    :param key: the connection's ID.
    :param connect: makes the client that a new gate asks by.
    :param max_in_flight: how many unfinished tasks the application may have.
    """
    gates = _gates.setdefault(asyncio.get_running_loop(), {})
    return gates.setdefault((key, max_in_flight), Gate(connect, max_in_flight))
