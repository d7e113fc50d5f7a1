# SPDX-License-Identifier: Apache-2.0
"""Deletes tasks with all that they hold because their owner says so, before their time is over.

What a worker has in hand is left alone; every other task goes, whether it was recognised or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pendulum
import sqlalchemy as sa

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.operations.opening import claim_files
from airflow_provider_ocr.server.operations.retention import Orphans
from airflow_provider_ocr.server.records.database import Database, tasks, to_ms
from airflow_provider_ocr.server.records.expiry import Expiry
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import StoredTask, TaskRows
from airflow_provider_ocr.server.records.tasks import can_delete

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which tasks are meant.

    :param application: whose; None for everybody's.
    :param before: they have not changed since.
    """

    application: str | None
    before: pendulum.DateTime

    def __call__(self, *statuses: TaskStatus) -> sa.ColumnElement[bool]:
        """The condition on their rows, of those in some statuses."""
        meant = tasks.c.status.in_(statuses) & (tasks.c.changed_ms <= to_ms(self.before))
        return meant if self.application is None else meant & (tasks.c.application == self.application)


class Purge:
    """The tasks of a selection.

    :param database: where they are.
    :param sealer: for what of them is private.
    :param files: what they hold.
    :raises CommandError: if the files are another database's.
    """

    def __init__(self, *, database: Database, sealer: Sealer, files: ResultFiles, which: Selection) -> None:
        claim_files(files, database)
        self._database = database
        self._rows = TaskRows(sealer)
        self._expiry = Expiry(database, sealer)
        self._files = files
        self._which = which

    def count(self) -> Mapping[TaskStatus, int]:
        """How many there are, by status, but for those that are Deleted."""
        statuses = [status for status in TaskStatus if status is not TaskStatus.DELETED]
        query = sa.select(tasks.c.status, sa.func.count()).where(self._which(*statuses))
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(tasks.c.status)).all()
        return {TaskStatus(status): number for status, number in rows}

    def run(self) -> int:
        """Delete those that may be deleted, with everything that they hold; their number.

        :raises Exception: whatever the storage raises. Then the tasks so far are deleted.
        """
        deleted, last = 0, ""
        while batch := self._next(last):
            for task in batch:
                if self._expiry.expire(task):
                    self._files.delete(task.id)
                    deleted += 1
            last = batch[-1].id
        self._expiry.compact()
        # Also what earlier deletions and crashes have left behind.
        orphans = Orphans(expiry=self._expiry, files=self._files)
        for orphan in orphans.find(pendulum.now("UTC"), deleted_at_once=True):
            orphan.delete(self._files, orphan.ocr_task_id)
        return deleted

    def _next(self, last: str) -> list[StoredTask]:
        deletable = [status for status in TaskStatus if can_delete(status)]
        query = (
            sa.select(tasks)
            .where(self._which(*deletable), tasks.c.id > last)
            .order_by(tasks.c.id)
            .limit(_AT_ONCE)
        )
        with self._database.read() as connection:
            return [self._rows.decode(row) for row in connection.execute(query).mappings()]
