# SPDX-License-Identifier: Apache-2.0
"""A transport and a client that speak to the scripted server, and pauses that are noted instead of made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.network import Network, Timeouts
from airflow_provider_ocr.client.transport import Transport

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

NETWORK = {"timeouts", "verify", "proxy"}
IMPATIENT = Timeouts(connect=2.0, read=0.3)


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that were to be waited, in their order."""
    return []


@pytest.fixture
def make_transport(server: ScriptedServer, pauses: list[float]) -> Iterator[Callable[..., Transport]]:
    """Makes transports to the scripted server; what is not given is harmless."""
    made = []

    def make(**given: Any) -> Transport:
        defaults = {"base_url": server.url, "application_id": "my app", "password": "pass/word"}
        network = Network(**{"timeouts": IMPATIENT, **{k: given.pop(k) for k in NETWORK & given.keys()}})
        made.append(Transport(**{**defaults, "network": network, "sleep": pauses.append, **given}))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def client(server: ScriptedServer) -> Iterator[CloudOcrClient]:
    with CloudOcrClient(
        base_url=server.url, application_id="my app", password="pass/word", timeouts=IMPATIENT
    ) as client:
        yield client
