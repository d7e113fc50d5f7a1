# SPDX-License-Identifier: Apache-2.0
"""Starting a task again that was suspended for lack of credits: when, and with what.

Each task has its turn once an interval, at a moment of its own, so that a thousand of them do not all come
at the same time. Nobody needs to remember the last attempt: whoever has made one waits for the next turn
that is at least half an interval away.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace

import pendulum

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.verdict import Observation
from airflow_provider_ocr.protocol.errors import OcrError, ParameterRejectedError, RequestRejectedError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus

_log = logging.getLogger(__name__)


def next_turn(ocr_task_id: str, interval: float, now: pendulum.DateTime) -> pendulum.DateTime:
    """When to try to start a task again: half an interval from now, or up to an interval later.

    :param ocr_task_id: the suspended task.
    :param interval: seconds between two attempts.
    :param now: the present time.
    """
    earliest = now.add(seconds=interval / 2)
    return earliest.add(seconds=interval - _since_turn(ocr_task_id, interval, earliest))


def is_turn(ocr_task_id: str, interval: float, now: pendulum.DateTime) -> bool:
    """Whether a turn came in the last half of an interval: for who began to look again at that turn.

    :param ocr_task_id: the suspended task.
    :param interval: seconds between two attempts.
    :param now: the present time.
    """
    return _since_turn(ocr_task_id, interval, now) < interval / 2


def turn_left(ocr_task_id: str, interval: float, now: pendulum.DateTime) -> float:
    """Seconds for which `is_turn` stays true: who has tried already looks again after them.

    :param ocr_task_id: the suspended task.
    :param interval: seconds between two attempts.
    :param now: the present time.
    """
    return max(interval / 2 - _since_turn(ocr_task_id, interval, now), 0.0)


def resume(client: CloudOcrClient, task: OcrTask, settings: ProcessingSettings) -> Observation:
    """Start a suspended task again (``processDocument``), and give what it is then.

    Look at it just before: one that somebody else has started meanwhile, and that is completed by now, would
    be recognised, and paid for, a second time.

    :param client: speaks for the application that made the task.
    :param task: as it was seen just now.
    :param settings: those that it was submitted with; it keeps the description that it has.
    """
    description = task.description or settings.description
    try:
        return client.process_document(task.id, replace(settings, description=description))
    except RequestRejectedError as refusal:
        _log.warning("OCR task %s was not started again: %s", task.id, refusal)
        found = _look(client, task.id)
        suspended = isinstance(found, OcrTask) and found.status == TaskStatus.NOT_ENOUGH_CREDITS
        # Unless somebody else was quicker, what the service names as wrong will be wrong the next time, too.
        return refusal if suspended and isinstance(refusal, ParameterRejectedError) else found
    except OcrError as error:
        return error


def _look(client: CloudOcrClient, ocr_task_id: str) -> Observation:
    try:
        return client.get_task_status(ocr_task_id)
    except OcrError as error:
        return error


def _since_turn(ocr_task_id: str, interval: float, moment: pendulum.DateTime) -> float:
    """Seconds that have passed since the task's latest turn."""
    own = int.from_bytes(hashlib.sha256(ocr_task_id.encode()).digest()[:8]) / 2**64
    return (moment.timestamp() - own * interval) % interval
