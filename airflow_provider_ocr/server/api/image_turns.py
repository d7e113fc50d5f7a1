# SPDX-License-Identifier: Apache-2.0
"""Turns of the requests that open images: however slow they are, no other request waits for them.

They have threads of their own, and one application has a part of these at most; who waits for a turn is a
coroutine and holds no thread.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

_THREADS = 12
_THREADS_OF_APPLICATION = 4

Result = TypeVar("Result")


class ImageTurns:
    """The threads in which images are opened. It belongs to one event loop."""

    def __init__(self) -> None:
        # As many as there are applications; only who has logged in gets here.
        self._turns: dict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(_THREADS_OF_APPLICATION)
        )

    @cached_property
    def _threads(self) -> CapacityLimiter:
        return CapacityLimiter(_THREADS)  # which needs the event loop, and there is none at the start

    async def run(self, application: str, function: Callable[[], Result]) -> Result:
        """What a function returns that is called in a thread when it is its application's turn."""
        async with self._turns[application]:
            return await to_thread.run_sync(function, limiter=self._threads)
