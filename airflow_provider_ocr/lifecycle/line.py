# SPDX-License-Identifier: Apache-2.0
"""An event loop's line to the service: one client for all, and at most four calls at once, in own threads.

Where the service refuses the client's password, the connection is looked up afresh and one call tries it,
while the others wait. If that is refused, too, nobody asks for a while: after each wrong password a server
may delay the next one, until calls time out that should have said what is wrong.

A look-up that fails does not matter while the client at hand is taken by the service.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import AuthenticationError

CLIENT_LIFETIME = 300.0
"""Seconds after which the connection is looked up again."""

_CALLS_AT_ONCE = 4
_REFUSAL_LIFETIME = 10.0
_LOOK_UP_PAUSE = 10.0

_Answer = TypeVar("_Answer")
Connect = Callable[[], Awaitable[CloudOcrClient]]

_log = logging.getLogger(__name__)


class Line:
    """Makes calls with a client that is renewed when it is old, or refused.

    :param connect: makes a client from a fresh look-up of the connection.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._client: CloudOcrClient | None = None
        self._client_expires = 0.0
        self._tried: CloudOcrClient | None = None  # that came after a refusal, and that one call has tried
        self._accepted: CloudOcrClient | None = None
        self._refused: CloudOcrClient | None = None
        self._refusal = ""
        self._connecting = asyncio.Lock()
        self._renewing = asyncio.Lock()
        self._executor = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="cloud-ocr-poll")

    async def call(self, ask: Callable[[CloudOcrClient], _Answer], /) -> _Answer:
        """What a client answers, asked in a thread.

        :param ask: is given the client, in a thread.
        :raises AuthenticationError: if the service refuses what the connection has, even freshly looked up.
        :raises OcrError: if the service gave no answer.
        :raises Exception: whatever kept the connection from being looked up.
        """
        client = await self._connected()
        try:
            return await self._ask(client, ask)
        except AuthenticationError:
            pass  # the password may have been changed since the connection was looked up
        async with self._renewing:
            fresh = await self._connected(refused=client)
            if fresh is not self._tried:
                self._tried = fresh
                return await self._ask(fresh, ask)
        return await self._ask(fresh, ask)

    async def _ask(self, client: CloudOcrClient, ask: Callable[[CloudOcrClient], _Answer]) -> _Answer:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._answer, client, ask)
        except AuthenticationError:
            if client is self._client:
                self._client_expires = min(self._client_expires, loop.time() + _REFUSAL_LIFETIME)
            raise

    def _answer(self, client: CloudOcrClient, ask: Callable[[CloudOcrClient], _Answer]) -> _Answer:
        """What the client answers, in a thread; one that was refused meanwhile is not asked."""
        if client is self._refused:
            raise AuthenticationError(self._refusal)
        try:
            answer = ask(client)
        except AuthenticationError as error:
            self._refusal, self._refused = str(error), client
            raise
        self._accepted = client
        return answer

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
            # That one call has tried it already says nothing about a password that was right and is not now.
            is_stale = client is refused and (client is not self._tried or client is self._accepted)
            if client is None or is_stale:
                return await self._look_up()
            if now < self._client_expires:
                return client
            try:
                return await self._look_up()
            except Exception as error:  # whatever it is, it is nothing to who waits while there is a client
                if client is self._refused:
                    raise
                self._client_expires = asyncio.get_running_loop().time() + _LOOK_UP_PAUSE
                _log.warning("The connection was not looked up afresh; the one at hand stays: %s", error)
                return client

    async def _look_up(self) -> CloudOcrClient:
        client = self._client = await self._connect()
        self._client_expires = asyncio.get_running_loop().time() + CLIENT_LIFETIME
        return client
