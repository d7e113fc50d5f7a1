# SPDX-License-Identifier: Apache-2.0
"""What a task's state means for whoever waits for it. One pure function, the same in every mode.

A status beats the deadline: a task that is found Completed late has still succeeded. Trouble on the way
to the service says nothing about the task, which is paid for and goes on without us; so it is waited out
until the deadline, and is no reason to skip after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pendulum

from airflow_provider_ocr.protocol.errors import (
    WHEN_GONE,
    ConnectionFailedError,
    NotEnoughCreditsError,
    OcrError,
    RequestRejectedError,
    ServerError,
    TaskDeletedError,
    TaskFailedError,
    UnreadableAnswerError,
    WaitTimeoutError,
)
from airflow_provider_ocr.protocol.redaction import quoted
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ServiceStatus, TaskStatus, require_value

RESUME_INTERVAL = 15 * 60.0
"""Seconds, on average, between two attempts to start a task again that lacks credits."""

OLD_HOURS = 18.0
"""Age at which results are worth a warning: they are deleted about 24 h after processing."""

Observation = OcrTask | OcrError
"""What one look at a task gave: its state, or why that could not be learned."""

_PASSING = (ConnectionFailedError, ServerError, UnreadableAnswerError)
_SOFT = (WaitTimeoutError, TaskFailedError, TaskDeletedError, NotEnoughCreditsError)


class Outcome(StrEnum):
    """What whoever waits does next."""

    WAIT = "wait"
    SUCCEED = "succeed"
    SKIP = "skip"
    FAIL = "fail"
    RESUME = "resume"


class OnNotEnoughCredits(StrEnum):
    """What to do about a task that is suspended for lack of credits."""

    FAIL = "fail"
    WAIT = "wait"
    RESUME = "resume"

    @classmethod
    def parse(cls, text: str) -> OnNotEnoughCredits:
        """The one that ``text`` names.

        :param text: what was written, in any case.
        :raises InvalidParameterError: if it names none.
        """
        return require_value(cls, str(text), parameter="on_not_enough_credits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the DAG author wants done about failures.

    :param soft_fail: skip where the task failed, is gone, lacks credits, or took too long.
    :param never_fail: skip whatever the failure.
    :param on_not_enough_credits: whether a task that lacks credits has failed, is waited for, or is to be
        started again.
    """

    soft_fail: bool = False
    never_fail: bool = False
    on_not_enough_credits: OnNotEnoughCredits = OnNotEnoughCredits.FAIL


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, and the error behind it where it is SKIP or FAIL.

    :param outcome: what to do.
    :param error: why, where it is SKIP or FAIL.
    """

    outcome: Outcome
    error: OcrError | None = None


def judge(
    observation: Observation,
    *,
    ocr_task_id: str,
    policy: Policy,
    deadline: pendulum.DateTime,
    now: pendulum.DateTime,
) -> Verdict:
    """Decide what an observation means.

    :param observation: what the last look gave.
    :param ocr_task_id: the task that is waited for; errors name it.
    :param policy: what to do about failures.
    :param deadline: when waiting ends.
    :param now: the present time.
    """
    if isinstance(observation, OcrTask) and observation.status == TaskStatus.COMPLETED:
        return Verdict(Outcome.SUCCEED)
    error = _failure(observation)
    suspended = isinstance(error, NotEnoughCreditsError)
    if error is None or (suspended and policy.on_not_enough_credits != OnNotEnoughCredits.FAIL):
        if now < deadline:
            resume = suspended and policy.on_not_enough_credits == OnNotEnoughCredits.RESUME
            return Verdict(Outcome.RESUME if resume else Outcome.WAIT)
        error = _too_late(observation, ocr_task_id)
    error.ocr_task_id = ocr_task_id
    # Who asks for skipping tasks that fail does not ask for days without an answer to pass unnoticed.
    soft = policy.soft_fail and isinstance(error, _SOFT) and not is_passing(observation)
    return Verdict(Outcome.SKIP if policy.never_fail or soft else Outcome.FAIL, error)


def is_passing(observation: Observation) -> bool:
    """Whether this is trouble on the way to the service, which says nothing about the task.

    A refusal other than the service's own 450 is made by what stands in between: a proxy, a gateway, a
    firewall.

    :param observation: what the last look gave.
    """
    if isinstance(observation, RequestRejectedError):
        return observation.http_status != ServiceStatus.BAD_PARAMETERS
    return isinstance(observation, _PASSING)


def aging(task: OcrTask, now: pendulum.DateTime) -> str | None:
    """A warning where a completed task's results will soon be deleted, else None.

    :param task: as the service told it last.
    :param now: the present time.
    """
    if task.status != TaskStatus.COMPLETED or task.status_change_time is None:
        return None
    hours = (now - task.status_change_time).total_seconds() / 3600
    if hours < OLD_HOURS:
        return None
    return (
        f"OCR task {task.id}: its results are {hours:.0f} h old; land them now, the service deletes them "
        "about 24 h after processing."
    )


def failure_of(task: OcrTask) -> OcrError | None:
    """Why a task that has stopped has no results; None while it runs and when it is completed.

    :param task: as the service told it last.
    """
    if task.status == TaskStatus.PROCESSING_FAILED:
        reason = quoted(task.error or "") or "the service gave no reason."
        return TaskFailedError(f"OCR task {task.id} failed: {reason}", ocr_task_id=task.id)
    if task.status == TaskStatus.DELETED:
        return TaskDeletedError(f"OCR task {task.id} is deleted. {WHEN_GONE}", ocr_task_id=task.id)
    if task.status == TaskStatus.NOT_ENOUGH_CREDITS:
        return NotEnoughCreditsError(
            f"OCR task {task.id} waits for credits: top the application up, then start the task again "
            "with processDocument.",
            ocr_task_id=task.id,
        )
    return None


def _failure(observation: Observation) -> OcrError | None:
    if isinstance(observation, OcrTask):
        return failure_of(observation)
    return None if is_passing(observation) else observation


def _too_late(observation: Observation, ocr_task_id: str) -> OcrError:
    if isinstance(observation, OcrTask):
        state = f"it is still {quoted(observation.status)}"
    else:
        state = f"its state is not known: {observation}"
    return WaitTimeoutError(
        f"OCR task {ocr_task_id} did not end in time; {state}. It goes on at the service, and its results "
        "can still be had: clear this task to wait again."
    )
