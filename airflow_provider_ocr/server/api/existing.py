# SPDX-License-Identifier: Apache-2.0
"""The methods about what exists: they tell the states of tasks, delete them, and tell about the application.

Where the contract leaves the lists open, this server filters and orders them by a task's last change, the
oldest first. A deleted task is unknown to getTaskStatus and stays in listTasks. `Choices` has other ways.
"""

from __future__ import annotations

import pendulum

from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api.call import Call, RejectedError
from airflow_provider_ocr.server.api.own_tasks import OwnTasks
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.choices import Choices, DeletedTask
from airflow_provider_ocr.server.records.store import Store
from airflow_provider_ocr.server.records.tasks import CREDITS_PER_PAGE, can_delete, price

LIST_LIMIT = 1000
FINISHED_LIMIT = 100
LIST_DAYS = 7

# What an application without a limit is told: clients in other languages read these as 32-bit numbers.
UNLIMITED_PAGES = 100_000_000
NEVER = pendulum.datetime(2099, 12, 31)

_FIRST_YEAR = 1970  # no task is older, and the calendar's own first days cannot be reckoned from


class ExistingMethods:
    """Carries out getTaskStatus, listTasks, listFinishedTasks, deleteTask and getApplicationInfo.

    :param store: where tasks are kept.
    :param files: where their images and results lie.
    :param applications: who may have how many credits.
    :param tasks: finds and shows tasks.
    :param choices: what to do where the contract leaves it open.
    """

    def __init__(
        self,
        *,
        store: Store,
        files: ResultFiles,
        applications: Applications,
        tasks: OwnTasks,
        choices: Choices,
    ) -> None:
        self._store = store
        self._files = files
        self._applications = applications
        self._tasks = tasks
        self._choices = choices

    def get_task_status(self, call: Call) -> list[OcrTask]:
        """Tell the state of one task."""
        call.allow_only("taskId")
        task = self._tasks.require(call)
        if task.status is TaskStatus.DELETED and self._choices.deleted_task is DeletedTask.ERROR:
            raise RejectedError(f"taskId: the task {task.id} is deleted.")
        return [self._tasks.show(task, call)]

    def list_tasks(self, call: Call) -> list[OcrTask]:
        """Tell the states of the tasks that changed in a window of time."""
        call.allow_only("fromDate", "toDate", "excludeDeleted")
        end = _date(call, "toDate") or pendulum.now("UTC")
        start = _date(call, "fromDate") or end.subtract(days=LIST_DAYS)
        if start > end:
            raise RejectedError("fromDate: the window begins after it ends (toDate).")
        tasks = self._store.in_window(
            call.application,
            start=start,
            end=end,
            exclude_deleted=_switch(call, "excludeDeleted"),
            limit=LIST_LIMIT,
            choices=self._choices,
        )
        return [self._tasks.show(task, call) for task in tasks]

    def list_finished_tasks(self, call: Call) -> list[OcrTask]:
        """Tell which tasks have ended."""
        call.allow_only()
        order = self._choices.list_order
        tasks = self._store.finished(call.application, limit=FINISHED_LIMIT, order=order)
        return [self._tasks.show(task, call) for task in tasks]

    def delete_task(self, call: Call) -> list[OcrTask]:
        """Delete a task with its images and results; a deleted one stays deleted."""
        call.allow_only("taskId")
        task = self._tasks.require(call)
        while task.status is not TaskStatus.DELETED:
            if not can_delete(task.status):
                raise RejectedError(f"taskId: the task {task.id} is in progress and cannot be deleted now.")
            # The task may move on between reading and deleting; then look again.
            self._store.delete(task)
            task = self._tasks.require(call)
        self._files.delete(task.id)
        return [self._tasks.show(task, call)]

    def get_application_info(self, call: Call) -> ApplicationInfo:
        """Tell who the application is, and what it has left to spend."""
        call.allow_only()
        application = self._applications.find(call.application)
        if application is None:
            raise LookupError(f"The application {call.application!r} has left the database.")
        credits_left = price(UNLIMITED_PAGES)
        if application.credits is not None:
            credits_left = max(0, application.credits - application.reserved)
        return ApplicationInfo(
            id=application.id,
            name=application.name,
            pages=credits_left // CREDITS_PER_PAGE,
            fields=credits_left,
            expires=NEVER,
            type="Normal",
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
