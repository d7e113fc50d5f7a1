# SPDX-License-Identifier: Apache-2.0
"""The tasks of all applications, as the API's methods see and change them.

Every write is one transaction that is durable when the method returns. A change of status names the
status that it starts from and does nothing if the task is elsewhere by now; so whoever is late, loses.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pendulum
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.choices import Choices, ListFilter, ListOrder
from airflow_provider_ocr.server.records.database import Database, now_ms, request_keys, tasks
from airflow_provider_ocr.server.records.moves import delete, queue
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import StoredTask, TaskRows
from airflow_provider_ocr.server.records.tasks import FINISHED, UNPROCESSED, can_add_image, price


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldImage:
    """An image that is held, as it was measured.

    :param size: bytes.
    :param pages: how many pages it has.
    :param billed_pages: the same in pages of A4 size.
    """

    size: int
    pages: int
    billed_pages: int


class _TooLateError(Exception):
    """The task has left the state in which it was read; the transaction is undone."""


class Store:
    """The tasks in a database.

    :param database: where they are.
    :param sealer: for what of them is private.
    """

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._rows = TaskRows(sealer)

    def add_remote(
        self, *, application: str, source: str, settings: ProcessingSettings, key: str = ""
    ) -> StoredTask:
        """A new Submitted task whose image is still to be fetched; accepted for good when this returns.

        :param key: with it the request is carried out once: the task that it made is returned.
        """
        now = now_ms()
        values = self._rows.encode(settings, source) | {"ready_ms": now}
        return self._insert(application, values, key=key, now=now)

    def add_held(
        self,
        *,
        application: str,
        ocr_task_id: str,
        image: HeldImage,
        settings: ProcessingSettings,
        start: bool,
        key: str = "",
    ) -> StoredTask:
        """A new task whose first image is held; accepted for good when this returns.

        :param ocr_task_id: what `new_task_id` gave, under which the image lies.
        :param start: whether to queue it, or to suspend it if the application has not enough credits;
            otherwise it is Submitted.
        :param key: with it the request is carried out once: the task that it made is returned.
        """
        now = now_ms()
        values = self._rows.encode(settings, None) | {
            "id": ocr_task_id,
            "image_bytes": image.size,
            "imaged_ms": now,
            "pages": image.pages,
            "billed_pages": image.billed_pages,
            "credits": price(image.billed_pages),
        }
        return self._insert(application, values, key=key, now=now, start=start)

    def find(self, ocr_task_id: str, *, application: str | None = None) -> StoredTask | None:
        """The task with this ID, if it exists and is that application's."""
        query = sa.select(tasks).where(tasks.c.id == ocr_task_id)
        if application is not None:
            query = query.where(tasks.c.application == application)
        return next(iter(self._read(query)), None)

    def find_by_key(self, application: str, key: str) -> StoredTask | None:
        """The task that the request with this key made."""
        query = (
            sa.select(tasks)
            .join(request_keys, request_keys.c.ocr_task_id == tasks.c.id)
            .where(request_keys.c.application == application, request_keys.c.key == key)
        )
        return next(iter(self._read(query)), None)

    def add_image(
        self,
        task: StoredTask,
        image: HeldImage,
        keep: Callable[[StoredTask], None],
        *,
        settings: ProcessingSettings,
        key: str = "",
    ) -> StoredTask | None:
        """Give a Submitted task that is not waiting for a remote image one more image.

        :param keep: puts the image where the last one of this task belongs. It runs within the transaction,
            which numbers the images of a task and is over only when the image is held.
        :param settings: the task's, with the password that came with the image.
        :param key: with it the request is carried out once.
        :returns: the task as the transaction left it; None if it is elsewhere by now and nothing is changed.
        """
        update = (
            sa.update(tasks)
            .where(tasks.c.id == task.id, tasks.c.awaits_source.is_(False))
            .where(tasks.c.status.in_([status for status in TaskStatus if can_add_image(status)]))
            .values(_one_more(image))
        )
        if settings != task.settings:
            update = update.values(self._rows.encode(settings, None))

        def add(connection: sa.Connection) -> StoredTask:
            _note_key(connection, task, key)
            if connection.execute(update).rowcount != 1:
                raise _TooLateError
            added = self._rows.find(connection, task.id)
            keep(added)
            return added

        try:
            return self._once(task.application, key, add)
        except _TooLateError:
            return None

    def start(self, task: StoredTask, settings: ProcessingSettings, *, key: str = "") -> StoredTask | None:
        """Queue a task whose images are held, with these settings, or suspend it for lack of credits.

        A task that was paid for costs nothing more.

        :param key: with it the request is carried out once.
        :returns: the task as the transaction left it; None if it has meanwhile left the state in which it
            was read and nothing is changed.
        """
        values = self._rows.encode(settings, None) | {"quality": None, "run": None}
        values["protected"] = task.protected or bool(settings.pdf_password)

        def begin(connection: sa.Connection) -> StoredTask:
            _note_key(connection, task, key)
            if not queue(connection, task, **values):
                raise _TooLateError
            return self._rows.find(connection, task.id)

        try:
            return self._once(task.application, key, begin)
        except _TooLateError:
            return None

    def delete(self, task: StoredTask) -> bool:
        """Make a task Deleted and forget what was private about it.

        :returns: False if it has meanwhile left the state in which it was read; then nothing is changed.
        """
        with self._database.write() as connection:
            return delete(connection, task)

    def unprocessed_images(self, application: str) -> int:
        """How many images an application has here that were not recognised yet."""
        query = (
            sa.select(sa.func.coalesce(sa.func.sum(tasks.c.files_count), 0))
            .where(tasks.c.application == application)
            .where(tasks.c.status.in_(list(UNPROCESSED)))
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def unprocessed_bytes(self) -> int:
        """How large all images are together that were not recognised yet."""
        query = sa.select(sa.func.coalesce(sa.func.sum(tasks.c.image_bytes), 0)).where(
            tasks.c.status.in_(list(UNPROCESSED))
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def counts(self) -> dict[TaskStatus, int]:
        """How many tasks there are in each status that some are in."""
        query = sa.select(tasks.c.status, sa.func.count()).group_by(tasks.c.status)
        with self._database.read() as connection:
            return {TaskStatus(status): count for status, count in connection.execute(query)}

    def runs(self) -> dict[str, str | None]:
        """All tasks that have, or may have, images or results, with the run whose results are theirs."""
        gone = (TaskStatus.PROCESSING_FAILED, TaskStatus.DELETED)
        query = sa.select(tasks.c.id, tasks.c.run).where(tasks.c.status.not_in(gone))
        with self._database.read() as connection:
            return {row.id: row.run for row in connection.execute(query)}

    def in_window(
        self,
        application: str,
        *,
        start: pendulum.DateTime,
        end: pendulum.DateTime,
        exclude_deleted: bool,
        limit: int,
        choices: Choices = Choices(),  # noqa: B008 - it is frozen
    ) -> list[StoredTask]:
        """An application's tasks of a window of time, in the order of their last change.

        Both ends belong to the window, and count as whole seconds, as the API tells them.

        :param choices: which of a task's times has to lie in the window, and which end of the order is first.
        """
        registered = choices.list_filter is ListFilter.REGISTERED
        time = tasks.c.registered_ms if registered else tasks.c.changed_ms
        query = (
            sa.select(tasks)
            .where(tasks.c.application == application)
            .where(time >= int(start.timestamp()) * 1000)
            .where(time < (int(end.timestamp()) + 1) * 1000)
        )
        if exclude_deleted:
            query = query.where(tasks.c.status != TaskStatus.DELETED)
        return self._read(query.order_by(*_by_change(choices.list_order)).limit(limit))

    def finished(
        self, application: str, *, limit: int, order: ListOrder = ListOrder.OLDEST
    ) -> list[StoredTask]:
        """An application's tasks that ended, in the order of their ends."""
        query = (
            sa.select(tasks)
            .where(tasks.c.application == application)
            .where(tasks.c.status.in_(list(FINISHED)))
        )
        return self._read(query.order_by(*_by_change(order)).limit(limit))

    def _insert(
        self, application: str, values: dict[str, Any], *, key: str, now: int, start: bool = False
    ) -> StoredTask:
        ocr_task_id = values.pop("id", None) or new_task_id()
        row = values | {
            "id": ocr_task_id,
            "application": application,
            "status": TaskStatus.SUBMITTED,
            "registered_ms": now,
            "changed_ms": now,
        }

        def insert(connection: sa.Connection) -> StoredTask:
            connection.execute(sa.insert(tasks).values(row))
            task = self._rows.find(connection, ocr_task_id)
            _note_key(connection, task, key)
            if start:
                queue(connection, task)
            return self._rows.find(connection, task.id)

        return self._once(application, key, insert)

    def _once(self, application: str, key: str, action: Callable[[sa.Connection], StoredTask]) -> StoredTask:
        """What a transaction makes; what was made before if another request came first with the same key."""
        try:
            with self._database.write() as connection:
                return action(connection)
        except sa.exc.IntegrityError:
            made = self.find_by_key(application, key) if key else None
            if made is None:
                raise
            return made

    def _read(self, query: sa.Select[Any]) -> list[StoredTask]:
        with self._database.read() as connection:
            return [self._rows.decode(row) for row in connection.execute(query).mappings()]


def new_task_id() -> str:
    """An ID that no task has had."""
    return str(uuid.uuid4())


def _one_more(image: HeldImage) -> dict[str, Any]:
    """The columns of a task that has got another image."""
    now = now_ms()
    return {
        "files_count": tasks.c.files_count + 1,
        "image_bytes": tasks.c.image_bytes + image.size,
        "imaged_ms": now,
        "pages": tasks.c.pages + image.pages,
        "billed_pages": tasks.c.billed_pages + image.billed_pages,
        "credits": tasks.c.credits + price(image.billed_pages),
        "changed_ms": now,
    }


def _note_key(connection: sa.Connection, task: StoredTask, key: str) -> None:
    if key:
        values = {"application": task.application, "key": key, "ocr_task_id": task.id}
        connection.execute(sa.insert(request_keys).values(values))


def _by_change(order: ListOrder) -> list[sa.ColumnElement[Any]]:
    columns = (tasks.c.changed_ms, tasks.c.id)
    return [column.desc() if order is ListOrder.NEWEST else column.asc() for column in columns]
