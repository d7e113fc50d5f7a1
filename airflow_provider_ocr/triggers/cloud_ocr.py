# SPDX-License-Identifier: Apache-2.0
"""CloudOcrTaskTrigger: waits for an OCR task in the triggerer, through the poller that all triggers share.

Events and stored arguments hold IDs, a deadline and a status, and nothing that could be a secret.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pendulum
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.verdict import (
    RESUME_INTERVAL,
    Observation,
    OnNotEnoughCredits,
    Outcome,
    Policy,
    aging,
    judge,
)
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL

_ENDED = frozenset({"failed", "success", "skipped", "removed"})
"""States of an Airflow task that no later try follows by itself."""

_SECONDS_TO_CANCEL = 120.0
"""A triggerer's first question to Airflow starts an API server in it: seconds, 25 seen on a busy machine."""

_at_work: set[asyncio.Task[None]] = set()
"""Cancellations that are under way: Airflow may stop waiting for one, and an event loop holds no task."""


class CloudOcrTaskTrigger(BaseTrigger):
    """Fires once the OCR task is done, failed, gone, or late.

    The event is ``{"ocr_task_id": ..., "status": ...}``. The status is the service's word, or None where the
    task's state could not be learned; then whoever resumes asks again and sees for itself.

    :param ocr_task_id: the OCR task to wait for.
    :param deadline: when waiting ends, ISO 8601 with time zone; it stays the same if the triggerer restarts.
    :param poll_interval: seconds between two looks.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    :param on_not_enough_credits: ``fail`` fires for a task that lacks credits, ``wait`` goes on waiting,
        ``resume`` fires once it is its turn to be started again, which a worker does.
    :param resume_interval: seconds between two such turns.
    :param cancel_on_kill: delete the OCR task if a user ends the Airflow task while it waits here (Airflow
        3.3 and newer) and the service has not begun it.
    """

    def __init__(
        self,
        *,
        ocr_task_id: str,
        deadline: str,
        poll_interval: float,
        cloud_ocr_conn_id: str,
        on_not_enough_credits: str = "fail",
        resume_interval: float = RESUME_INTERVAL,
        cancel_on_kill: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's base class has no types
        self.ocr_task_id = ocr_task_id
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.cloud_ocr_conn_id = cloud_ocr_conn_id
        self.on_not_enough_credits = on_not_enough_credits
        self.resume_interval = resume_interval
        self.cancel_on_kill = cancel_on_kill

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, all of them plain values."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "ocr_task_id": self.ocr_task_id,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
                "cloud_ocr_conn_id": self.cloud_ocr_conn_id,
                "on_not_enough_credits": self.on_not_enough_credits,
                "resume_interval": self.resume_interval,
                "cancel_on_kill": self.cancel_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire once."""
        try:
            status = await self._wait()
        except Exception:  # a worker meets the same trouble, and can fail the task with it
            self.log.exception("OCR task %s: cannot be waited for in the triggerer.", self.ocr_task_id)
            status = None
        yield TriggerEvent({"ocr_task_id": self.ocr_task_id, "status": status})

    async def on_kill(self) -> None:
        """Delete the OCR task, if that is wanted and a user has really ended the Airflow task.

        Airflow (3.3.2) calls this also for a healthy task whose trigger another triggerer has taken over
        (apache/airflow#73454), and for a cleared one, whose next try takes up the OCR task.
        """
        if not self.cancel_on_kill:
            return
        work = asyncio.create_task(self._cancel_unless_needed())
        _at_work.add(work)
        work.add_done_callback(_at_work.discard)
        # Airflow (3.3.2) repeats the cancellation every second for as long as this runs.
        while not work.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([work])

    async def _cancel_unless_needed(self) -> None:
        """Delete the OCR task if no later try will ask for it, and say in the log what became of it."""
        try:
            async with asyncio.timeout(_SECONDS_TO_CANCEL):
                state = await self._airflow_state()
                if state in _ENDED:
                    await self._cancel()
                else:
                    self.log.info(
                        "OCR task %s: not deleted, because the Airflow task is %s and may need it.",
                        self.ocr_task_id,
                        state or "without a state",
                    )
        except Exception:  # nobody could act on it: the Airflow task has ended
            self.log.warning("OCR task %s: not deleted.", self.ocr_task_id, exc_info=True)

    async def _cancel(self) -> None:
        from airflow_provider_ocr.lifecycle.cancelling import cancel

        client = await CloudOcrHook(self.cloud_ocr_conn_id).aget_conn()
        try:
            self.log.info("%s", await asyncio.to_thread(cancel, client, self.ocr_task_id))
        finally:
            client.close()

    async def _airflow_state(self) -> str | None:
        """The state of the Airflow task that waits here, by Airflow's database; a cleared one may have none.

        :raises Exception: if it cannot be learned.
        """
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
        from asgiref.sync import sync_to_async

        ti = self.task_instance
        if ti is None:
            raise RuntimeError("Airflow has not said which of its tasks waits here.")
        # This triggerer may have slept through a takeover, so what it knows itself does not count.
        found = await sync_to_async(RuntimeTaskInstance.get_task_states)(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id], map_index=ti.map_index
        )
        state: str | None
        [state] = found[ti.run_id].values()
        return state

    async def _wait(self) -> str | None:
        """The status with which waiting ends; None where the last look did not give one."""
        # The client and its libraries are loaded here, in the triggerer, not where DAG files are parsed.
        from airflow_provider_ocr.lifecycle.poller import shared_poller
        from airflow_provider_ocr.lifecycle.resuming import next_turn
        from airflow_provider_ocr.lifecycle.waiting import News, news_of

        deadline = parse_time(self.deadline)
        policy = Policy(on_not_enough_credits=OnNotEnoughCredits.parse(self.on_not_enough_credits))
        turn: pendulum.DateTime | None = None
        self.log.info(
            "OCR task %s: the first look comes in %.0f s, as the service asks; then every %.0f s until %s.",
            self.ocr_task_id,
            SHORTEST_POLL_INTERVAL,
            self.poll_interval,
            self.deadline,
        )
        connect = CloudOcrHook(self.cloud_ocr_conn_id).aget_conn
        seen: News | None = None
        async with shared_poller(self.cloud_ocr_conn_id, connect).watch(self.ocr_task_id) as watch:
            delay = SHORTEST_POLL_INTERVAL
            left = (deadline - pendulum.now("UTC")).total_seconds()
            while True:
                observation = await watch.look(delay, seen=seen, patience=left)
                status = str(observation.status) if isinstance(observation, OcrTask) else None
                if (news := news_of(observation)) != seen:
                    self.log.info("OCR task %s: %s", self.ocr_task_id, status or observation)
                    seen = news
                now = pendulum.now("UTC")
                verdict = judge(
                    observation, ocr_task_id=self.ocr_task_id, policy=policy, deadline=deadline, now=now
                )
                if verdict.outcome is Outcome.RESUME:
                    turn = turn or next_turn(self.ocr_task_id, self.resume_interval, now)
                else:
                    turn = None
                if verdict.outcome is not Outcome.WAIT and (turn is None or now >= turn):
                    self._warn_of_age(observation, now)
                    return status
                left = (min(deadline, turn or deadline) - now).total_seconds()
                delay = min(self.poll_interval, max(left, 0.0))

    def _warn_of_age(self, observation: Observation, now: pendulum.DateTime) -> None:
        warning = aging(observation, now) if isinstance(observation, OcrTask) else None
        if warning:
            self.log.warning(warning)
