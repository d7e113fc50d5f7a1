# SPDX-License-Identifier: Apache-2.0
"""All tasks of a window of time, however many: an answer of ``listTasks`` ends at 1,000 and has no pages."""

from __future__ import annotations

import pendulum

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.windows import LIST_LIMIT, Window, moments_of
from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import render_time


def list_window(
    client: CloudOcrClient,
    start: pendulum.DateTime,
    end: pendulum.DateTime,
    *,
    exclude_deleted: bool = False,
) -> list[OcrTask]:
    """All tasks of a window: one whose answer is full, and so perhaps cut short, is cut in two.

    :param client: speaks for the application whose tasks are listed.
    :param start: the window's first second.
    :param end: the window's last second.
    :param exclude_deleted: leave deleted tasks out.
    :raises UnreadableAnswerError: if a single second holds more than one answer can.
    """
    tasks = client.list_tasks(from_date=start, to_date=end, exclude_deleted=exclude_deleted)
    if len(tasks) < LIST_LIMIT:
        return tasks
    parts = Window(start.int_timestamp, end.int_timestamp).cut([moments_of(task) for task in tasks])
    if parts is None:
        raise UnreadableAnswerError(
            f"listTasks: {LIST_LIMIT:,} tasks or more in the second {render_time(start)}, and no answer "
            "shows more; whatever else happened in it can only be asked for by its OCR task ID."
        )
    return [
        task
        for part in parts
        for task in list_window(
            client,
            pendulum.from_timestamp(part.start),
            pendulum.from_timestamp(part.end),
            exclude_deleted=exclude_deleted,
        )
    ]
