# SPDX-License-Identifier: Apache-2.0
"""CloudOcrTaskSensor: the second of the three phases. It waits, in whichever mode, with the same verdicts.

Airflow's base sensor treats the same failure differently in poke and in deferred mode; so this one decides
for itself, through `lifecycle.verdict`, and uses the base class only for its arguments.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pendulum
from airflow.providers.common.compat.sdk import BaseOperator, BaseSensorOperator, conf

from airflow_provider_ocr.concealing import PASSWORD, WORDS, ConcealingOperator, Concealment
from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.hooks.cloud_ocr import DEFAULT_CONN_ID, airflow_errors
from airflow_provider_ocr.lifecycle.verdict import RESUME_INTERVAL, OnNotEnoughCredits, Outcome
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL
from airflow_provider_ocr.templates import is_later, seconds
from airflow_provider_ocr.waiting import Waiter, Waiting, policy_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class CloudOcrTaskSensor(ConcealingOperator, BaseSensorOperator):
    """Waits until an OCR task is completed (API method ``getTaskStatus``).

    The XCom return value is the OCR task's ID. A task that failed, was deleted or lacks credits fails the
    sensor, or skips it under ``soft_fail``; so does the timeout. Wrong credentials fail it whatever
    ``soft_fail`` says. Trouble on the way to the service is waited out until the timeout, and fails it then.

    :param ocr_task_id: the OCR task, for example ``submit.output``.
    :param deferrable: wait in the triggerer, without a worker slot; the default is Airflow's
        ``[operators] default_deferrable``.
    :param poke_interval: seconds between two looks, at least 2, in every mode.
    :param timeout: seconds after which to give up, a day by default: the service keeps results no longer.
    :param on_not_enough_credits: what to do about a task that lacks credits: ``fail``, ``wait`` until
        somebody starts it again, or ``resume``, which starts it again now and then; it goes on after a
        top-up.
    :param resume_with: for ``resume``, the settings that the task was submitted with, by the names of
        ProcessRemoteImageOperator's arguments; the service wants to be told them again.
    :param resume_interval: seconds between two attempts to start the task again, 15 minutes by default.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    :raises CloudOcrParameterError: if the settings are missing, or are not the service's.
    """

    template_fields: Sequence[str] = (
        "ocr_task_id",
        "on_not_enough_credits",
        "resume_with",
        "cloud_ocr_conn_id",
    )
    concealed_entries: ClassVar[Mapping[str, Mapping[str, Concealment]]] = {
        "resume_with": {"pdf_password": PASSWORD, "description": WORDS}
    }
    ui_color = "#f2ecd8"

    def __init__(
        self,
        *,
        ocr_task_id: str,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 10.0,
        timeout: timedelta | float = 24 * 3600.0,
        on_not_enough_credits: str = "fail",
        resume_with: Mapping[str, Any] | None = None,
        resume_interval: timedelta | float = RESUME_INTERVAL,
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
        self.on_not_enough_credits = on_not_enough_credits
        self.resume_with = resume_with
        self.resume_interval = seconds("resume_interval", resume_interval, least=SHORTEST_POLL_INTERVAL)
        self.cloud_ocr_conn_id = cloud_ocr_conn_id
        if not is_later(on_not_enough_credits):
            policy = policy_of(on_not_enough_credits)
            if policy.on_not_enough_credits is OnNotEnoughCredits.RESUME and not is_later(resume_with):
                _require_settings(resume_with)

    def execute(self, context: Context) -> str:
        """Wait for the task, here or in the triggerer."""
        started = self._started_at(context)
        deadline = started.add(seconds=self.timeout)
        waiter = self._waiter()
        if self.deferrable:
            waiter.defer(deadline)
        waiter.pause_before_first_look()
        looks = 1
        while (outcome := self._step(waiter, deadline)) is not Outcome.SUCCEED:
            pause = self._get_next_poke_interval(started, partial(_seconds_since, started), looks)
            if self.reschedule:
                if outcome is Outcome.RESUME:
                    pause = self._seconds_to_turn()
                elif waiter.has_started_again:
                    pause = max(pause, self._seconds_of_turn())
                self._reschedule(waiter.until(deadline, pause))
            time.sleep(waiter.until(deadline, pause))
            looks += 1
        return self.ocr_task_id

    def poke(self, context: Context) -> bool:
        """One look: whether the task is completed."""
        deadline = pendulum.now("UTC").add(seconds=self.timeout)
        return self._step(self._waiter(), deadline) is Outcome.SUCCEED

    def resume(self, context: Context, event: dict[str, Any], deadline: str | None = None) -> str:
        """Go on after the trigger: done if it saw the task completed, else look here and decide.

        :param event: what the trigger saw.
        :param deadline: when waiting ends; `DAG.test` hands on nothing but the event, then it begins again.
        """
        self._waiter().go_on(event, deadline, timeout=self.timeout)
        return self.ocr_task_id

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume as an operator does; the base sensor would turn every failure into a skip here.

        :param next_method: the name of the method to go on with.
        :param next_kwargs: its arguments, the trigger's event among them.
        """
        return BaseOperator.resume_execution(self, next_method, next_kwargs, context)

    def _waiter(self) -> Waiter:
        # Whoever renders nothing, as tests of DAGs do, has masked nothing.
        self.mask_secrets()
        policy = policy_of(self.on_not_enough_credits, soft_fail=self.soft_fail, never_fail=self.never_fail)
        if policy.on_not_enough_credits is OnNotEnoughCredits.RESUME:
            _require_settings(self.resume_with)
        waiting = Waiting(
            ocr_task_id=self.ocr_task_id,
            cloud_ocr_conn_id=self.cloud_ocr_conn_id,
            policy=policy,
            poll_interval=self.poke_interval,
            resume_interval=self.resume_interval,
            settings=self._settings,
        )
        return Waiter(self, waiting)

    def _settings(self) -> ProcessingSettings:
        """What the task was submitted with."""
        with airflow_errors():
            given = {name: reveal(value) for name, value in (self.resume_with or {}).items()}
            return ProcessingSettings.parse(**given)

    def _step(self, waiter: Waiter, deadline: pendulum.DateTime) -> Outcome:
        if not self.reschedule:
            return waiter.step(deadline)
        # Each look is made by another process, which knows of no earlier one.
        from airflow_provider_ocr.lifecycle.resuming import is_turn

        return waiter.step(deadline, is_turn=partial(is_turn, self.ocr_task_id, self.resume_interval))

    def _seconds_to_turn(self) -> float:
        from airflow_provider_ocr.lifecycle.resuming import next_turn

        now = pendulum.now("UTC")
        return (next_turn(self.ocr_task_id, self.resume_interval, now) - now).total_seconds()

    def _seconds_of_turn(self) -> float:
        """For how long another process would take it for the task's turn, which has been used."""
        from airflow_provider_ocr.lifecycle.resuming import turn_left

        return turn_left(self.ocr_task_id, self.resume_interval, pendulum.now("UTC"))

    def _reschedule(self, seconds: float) -> None:
        # Airflow 3.0 has it nowhere else, and common-compat does not name it.
        from airflow.exceptions import AirflowRescheduleException

        raise AirflowRescheduleException(pendulum.now("UTC").add(seconds=seconds))

    def _started_at(self, context: Context) -> pendulum.DateTime:
        """When waiting began; in reschedule mode that was in an earlier process."""
        first: datetime | None = None
        if self.reschedule and not self.deferrable:
            first = context["ti"].get_first_reschedule_date(context)
        return pendulum.instance(first) if first else pendulum.now("UTC")


def _require_settings(resume_with: Mapping[str, Any] | None) -> None:
    """Refuse to start a task again by settings that nobody named, or that are not the service's.

    :raises CloudOcrParameterError: if so.
    """
    if not resume_with:
        raise CloudOcrParameterError(
            'resume_with: on_not_enough_credits="resume" needs the settings that the task was submitted '
            "with, for example export_format."
        )
    given = {name: reveal(value) for name, value in resume_with.items()}
    unknown = sorted(given.keys() - ProcessingSettings.__dataclass_fields__.keys())
    if unknown:
        raise CloudOcrParameterError(f"resume_with: {', '.join(unknown)}: not a setting of a submission.")
    with airflow_errors():
        ProcessingSettings.check(is_later=is_later, **given)


def _seconds_since(moment: pendulum.DateTime) -> float:
    return (pendulum.now("UTC") - moment).total_seconds()
