# SPDX-License-Identifier: Apache-2.0
"""Real clients to the scripted server, made at once or by looking a connection up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.transport import Timeouts

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[CloudOcrClient]:
    with CloudOcrClient(
        base_url=server.url,
        application_id="app",
        password="pass/word",
        timeouts=Timeouts(connect=2.0, read=0.5),
    ) as client:
        yield client


class Connection:
    """Connects to the scripted server, and counts."""

    def __init__(self, server: ScriptedServer) -> None:
        self._server = server
        self.clients: list[CloudOcrClient] = []
        self.times: list[float] = []  # of the look-ups, by the event loop's clock
        self.failures: list[Exception] = []

    async def __call__(self) -> CloudOcrClient:
        await asyncio.sleep(0.5)  # looking a connection up takes a while
        if self.failures:
            raise self.failures.pop(0)
        self.times.append(asyncio.get_running_loop().time())
        password = f"password {len(self.clients)}"
        self.clients.append(
            CloudOcrClient(
                base_url=self._server.url,
                application_id="app",
                password=password,
                timeouts=Timeouts(connect=60.0, read=60.0),
                read_attempts=1,
            )
        )
        return self.clients[-1]


@pytest.fixture
def connect(server: ScriptedServer) -> Iterator[Connection]:
    connection = Connection(server)
    yield connection
    for client in connection.clients:
        client.close()
