# SPDX-License-Identifier: Apache-2.0
"""The server's database: what has been accepted, and how far it is.

Every write is one transaction that is durable when the method returns. A change of status names the
status that it starts from and does nothing if the task is elsewhere by now; so whoever is late, loses.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pendulum
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.choices import Choices, ListFilter, ListOrder
from airflow_provider_ocr.server.tasks import FINISHED, Move, can_add_image

_metadata = sa.MetaData()

_tasks = sa.Table(
    "tasks",
    _metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("application", sa.String(255), nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("registered_ms", sa.BigInteger, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("source", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("files_count", sa.Integer, nullable=False, default=1),
    sa.Column("credits", sa.Integer, nullable=False, default=0),
    sa.Column("quality", sa.Text),
    sa.Index("ix_tasks_application_changed", "application", "changed_ms"),
    sa.Index("ix_tasks_status_changed", "status", "changed_ms"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """One row of the task table.

    :param source: the image's URL; None once the image is held.
    :param files_count: how many images it has, or will have once its source is fetched.
    :param quality: what recognition found out about the document, as the names of HTTP headers.
    """

    id: str
    application: str
    status: TaskStatus
    registered: pendulum.DateTime
    changed: pendulum.DateTime
    settings: ProcessingSettings
    source: str | None
    error: str | None
    files_count: int
    credits: int
    quality: Mapping[str, str]


class Store:
    """The tasks of all applications.

    :param database: an SQLAlchemy URL.
    """

    def __init__(self, database: str) -> None:
        # Errors would show parameters, and with them the query of a source.
        self._engine = sa.create_engine(database, future=True, hide_parameters=True)
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _configure_sqlite)
        _metadata.create_all(self._engine)

    @classmethod
    def in_folder(cls, folder: Path) -> Store:
        """The SQLite store in a data folder."""
        return cls(f"sqlite:///{folder / 'tasks.sqlite'}")

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def add(
        self,
        *,
        application: str,
        source: str | None,
        settings: ProcessingSettings,
        status: TaskStatus = TaskStatus.SUBMITTED,
        ocr_task_id: str | None = None,
    ) -> StoredTask:
        """A new task with one image; accepted for good when this returns.

        :param source: where the image still has to be fetched from; None if it is held.
        :param status: Submitted or Queued.
        :param ocr_task_id: what `new_task_id` gave, if the image already lies under it.
        """
        now = _now_ms()
        ocr_task_id = ocr_task_id or new_task_id()
        row = {
            "id": ocr_task_id,
            "application": application,
            "status": status,
            "registered_ms": now,
            "changed_ms": now,
            "settings": json.dumps(settings.to_query()),
            "source": source,
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_tasks).values(row))
            return _read_one(connection, ocr_task_id)

    def find(self, ocr_task_id: str, *, application: str | None = None) -> StoredTask | None:
        """The task with this ID, if it exists and is that application's."""
        query = sa.select(_tasks).where(_tasks.c.id == ocr_task_id)
        if application is not None:
            query = query.where(_tasks.c.application == application)
        return next(iter(self._read(query)), None)

    def add_image(self, ocr_task_id: str, keep: Callable[[StoredTask], None]) -> StoredTask | None:
        """Give a Submitted task that is not waiting for a remote image one more image.

        :param keep: puts the image where the last one of this task belongs. It runs within the transaction,
            which numbers the images of a task and is over only when the image is held.
        :returns: the task as the transaction left it; None if it is elsewhere by now and nothing is changed.
        """
        update = (
            sa.update(_tasks)
            .where(_tasks.c.id == ocr_task_id, _tasks.c.source.is_(None))
            .where(_tasks.c.status.in_([status for status in TaskStatus if can_add_image(status)]))
            .values(files_count=_tasks.c.files_count + 1, changed_ms=_now_ms())
        )
        with self._engine.begin() as connection:
            if connection.execute(update).rowcount != 1:
                return None
            task = _read_one(connection, ocr_task_id)
            keep(task)
            return task

    def start(self, task: StoredTask, settings: ProcessingSettings) -> StoredTask | None:
        """Queue a task whose images are held, with these settings.

        Credits of an earlier run stay: they have been charged, and are the best estimate there is.

        :returns: the task as the transaction left it; None if it has meanwhile left the state in which it
            was read and nothing is changed.
        """
        move = Move(task.status, TaskStatus.QUEUED)
        values = {"settings": json.dumps(settings.to_query()), "quality": None}
        with self._engine.begin() as connection:
            if _move(connection, _tasks.c.id == task.id, move, values) != 1:
                return None
            return _read_one(connection, task.id)

    def move(self, ocr_task_id: str, move: Move, **values: Any) -> bool:
        """Make a move and set columns with it.

        :param values: columns to set with the move.
        :returns: False if the task was not in the move's origin any more; then nothing is changed.
        """
        with self._engine.begin() as connection:
            return _move(connection, _tasks.c.id == ocr_task_id, move, values) == 1

    def claim_queued(self) -> StoredTask | None:
        """Take the task that has been Queued longest for recognition, or None where there is none."""
        queued = (
            sa.select(_tasks.c.id)
            .where(_tasks.c.status == TaskStatus.QUEUED)
            .order_by(_tasks.c.changed_ms, _tasks.c.id)
            .limit(1)
        )
        while True:
            with self._engine.connect() as connection:
                ocr_task_id = connection.execute(queued).scalar()
            if ocr_task_id is None:
                return None
            if self.move(ocr_task_id, Move(TaskStatus.QUEUED, TaskStatus.IN_PROGRESS)):
                return self._require(ocr_task_id)

    def requeue_interrupted(self) -> int:
        """Put back what a stopped server was recognising; the number of tasks."""
        interrupted = _tasks.c.status == TaskStatus.IN_PROGRESS
        with self._engine.begin() as connection:
            return _move(connection, interrupted, Move(TaskStatus.IN_PROGRESS, TaskStatus.QUEUED), {})

    def unfetched(self) -> list[StoredTask]:
        """All tasks whose remote image is still to be fetched, the oldest first."""
        waiting = (_tasks.c.status == TaskStatus.SUBMITTED) & _tasks.c.source.is_not(None)
        return self._read(sa.select(_tasks).where(waiting).order_by(_tasks.c.changed_ms))

    def holding_files(self) -> set[str]:
        """The IDs of all tasks that have, or may have, an image or results."""
        ended = (TaskStatus.PROCESSING_FAILED, TaskStatus.DELETED)
        with self._engine.connect() as connection:
            return set(connection.scalars(sa.select(_tasks.c.id).where(_tasks.c.status.not_in(ended))))

    def count(self, status: TaskStatus) -> int:
        """How many tasks are in a state."""
        query = sa.select(sa.func.count()).select_from(_tasks).where(_tasks.c.status == status)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

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
        time = _tasks.c.registered_ms if registered else _tasks.c.changed_ms
        query = (
            sa.select(_tasks)
            .where(_tasks.c.application == application)
            .where(time >= int(start.timestamp()) * 1000)
            .where(time < (int(end.timestamp()) + 1) * 1000)
        )
        if exclude_deleted:
            query = query.where(_tasks.c.status != TaskStatus.DELETED)
        return self._read(query.order_by(*_by_change(choices.list_order)).limit(limit))

    def finished(
        self, application: str, *, limit: int, order: ListOrder = ListOrder.OLDEST
    ) -> list[StoredTask]:
        """An application's tasks that ended, in the order of their ends."""
        query = (
            sa.select(_tasks)
            .where(_tasks.c.application == application)
            .where(_tasks.c.status.in_(list(FINISHED)))
        )
        return self._read(query.order_by(*_by_change(order)).limit(limit))

    def _require(self, ocr_task_id: str) -> StoredTask:
        task = self.find(ocr_task_id)
        if task is None:
            raise LookupError(f"Task {ocr_task_id} has left the database.")
        return task

    def _read(self, query: sa.Select[Any]) -> list[StoredTask]:
        with self._engine.connect() as connection:
            return [_stored_task(row) for row in connection.execute(query).mappings()]


def new_task_id() -> str:
    """An ID that no task has had."""
    return str(uuid.uuid4())


def encode_quality(quality: Mapping[str, str]) -> str:
    """The form in which the ``quality`` column keeps its value."""
    return json.dumps(dict(quality))


def _move(
    connection: sa.Connection, which: sa.ColumnElement[bool], move: Move, values: Mapping[str, Any]
) -> int:
    update = (
        sa.update(_tasks)
        .where(which)
        .where(_tasks.c.status == move.origin)
        .values(status=move.target, changed_ms=_now_ms(), **values)
    )
    return int(connection.execute(update).rowcount)


def _read_one(connection: sa.Connection, ocr_task_id: str) -> StoredTask:
    query = sa.select(_tasks).where(_tasks.c.id == ocr_task_id)
    return _stored_task(connection.execute(query).mappings().one())


def _by_change(order: ListOrder) -> list[sa.ColumnElement[Any]]:
    columns = (_tasks.c.changed_ms, _tasks.c.id)
    return [column.desc() if order is ListOrder.NEWEST else column.asc() for column in columns]


def _stored_task(row: sa.engine.RowMapping) -> StoredTask:
    return StoredTask(
        id=row["id"],
        application=row["application"],
        status=TaskStatus(row["status"]),
        registered=_time(row["registered_ms"]),
        changed=_time(row["changed_ms"]),
        settings=ProcessingSettings.from_query(json.loads(row["settings"])),
        source=row["source"],
        error=row["error"],
        files_count=row["files_count"],
        credits=row["credits"],
        quality=json.loads(row["quality"] or "{}"),
    )


def _now_ms() -> int:
    return int(pendulum.now("UTC").timestamp() * 1000)


def _time(milliseconds: int) -> pendulum.DateTime:
    return pendulum.from_timestamp(milliseconds / 1000)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    pragmas: Sequence[str] = (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=30000",
        "secure_delete=ON",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
