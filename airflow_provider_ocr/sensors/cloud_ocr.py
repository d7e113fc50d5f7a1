# SPDX-License-Identifier: Apache-2.0
"""CloudOcrTaskSensor: the second of the three phases. It waits, in whichever mode, with the same verdicts.

Airflow's base sensor treats the same failure differently in poke and in deferred mode; so this one decides
for itself, through `lifecycle.verdict`, and uses the base class only for its arguments.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.providers.common.compat.sdk import (
    AirflowSkipException,
    BaseOperator,
    BaseSensorOperator,
    conf,
)

from airflow_provider_ocr.exceptions import airflow_error
from airflow_provider_ocr.hooks.cloud_ocr import DEFAULT_CONN_ID, CloudOcrHook
from airflow_provider_ocr.lifecycle.verdict import Observation, Outcome, Policy, judge
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL, TaskStatus

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class CloudOcrTaskSensor(BaseSensorOperator):
    """Waits until an OCR task is completed (API method ``getTaskStatus``).

    The XCom return value is the OCR task's ID. A task that failed, was deleted or lacks credits fails the
    sensor, or skips it under ``soft_fail``; so does the timeout. Wrong credentials fail it whatever
    ``soft_fail`` says. Trouble on the way to the service is waited out until the timeout.

    :param ocr_task_id: the OCR task, for example ``submit.output``.
    :param deferrable: wait in the triggerer, without a worker slot; the default is Airflow's
        ``[operators] default_deferrable``.
    :param poke_interval: seconds between two looks, at least 2, in every mode.
    :param timeout: seconds after which to give up, a day by default: the service keeps results no longer.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    """

    template_fields: Sequence[str] = ("ocr_task_id", "cloud_ocr_conn_id")
    ui_color = "#f2ecd8"

    def __init__(
        self,
        *,
        ocr_task_id: str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 10.0,
        timeout: timedelta | float = 24 * 3600.0,
        cloud_ocr_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, **kwargs)
        if self.poke_interval < SHORTEST_POLL_INTERVAL:
            raise ValueError(
                f"poke_interval: the service wants at least {SHORTEST_POLL_INTERVAL:.0f} s between looks."
            )
        self.ocr_task_id = ocr_task_id
        self.deferrable = deferrable
        self.cloud_ocr_conn_id = cloud_ocr_conn_id

    def execute(self, context: Context) -> str:
        """Wait for the task, here or in the triggerer."""
        started = self._started_at(context)
        deadline = started.add(seconds=self.timeout)
        if self.deferrable:
            self._defer_until(deadline)
        self.log.info(
            "OCR task %s: the first look comes in %.0f s, as the service asks.",
            self.ocr_task_id,
            SHORTEST_POLL_INTERVAL,
        )
        time.sleep(SHORTEST_POLL_INTERVAL)
        looks = 1
        while not self._is_done(self._look(), deadline):
            pause = self._get_next_poke_interval(started, partial(_seconds_since, started), looks)
            if self.reschedule:
                self._reschedule(pause)
            time.sleep(pause)
            looks += 1
        return self.ocr_task_id

    def poke(self, context: Context) -> bool:
        """One look: whether the task is completed."""
        return self._is_done(self._look(), pendulum.now("UTC").add(seconds=self.timeout))

    def resume(self, context: Context, event: dict[str, Any], deadline: str | None = None) -> str:
        """Go on after the trigger: done if it saw the task completed, else look here and decide.

        :param event: what the trigger saw.
        :param deadline: when waiting ends; `DAG.test` hands on nothing but the event, then it begins again.
        """
        if event["status"] == TaskStatus.COMPLETED:
            self.log.info("OCR task %s: Completed", self.ocr_task_id)
            return self.ocr_task_id
        end = parse_time(deadline) if deadline else pendulum.now("UTC").add(seconds=self.timeout)
        if not self._is_done(self._look(), end):
            self._defer_until(end)
        return self.ocr_task_id

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume as an operator does; the base sensor would turn every failure into a skip here.

        :param next_method: the name of the method to go on with.
        :param next_kwargs: its arguments, the trigger's event among them.
        """
        return BaseOperator.resume_execution(self, next_method, next_kwargs, context)

    def _look(self) -> Observation:
        # One attempt: the next look is the retry, and a server that hangs must not eat up the timeout.
        with CloudOcrHook(self.cloud_ocr_conn_id).get_conn(read_attempts=1) as client:
            try:
                observation: Observation = client.get_task_status(self.ocr_task_id)
            except OcrError as error:
                observation = error
        if isinstance(observation, OcrTask):
            self.log.info("OCR task %s: %s", self.ocr_task_id, observation.status)
        else:
            self.log.warning("OCR task %s: %s", self.ocr_task_id, observation)
        return observation

    def _is_done(self, observation: Observation, deadline: pendulum.DateTime) -> bool:
        """Whether the task is completed; raises what the verdict says if it never will be."""
        verdict = judge(
            observation,
            ocr_task_id=self.ocr_task_id,
            policy=Policy(soft_fail=self.soft_fail, never_fail=self.never_fail),
            deadline=deadline,
            now=pendulum.now("UTC"),
        )
        if verdict.error is not None:
            error = airflow_error(verdict.error)
            raise AirflowSkipException(str(error)) if verdict.outcome is Outcome.SKIP else error
        return verdict.outcome is Outcome.SUCCEED

    def _defer_until(self, deadline: pendulum.DateTime) -> None:
        # Airflow's trigger classes are half of what importing a sensor costs; parsing DAG files needs none.
        from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger

        self.log.info(
            "OCR task %s: deferring until it is done, %s at the latest.",
            self.ocr_task_id,
            deadline.isoformat(),
        )
        self.defer(
            trigger=CloudOcrTaskTrigger(
                ocr_task_id=self.ocr_task_id,
                deadline=deadline.isoformat(),
                poll_interval=self.poke_interval,
                cloud_ocr_conn_id=self.cloud_ocr_conn_id,
            ),
            method_name="resume",
            kwargs={"deadline": deadline.isoformat()},
        )

    def _reschedule(self, seconds: float) -> None:
        from airflow.sdk.exceptions import AirflowRescheduleException

        raise AirflowRescheduleException(pendulum.now("UTC").add(seconds=seconds))

    def _started_at(self, context: Context) -> pendulum.DateTime:
        """When waiting began; in reschedule mode that was in an earlier process."""
        first: datetime | None = None
        if self.reschedule and not self.deferrable:
            first = context["ti"].get_first_reschedule_date(context)
        return pendulum.instance(first) if first else pendulum.now("UTC")


def _seconds_since(moment: pendulum.DateTime) -> float:
    return (pendulum.now("UTC") - moment).total_seconds()
