# SPDX-License-Identifier: Apache-2.0
"""SubmissionGateTrigger: waits in the triggerer until the service has room for one more OCR task.

It holds no secret, and spends nothing: the worker that goes on looks again before it submits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pendulum
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.protocol.errors import ConnectionFailedError, ServerError
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.submitting import TROUBLE


class SubmissionGateTrigger(BaseTrigger):
    """Fires once there is room, or the deadline has come.

    The event is ``{"waited": "room"}``, ``"deadline"``, or ``"trouble"`` where the service could not be
    asked; then the worker meets the same trouble, and can fail with it.

    :param max_in_flight: how many unfinished OCR tasks the application may have.
    :param deadline: when waiting ends, ISO 8601 with time zone; it stays the same if the triggerer restarts.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    """

    def __init__(self, *, max_in_flight: int, deadline: str, cloud_ocr_conn_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's base class has no types
        self.max_in_flight = max_in_flight
        self.deadline = deadline
        self.cloud_ocr_conn_id = cloud_ocr_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, all of them plain values."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "max_in_flight": self.max_in_flight,
                "deadline": self.deadline,
                "cloud_ocr_conn_id": self.cloud_ocr_conn_id,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire once."""
        left = (parse_time(self.deadline) - pendulum.now("UTC")).total_seconds()
        try:
            async with asyncio.timeout(max(left, 0.0)):
                await self._wait()
            waited = "room"
        except TimeoutError:
            waited = "deadline"
        except Exception:  # a worker meets the same trouble, and can fail the task with it
            self.log.exception("Room for an OCR task cannot be waited for in the triggerer.")
            waited = TROUBLE
        yield TriggerEvent({"waited": waited})

    async def _wait(self) -> None:
        # The client and its libraries are loaded here, in the triggerer, not where DAG files are parsed.
        from airflow_provider_ocr.lifecycle.gate import LOOK_SECONDS, shared_gate

        connect = CloudOcrHook(self.cloud_ocr_conn_id).aget_conn
        gate = shared_gate(self.cloud_ocr_conn_id, connect, self.max_in_flight)
        while True:
            try:
                await gate.wait()
            except (ConnectionFailedError, ServerError) as error:
                self.log.warning("The service's list could not be had: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return
