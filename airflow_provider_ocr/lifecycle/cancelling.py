# SPDX-License-Identifier: Apache-2.0
"""Cancelling: deletes an OCR task for whose result nobody waits any more, and only before anything is done.

What is recognised, or about to be, has been or will be paid for; its result is left for whoever asks later.
"""

from __future__ import annotations

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.vocabulary import TaskStatus

CANCELLABLE = frozenset({TaskStatus.SUBMITTED, TaskStatus.QUEUED, TaskStatus.NOT_ENOUGH_CREDITS})


def cancel(client: CloudOcrClient, ocr_task_id: str) -> str:
    """Delete the task unless it is being processed or has ended, and say what was done.

    Between the look and the deletion the service may begin the task, which then refuses to be deleted, or
    even complete it; there is no call that does both at once.

    :param client: speaks to the service.
    :param ocr_task_id: the task.
    :raises OcrError: if the service cannot be asked, or refuses.
    """
    status = client.get_task_status(ocr_task_id).status
    if status not in CANCELLABLE:
        return f"OCR task {ocr_task_id}: not deleted, because it is {status} already."
    client.delete_task(ocr_task_id)
    return f"OCR task {ocr_task_id}: deleted, because the Airflow task was killed; it was {status}."
