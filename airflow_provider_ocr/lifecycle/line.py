# SPDX-License-Identifier: Apache-2.0
"""An event loop's line to the service: one client for all, and at most four calls at once, in own threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import AuthenticationError

CLIENT_LIFETIME = 300.0
"""Seconds after which the connection is looked up again."""

_CALLS_AT_ONCE = 4

_Answer = TypeVar("_Answer")
Connect = Callable[[], Awaitable[CloudOcrClient]]


class Line:
    """Makes calls with a client that is renewed when it is old, or refused.

    :param connect: makes a client from a fresh look-up of the connection.
    """

    def __init__(self, connect: Connect) -> None:
        self.lists = True
        self._connect = connect
        self._client: CloudOcrClient | None = None
        self._client_expires = 0.0
        self._connecting = asyncio.Lock()
        self._executor = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="cloud-ocr-poll")

    async def call(self, ask: Callable[[CloudOcrClient], _Answer], /) -> _Answer:
        """What a client answers, asked in a thread.

        :param ask: is given the client, in a thread.
        :raises OcrError: if the service gave no answer.
        :raises Exception: whatever kept the connection from being looked up.
        """
        loop = asyncio.get_running_loop()
        client = await self._connected()
        try:
            return await loop.run_in_executor(self._executor, ask, client)
        except AuthenticationError:
            # The password may have been changed since the connection was looked up.
            fresh = await self._connected(refused=client)
            return await loop.run_in_executor(self._executor, ask, fresh)

    def close(self) -> None:
        """Let the threads end with the calls that they are at, and close the client."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def _connected(self, *, refused: CloudOcrClient | None = None) -> CloudOcrClient:
        """The client that all share; a fresh one where it is old, or the one that was refused."""
        async with self._connecting:
            now = asyncio.get_running_loop().time()
            client = self._client
            if client is None or client is refused or now >= self._client_expires:
                client = self._client = await self._connect()
                self._client_expires = now + CLIENT_LIFETIME
                # Another server may stand behind the connection now, which knows listTasks.
                self.lists = True
            return client
