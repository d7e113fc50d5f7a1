# SPDX-License-Identifier: Apache-2.0
"""Cancelling from a worker that is being killed: a signal handler, in which nothing may be waited for.

Airflow calls ``on_kill`` in the middle of whatever the task does, perhaps while it talks to its supervisor,
which cannot be asked for a connection then. So everything that is needed is made ready before.
"""

from __future__ import annotations

import logging

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.protocol.errors import OcrError

_log = logging.getLogger(__name__)


class Cancelling:
    """The readiness to delete one OCR task. Make it where the task is waited for.

    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``; it is looked up at once.
    :param ocr_task_id: the OCR task.
    """

    def __init__(self, cloud_ocr_conn_id: str, ocr_task_id: str) -> None:
        # Imported now: an import in a signal handler may wait for one that it has interrupted.
        from airflow_provider_ocr.lifecycle.cancelling import cancel

        self._cancel = cancel
        self._ocr_task_id = ocr_task_id
        # A client of its own: the other one may be in the middle of a call.
        self._client = CloudOcrHook(cloud_ocr_conn_id).get_conn(read_attempts=1)

    def run(self) -> None:
        """Delete the task if the service has not begun it; a failure is a line in the log."""
        try:
            _log.info("%s", self._cancel(self._client, self._ocr_task_id))
        except OcrError as error:
            _log.warning("OCR task %s: not deleted. %s", self._ocr_task_id, error)
