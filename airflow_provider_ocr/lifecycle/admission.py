# SPDX-License-Identifier: Apache-2.0
"""Whether one more task may be made now: not while the service is busy with enough, nor for too much money.

Both are judged by the service's own list, just before the paid call and after everything that may take up an
earlier task. Whoever submits in the same moment is not seen yet, so a limit may be overshot by as many tasks
as are submitted side by side. What keeps an image from being paid for twice does not depend on any of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pendulum

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.listing import list_window
from airflow_provider_ocr.lifecycle.submission import Prepare, Send, family_mark
from airflow_provider_ocr.protocol.errors import (
    CreditLimitError,
    ParameterRejectedError,
    QuotaExceededError,
    RequestRejectedError,
    TooManyInFlightError,
)
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ServiceStatus, TaskStatus

CREDITS_OF_A_PAGE = 5
"""The price of the smallest document, in the unit of `OcrTask.credits`."""

_LOOK_BACK_HOURS = 24  # clocks differ, and the service keeps tasks no longer
_FREE = frozenset({TaskStatus.PROCESSING_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What holds for one more task.

    :param max_in_flight: how many unfinished tasks the application may have with it; None for any number.
    :param max_credits: what the tasks of its key's family may cost with it; None for any amount.
    """

    max_in_flight: int | None = None
    max_credits: int | None = None

    def require_room(self, tasks: Iterable[OcrTask], key: str) -> None:
        """Refuse one more task if it is one too many, or too expensive.

        :param tasks: those that the application has.
        :param key: of the submission.
        :raises CreditLimitError: if it would cost too much.
        :raises TooManyInFlightError: if there are enough unfinished ones.
        """
        listed = list(tasks)
        if self.max_credits is not None:
            mark = family_mark(key)
            spent = sum(_price(task) for task in listed if mark in (task.description or ""))
            if spent + CREDITS_OF_A_PAGE > self.max_credits:
                raise CreditLimitError(
                    "Nothing was submitted: by the service's list the OCR tasks of this Airflow task have "
                    f"cost, or will cost, {spent} credits, a page costs {CREDITS_OF_A_PAGE} more, and "
                    f"max_credits is {self.max_credits}. Raise it and clear the task."
                )
        if self.max_in_flight is not None and (busy := len(unfinished(listed))) >= self.max_in_flight:
            raise TooManyInFlightError(
                f"Nothing was submitted: the service has {busy} unfinished OCR tasks of this application, "
                f"and max_in_flight is {self.max_in_flight}. There is room once some are finished or deleted."
            )


def unfinished(tasks: Iterable[OcrTask]) -> list[OcrTask]:
    """Those that the service has not finished; one that lacks credits is among them, as it waits there.

    :param tasks: any.
    """
    return [task for task in tasks if task.is_running or task.status == TaskStatus.NOT_ENOUGH_CREDITS]


def recent_tasks(client: CloudOcrClient, now: pendulum.DateTime) -> list[OcrTask]:
    """The application's tasks of the last day, each once; at least one request for each thousand of them.

    :param client: speaks for the application.
    :param now: the present time.
    """
    day = pendulum.duration(hours=_LOOK_BACK_HOURS)
    return list({task.id: task for task in list_window(client, now - day, now + day)}.values())


def admitted(
    prepare: Prepare,
    *,
    client: CloudOcrClient,
    limits: Limits,
    key: str,
    now: Callable[[], pendulum.DateTime] = lambda: pendulum.now("UTC"),
) -> Prepare:
    """An image that is sent only while there is room for it.

    :param prepare: makes the image ready.
    :param client: speaks to the service.
    :param limits: what has to be so.
    :param key: of the submission.
    :param now: the present time.
    """

    def prepare_if_there_is_room() -> Send:
        if limits != Limits():
            limits.require_room(recent_tasks(client, now()), key)
        send = prepare()

        def send_or_tell_of_quota(settings: ProcessingSettings, sent_key: str) -> OcrTask:
            try:
                return send(settings, sent_key)
            except ParameterRejectedError:
                raise
            except RequestRejectedError as refusal:
                if refusal.http_status != ServiceStatus.BAD_PARAMETERS or refusal.ocr_task_id is not None:
                    raise
                raise QuotaExceededError(str(refusal), http_status=refusal.http_status) from None

        return send_or_tell_of_quota

    return prepare_if_there_is_room


def _price(task: OcrTask) -> int:
    """What a task costs as far as is known; the price of an image is told once it was fetched."""
    if task.status in _FREE:
        return 0
    known = task.credits or 0
    return max(known, CREDITS_OF_A_PAGE) if task.status != TaskStatus.DELETED else known
