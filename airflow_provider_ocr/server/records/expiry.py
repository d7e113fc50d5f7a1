# SPDX-License-Identifier: Apache-2.0
"""Which tasks' time is over, and how they leave the database.

Nobody loses a document: what is still to be recognised does not expire, however long the queue is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pendulum
import sqlalchemy as sa

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.database import Database, applications, request_keys, tasks, to_ms
from airflow_provider_ocr.server.records.moves import delete
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import StoredTask, TaskRows

_HOUR_MS = 3_600_000
_AT_ONCE = 500
_PROCESSED = (TaskStatus.COMPLETED, TaskStatus.PROCESSING_FAILED)
_NEVER_PROCESSED = (TaskStatus.SUBMITTED, TaskStatus.NOT_ENOUGH_CREDITS)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides which files of a task are nobody's.

    :param status: where it is in its life.
    :param run: the run whose results are its own; None if it has no results.
    """

    status: TaskStatus
    run: str | None

    @property
    def has_files(self) -> bool:
        """Whether it has, or may come to have, images or results."""
        return self.status not in (TaskStatus.PROCESSING_FAILED, TaskStatus.DELETED)


class Expiry:
    """The tasks in a database whose time is over.

    :param database: where they are.
    :param sealer: for what of them is private.
    """

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._rows = TaskRows(sealer)

    def expired(
        self,
        now: pendulum.DateTime,
        *,
        keep_images: pendulum.Duration,
        keep_results: pendulum.Duration,
        application: str | None = None,
    ) -> list[StoredTask]:
        """Some tasks that are to be deleted: processed long ago, or uploaded long ago and never processed.

        :param keep_images: for applications that have no time of their own.
        :param keep_results: the same.
        :param application: only this one's tasks; None for everybody's.
        """
        processed = tasks.c.status.in_(_PROCESSED) & (
            tasks.c.changed_ms < _limit(now, applications.c.keep_results_hours, keep_results)
        )
        abandoned = tasks.c.status.in_(_NEVER_PROCESSED) & (
            tasks.c.imaged_ms < _limit(now, applications.c.keep_images_hours, keep_images)
        )
        return self._select(processed | abandoned, application)

    def images_expired(
        self,
        now: pendulum.DateTime,
        *,
        keep_images: pendulum.Duration,
        application: str | None = None,
    ) -> list[StoredTask]:
        """Some tasks whose results are kept on, but whose images are to be deleted."""
        over = tasks.c.imaged_ms < _limit(now, applications.c.keep_images_hours, keep_images)
        return self._select((tasks.c.status == TaskStatus.COMPLETED) & over, application)

    def expire(self, task: StoredTask) -> bool:
        """Make a task Deleted and forget all that it held; its files are the caller's to delete afterwards.

        :returns: False if it has meanwhile moved on; then nothing is changed.
        """
        with self._database.write() as connection:
            return delete(connection, task)

    def forget_images(self, task: StoredTask) -> bool:
        """Note that a Completed task's images are gone; the caller deletes them afterwards.

        :returns: False if it has meanwhile moved on; then nothing is changed.
        """
        update = (
            sa.update(tasks)
            .where(tasks.c.id == task.id, tasks.c.status == TaskStatus.COMPLETED)
            .values(imaged_ms=None, image_bytes=0)
        )
        with self._database.write() as connection:
            return connection.execute(update).rowcount == 1

    def forget_records(self, before: pendulum.DateTime) -> int:
        """Remove the last trace of tasks that were deleted long ago, but for the ledger; their number."""
        old = (tasks.c.status == TaskStatus.DELETED) & (tasks.c.changed_ms < to_ms(before))
        with self._database.write() as connection:
            theirs = request_keys.c.ocr_task_id.in_(sa.select(tasks.c.id).where(old))
            connection.execute(sa.delete(request_keys).where(theirs))
            return connection.execute(sa.delete(tasks).where(old)).rowcount

    def standing(self, ocr_task_ids: Sequence[str]) -> dict[str, Standing]:
        """How it stands with tasks, of those that the database still knows.

        :param ocr_task_ids: some hundreds at most.
        """
        query = sa.select(tasks.c.id, tasks.c.status, tasks.c.run).where(tasks.c.id.in_(ocr_task_ids))
        with self._database.read() as connection:
            return {row.id: Standing(TaskStatus(row.status), row.run) for row in connection.execute(query)}

    def compact(self) -> bool:
        """Have the database overwrite what it still holds of rows that are gone.

        :returns: False if that has to be tried again.
        """
        return self._database.compact()

    def _select(self, which: sa.ColumnElement[bool], application: str | None) -> list[StoredTask]:
        query = sa.select(tasks).join(applications, applications.c.name == tasks.c.application).where(which)
        if application is not None:
            query = query.where(tasks.c.application == application)
        with self._database.read() as connection:
            return [self._rows.decode(row) for row in connection.execute(query.limit(_AT_ONCE)).mappings()]


def _limit(
    now: pendulum.DateTime, own_hours: sa.Column[Any], everybodys: pendulum.Duration
) -> sa.ColumnElement[float]:
    """The time before which a task's own has to lie for its time to be over, in milliseconds."""
    hours = sa.func.coalesce(own_hours, everybodys.total_hours())
    return to_ms(now) - hours * _HOUR_MS
