# SPDX-License-Identifier: Apache-2.0
"""An application's tasks as it may see them: its own, in the API's terms, results behind signed URLs."""

from __future__ import annotations

from collections.abc import Callable

import pendulum

from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api.call import Call, RejectedError
from airflow_provider_ocr.server.api.signing import UrlSigner
from airflow_provider_ocr.server.records.store import Store
from airflow_provider_ocr.server.records.stored_task import StoredTask

_ESTIMATED = frozenset({TaskStatus.QUEUED, TaskStatus.IN_PROGRESS})


class OwnTasks:
    """Finds and shows tasks.

    :param store: where tasks are kept.
    :param signer: signs the URLs of their results.
    :param seconds_until_done: an estimate for a task that is queued or in progress now; at least 1.
    """

    def __init__(
        self, *, store: Store, signer: UrlSigner, seconds_until_done: Callable[[StoredTask], int]
    ) -> None:
        self._store = store
        self._signer = signer
        self._seconds_until_done = seconds_until_done

    def require(self, call: Call) -> StoredTask:
        """The task that ``taskId`` names.

        :raises RejectedError: if the caller has none with this ID.
        """
        wanted = call.require("taskId").strip().lower()
        task = self._store.find(wanted, application=call.application)
        if task is None:
            raise RejectedError(f"taskId: there is no task {wanted[:64]!r}.")
        return task

    def show(self, task: StoredTask, call: Call) -> OcrTask:
        """What the API tells about a task."""
        return OcrTask(
            id=task.id,
            status=task.status,
            registration_time=task.registered,
            status_change_time=task.changed,
            error=task.error,
            files_count=task.files_count,
            credits=task.credits,
            estimated_processing_time=self._estimate(task),
            result_urls=self._result_urls(task, call) if task.status is TaskStatus.COMPLETED else (),
            description=task.settings.description or None,
        )

    def _estimate(self, task: StoredTask) -> int | None:
        return self._seconds_until_done(task) if task.status in _ESTIMATED else None

    def _result_urls(self, task: StoredTask, call: Call) -> tuple[str, ...]:
        if task.run is None:
            return ()
        now = pendulum.now("UTC")
        positions = range(1, len(task.settings.export_format) + 1)
        return tuple(
            call.base_url + self._signer.sign(task.id, task.run, position, now=now) for position in positions
        )
