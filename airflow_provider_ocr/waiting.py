# SPDX-License-Identifier: Apache-2.0
"""How an Airflow task waits for an OCR task: the same looks, verdicts and words in the sensor and operators.

A task that waits in a worker and one that was deferred are judged by the same function. What only a worker
may do, which is to fail the task or to start it again for money, is done here and never in the triggerer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import pendulum
from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException, BaseOperator

from airflow_provider_ocr.exceptions import CloudOcrError, airflow_error
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.verdict import (
    Observation,
    OnNotEnoughCredits,
    Outcome,
    Policy,
    aging,
    judge,
)
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL, TaskStatus
from airflow_provider_ocr.templates import is_later, seconds, switch

if TYPE_CHECKING:
    from airflow_provider_ocr.client.client import CloudOcrClient

_SECONDS = {
    "poll_interval": SHORTEST_POLL_INTERVAL,
    "resume_interval": SHORTEST_POLL_INTERVAL,
    "timeout": 0.0,
}
_SWITCHES = ("wait_for_completion", "deferrable", "cancel_on_kill")
WAITING = (*_SWITCHES, *_SECONDS, "on_not_enough_credits")
"""The names of an operator's arguments that say how to wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is waited for, and how patiently.

    :param ocr_task_id: the OCR task.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    :param policy: what to do about failures.
    :param poll_interval: seconds between two looks.
    :param resume_interval: seconds between two attempts to start a task again that lacks credits.
    :param settings: gives what the task was submitted with; None where it is not to be started again.
    :param failure: makes Airflow's error of a plain one.
    :param cancel_on_kill: whether the trigger deletes the OCR task if a user ends the Airflow task.
    """

    ocr_task_id: str
    cloud_ocr_conn_id: str
    policy: Policy
    poll_interval: float
    resume_interval: float
    settings: Callable[[], ProcessingSettings] | None = None
    failure: Callable[[OcrError], CloudOcrError] = airflow_error
    cancel_on_kill: bool = False


class Waiter:
    """Waits for one OCR task, on behalf of one Airflow task.

    :param operator: the Airflow task; its method ``resume`` is called after the trigger.
    :param waiting: what for.
    """

    def __init__(self, operator: BaseOperator, waiting: Waiting) -> None:
        self._operator = operator
        self._log = operator.log
        self._waiting = waiting
        self._turn: pendulum.DateTime | None = None
        self.has_started_again = False
        """Whether a look has asked the service to start the task again."""

    def stay(self, deadline: pendulum.DateTime) -> None:
        """Wait here until the task is completed.

        :param deadline: when waiting ends.
        """
        self.pause_before_first_look()
        while self.step(deadline) is not Outcome.SUCCEED:
            time.sleep(self.until(deadline, self._waiting.poll_interval))

    def pause_before_first_look(self) -> None:
        """Leave the task alone for as long as the service asks."""
        self._log.info(
            "OCR task %s: the first look comes in %.0f s, as the service asks.",
            self._waiting.ocr_task_id,
            SHORTEST_POLL_INTERVAL,
        )
        time.sleep(SHORTEST_POLL_INTERVAL)

    def until(self, deadline: pendulum.DateTime, pause: float) -> float:
        """Seconds until the next look: the pause, or less, so that one is made at the deadline.

        :param deadline: when waiting ends.
        :param pause: seconds.
        """
        left = (deadline - pendulum.now("UTC")).total_seconds()
        return max(min(pause, left), SHORTEST_POLL_INTERVAL)

    def step(
        self, deadline: pendulum.DateTime, *, is_turn: Callable[[pendulum.DateTime], bool] | None = None
    ) -> Outcome:
        """Look once, and start the task again if it lacks credits and that is its turn.

        :param deadline: when waiting ends.
        :param is_turn: whether it is; by default the turns since the first look that found it so count.
        :return: SUCCEED or WAIT; RESUME where it waits for its next turn.
        :raises CloudOcrError: if it will never be completed.
        :raises AirflowSkipException: if then the Airflow task is to be skipped.
        """
        with self._connected() as client:
            observation = self._look(client)
            outcome = self._judged(observation, deadline)
            if outcome is not Outcome.RESUME or not isinstance(observation, OcrTask):
                self._turn = None
            elif (is_turn or self._has_come)(pendulum.now("UTC")):
                self.has_started_again = True
                outcome = self._judged(self._start_again(client, observation), deadline)
        return outcome

    def defer(self, deadline: pendulum.DateTime) -> NoReturn:
        """Go on waiting in the triggerer.

        :param deadline: when waiting ends.
        """
        # Airflow's trigger classes are half of what importing a sensor costs; parsing DAG files needs none.
        from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger

        waiting = self._waiting
        self._log.info(
            "OCR task %s: deferring until it is done, %s at the latest.",
            waiting.ocr_task_id,
            deadline.isoformat(),
        )
        self._operator.defer(
            trigger=CloudOcrTaskTrigger(
                ocr_task_id=waiting.ocr_task_id,
                deadline=deadline.isoformat(),
                poll_interval=waiting.poll_interval,
                cloud_ocr_conn_id=waiting.cloud_ocr_conn_id,
                on_not_enough_credits=str(waiting.policy.on_not_enough_credits),
                resume_interval=waiting.resume_interval,
                cancel_on_kill=waiting.cancel_on_kill,
            ),
            method_name="resume",
            kwargs={"deadline": deadline.isoformat()},
        )
        raise AssertionError("Airflow's defer always raises.")

    def go_on(self, event: dict[str, Any], deadline: str | None, *, timeout: float) -> None:
        """Go on after the trigger: done if it saw the task completed, else look here and decide.

        :param event: what the trigger saw.
        :param deadline: when waiting ends; `DAG.test` hands on nothing but the event, then it begins again.
        :param timeout: seconds, for that case.
        """
        if event["status"] == TaskStatus.COMPLETED:
            self._log.info("OCR task %s: Completed", self._waiting.ocr_task_id)
            return
        end = parse_time(deadline) if deadline else pendulum.now("UTC").add(seconds=timeout)
        # The trigger fires for a task without credits when its turn has come.
        is_turn = event["status"] == TaskStatus.NOT_ENOUGH_CREDITS
        if self.step(end, is_turn=lambda _: is_turn) is not Outcome.SUCCEED:
            self.defer(end)

    def _connected(self) -> CloudOcrClient:
        try:
            # One attempt: the next look is the retry, and a server that hangs must not eat up the timeout.
            return CloudOcrHook(self._waiting.cloud_ocr_conn_id).get_conn(read_attempts=1)
        except AirflowException as error:
            if self._waiting.policy.never_fail:
                raise self._skipped(error) from None
            raise

    def _skipped(self, error: AirflowException) -> AirflowSkipException:
        # Airflow says that a task was skipped, and not why.
        self._log.warning("Skipped: %s", error)
        return AirflowSkipException(str(error))

    def _look(self, client: CloudOcrClient) -> Observation:
        try:
            observation: Observation = client.get_task_status(self._waiting.ocr_task_id)
        except OcrError as error:
            observation = error
        if isinstance(observation, OcrTask):
            self._log.info("OCR task %s: %s", self._waiting.ocr_task_id, observation.status)
            if warning := aging(observation, pendulum.now("UTC")):
                self._log.warning(warning)
        else:
            self._log.warning("OCR task %s: %s", self._waiting.ocr_task_id, observation)
        return observation

    def _judged(self, observation: Observation, deadline: pendulum.DateTime) -> Outcome:
        verdict = judge(
            observation,
            ocr_task_id=self._waiting.ocr_task_id,
            policy=self._waiting.policy,
            deadline=deadline,
            now=pendulum.now("UTC"),
        )
        if verdict.error is not None:
            error = self._waiting.failure(verdict.error)
            raise self._skipped(error) if verdict.outcome is Outcome.SKIP else error
        return verdict.outcome

    def _has_come(self, now: pendulum.DateTime) -> bool:
        from airflow_provider_ocr.lifecycle.resuming import next_turn

        has_come = self._turn is not None and now >= self._turn
        if self._turn is None or has_come:
            self._turn = next_turn(self._waiting.ocr_task_id, self._waiting.resume_interval, now)
        return has_come

    def _start_again(self, client: CloudOcrClient, task: OcrTask) -> Observation:
        from airflow_provider_ocr.lifecycle.resuming import resume

        if self._waiting.settings is None:
            raise AssertionError("Who does not know the settings does not ask for a resumption.")
        observation = resume(client, task, self._waiting.settings())
        found = observation.status if isinstance(observation, OcrTask) else observation
        self._log.info("OCR task %s lacked credits; asked to start it again: %s", task.id, found)
        return observation


def policy_of(on_not_enough_credits: str, *, soft_fail: bool = False, never_fail: bool = False) -> Policy:
    """What to do about failures, from what a DAG author wrote.

    :param on_not_enough_credits: fail, wait or resume.
    :param soft_fail: skip where the task failed, is gone, lacks credits, or took too long.
    :param never_fail: skip whatever the failure.
    :raises CloudOcrParameterError: for another word.
    """
    try:
        found = OnNotEnoughCredits.parse(on_not_enough_credits)
    except OcrError as error:
        raise airflow_error(error) from None
    return Policy(soft_fail=soft_fail, never_fail=never_fail, on_not_enough_credits=found)


def check_waiting(arguments: Mapping[str, Any]) -> None:
    """Refuse literals that say how to wait, and cannot be meant.

    :param arguments: some or all of an operator's, by name; others are passed over.
    :raises CloudOcrParameterError: for the first of them.
    """
    known = {name: value for name, value in arguments.items() if not is_later(value)}
    for name in _SWITCHES:
        if name in known:
            switch(name, known[name])
    for name, least in _SECONDS.items():
        if name in known:
            seconds(name, known[name], least=least)
    if "on_not_enough_credits" in known:
        policy_of(known["on_not_enough_credits"])
