# SPDX-License-Identifier: Apache-2.0
"""The API's methods, as functions of an application and its parameters. No HTTP here, and no recognition.

Where the contract leaves the lists open, this server filters and orders them by a task's last change, the
oldest first. A deleted task is unknown to getTaskStatus and stays in listTasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pendulum

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.recognition.support import supported
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.source import SourceError, check_url
from airflow_provider_ocr.server.store import Store, StoredTask
from airflow_provider_ocr.server.tasks import Move, can_delete

LIST_LIMIT = 1000
FINISHED_LIMIT = 100
LIST_DAYS = 7

_FIRST_YEAR = 1970  # no task is older, and the calendar's own first days cannot be reckoned from

_ESTIMATED = frozenset({TaskStatus.QUEUED, TaskStatus.IN_PROGRESS})


class RejectedError(Exception):
    """The request is refused (HTTP 450); the text names the parameter and what is wrong with it."""


class Workforce(Protocol):
    """Whoever does the work on accepted tasks."""

    def accept(self, task: StoredTask) -> None:
        """Begin to fetch the image of a task that is now in the store."""

    def seconds_until_done(self) -> int:
        """An estimate for a task that is queued or in progress now; at least 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request.

    :param application: who calls.
    :param query: the parameters, their names in lower case.
    :param base_url: scheme and host under which the caller reached the server; result URLs begin so.
    """

    application: str
    query: Mapping[str, str]
    base_url: str

    def require(self, name: str) -> str:
        """The value of a parameter that has to be there."""
        value = self.query.get(name.lower(), "")
        if not value:
            raise RejectedError(f"{name}: the parameter is missing.")
        return value

    def allow_only(self, *names: str) -> None:
        """Refuse parameters that the method does not have."""
        unknown = self.query.keys() - {name.lower() for name in names}
        if unknown:
            raise RejectedError(f"{min(unknown)}: the method knows no such parameter.")


class ApiMethods:
    """Carries out the methods.

    :param store: where tasks are kept.
    :param files: where their images and results lie.
    :param workforce: who fetches and recognises.
    :param tessdata: which languages can be read.
    """

    def __init__(self, *, store: Store, files: ResultFiles, workforce: Workforce, tessdata: Tessdata) -> None:
        self._store = store
        self._files = files
        self._workforce = workforce
        self._tessdata = tessdata
        self._methods: dict[str, Callable[[Call], list[OcrTask]]] = {
            "processremoteimage": self.process_remote_image,
            "gettaskstatus": self.get_task_status,
            "listtasks": self.list_tasks,
            "listfinishedtasks": self.list_finished_tasks,
            "deletetask": self.delete_task,
        }

    def find(self, name: str) -> Callable[[Call], list[OcrTask]] | None:
        """The method with this name in any case, or None."""
        return self._methods.get(name.lower())

    def process_remote_image(self, call: Call) -> list[OcrTask]:
        """Accept a task for the image at a URL."""
        source = call.require("source")
        try:
            check_url(source)
            settings = ProcessingSettings.from_query(
                {name: value for name, value in call.query.items() if name != "source"}
            )
            supported(settings, self._tessdata)
        except SourceError as error:
            raise RejectedError(f"source: {error}") from None
        except InvalidParameterError as error:
            raise RejectedError(str(error)) from None
        task = self._store.add(application=call.application, source=source, settings=settings)
        self._workforce.accept(task)
        return [self._show(task, call)]

    def get_task_status(self, call: Call) -> list[OcrTask]:
        """Tell the state of one task."""
        call.allow_only("taskId")
        task = self._require(call)
        if task.status is TaskStatus.DELETED:
            raise RejectedError(f"taskId: the task {task.id} is deleted.")
        return [self._show(task, call)]

    def list_tasks(self, call: Call) -> list[OcrTask]:
        """Tell the states of the tasks that changed in a window of time."""
        call.allow_only("fromDate", "toDate", "excludeDeleted")
        end = _date(call, "toDate") or pendulum.now("UTC")
        start = _date(call, "fromDate") or end.subtract(days=LIST_DAYS)
        if start > end:
            raise RejectedError("fromDate: the window begins after it ends (toDate).")
        tasks = self._store.changed_between(
            call.application,
            start=start,
            end=end,
            exclude_deleted=_switch(call, "excludeDeleted"),
            limit=LIST_LIMIT,
        )
        return [self._show(task, call) for task in tasks]

    def list_finished_tasks(self, call: Call) -> list[OcrTask]:
        """Tell which tasks have ended."""
        call.allow_only()
        tasks = self._store.finished(call.application, limit=FINISHED_LIMIT)
        return [self._show(task, call) for task in tasks]

    def delete_task(self, call: Call) -> list[OcrTask]:
        """Delete a task with its image and results; a deleted one stays deleted."""
        call.allow_only("taskId")
        task = self._require(call)
        while task.status is not TaskStatus.DELETED:
            if not can_delete(task.status):
                raise RejectedError(f"taskId: the task {task.id} is in progress and cannot be deleted now.")
            # The task may move on between reading and deleting; then look again.
            self._store.move(task.id, Move(task.status, TaskStatus.DELETED), source=None)
            task = self._require(call)
        self._files.delete(task.id)
        return [self._show(task, call)]

    def _require(self, call: Call) -> StoredTask:
        wanted = call.require("taskId").strip().lower()
        task = self._store.find(wanted, application=call.application)
        if task is None:
            raise RejectedError(f"taskId: there is no task {wanted[:64]!r}.")
        return task

    def _show(self, task: StoredTask, call: Call) -> OcrTask:
        return OcrTask(
            id=task.id,
            status=task.status,
            registration_time=task.registered,
            status_change_time=task.changed,
            error=task.error,
            files_count=task.files_count,
            credits=task.credits,
            estimated_processing_time=(
                self._workforce.seconds_until_done() if task.status in _ESTIMATED else None
            ),
            result_urls=self._result_urls(task, call) if task.status is TaskStatus.COMPLETED else (),
            description=task.settings.description or None,
        )

    def _result_urls(self, task: StoredTask, call: Call) -> tuple[str, ...]:
        now = pendulum.now("UTC")
        positions = range(1, len(task.settings.export_format) + 1)
        return tuple(
            call.base_url + self._files.signed_path(task.id, position, now=now) for position in positions
        )


def _date(call: Call, name: str) -> pendulum.DateTime | None:
    text = call.query.get(name.lower())
    if not text:
        return None
    try:
        time = parse_time(text)
    except (ValueError, OverflowError):
        time = None
    if time is None or time.year < _FIRST_YEAR:
        raise RejectedError(f"{name}: {text[:64]!r} is not a date such as 2026-11-22T14:00:00Z.")
    return time


def _switch(call: Call, name: str) -> bool:
    text = (call.query.get(name.lower()) or "false").lower()
    if text not in ("true", "false"):
        raise RejectedError(f"{name}: {text[:64]!r} is not one of true, false.")
    return text == "true"
