# SPDX-License-Identifier: Apache-2.0
"""The work that tasks are waiting for, handed out under leases.

Whoever claims a task has it until the lease ends, unless the lease is renewed. What a worker does to a task
afterwards counts only while the lease is its own: a worker that was thought dead changes nothing.
Applications take turns, and a long document is taken in slices: after each it stands further behind.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.database import Database, applications, now_ms, tasks
from airflow_provider_ocr.server.records.moves import FREE, complete, end_reservation, move, queue
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.store import HeldImage
from airflow_provider_ocr.server.records.stored_task import StoredTask, TaskRows, encode_quality
from airflow_provider_ocr.server.records.tasks import Move, price

LEASE_SECONDS = 60.0

_SLICE_WEIGHT = 6
"""How much further behind a document stands after a slice than the slice took: others come first."""

_MOST_FAULTS = 6
_MOST_UNFETCHED = 5_000
_FIRST_PAUSE_MS = 5_000


class Work:
    """What there is to do in a database.

    :param database: where the tasks are.
    :param sealer: for what of them is private.
    :param server: which server this is; its leases can be told from those of others.
    """

    def __init__(self, database: Database, sealer: Sealer, *, server: str) -> None:
        self._database = database
        self._rows = TaskRows(sealer)
        self._server = server

    def give_up_old_leases(self) -> int:
        """Free what an earlier run of this server had claimed, at its start; the number of tasks."""
        earlier = tasks.c.lease.startswith(f"{self._server}-", autoescape=True)
        with self._database.write() as connection:
            return connection.execute(sa.update(tasks).where(earlier).values(FREE)).rowcount

    def unfetched(self) -> list[StoredTask]:
        """Tasks whose remote image nobody is fetching, the oldest first, and not more than a few thousand."""
        query = (
            sa.select(tasks)
            .where(tasks.c.status == TaskStatus.SUBMITTED, tasks.c.awaits_source.is_(True), _is_free())
            .order_by(tasks.c.ready_ms)
            .limit(_MOST_UNFETCHED)
        )
        with self._database.read() as connection:
            return [self._rows.decode(row) for row in connection.execute(query).mappings()]

    def claim_source(self, ocr_task_id: str) -> StoredTask | None:
        """Take a task to fetch its remote image; None if it is gone or somebody else's."""
        wanted = sa.and_(
            tasks.c.id == ocr_task_id,
            tasks.c.status == TaskStatus.SUBMITTED,
            tasks.c.awaits_source.is_(True),
        )
        with self._database.write() as connection:
            return self._take(connection, wanted, ocr_task_id)

    def fetched(self, task: StoredTask, image: HeldImage) -> bool:
        """The image of a claimed task is held: queue the task, or suspend it for lack of credits.

        :returns: False if the task is not this worker's any more.
        """
        values = {
            "image_bytes": image.size,
            "imaged_ms": now_ms(),
            "pages": image.pages,
            "billed_pages": image.billed_pages,
        }
        with self._database.write() as connection:
            held = self._set(connection, task, values | self._rows.encode(task.settings, None))
            return held is not None and queue(connection, held, credits=price(held.billed_pages))

    def claim(self) -> StoredTask | None:
        """Take the task whose turn it is, to recognise it; None if there is none."""
        while True:
            with self._database.write() as connection:
                ocr_task_id = self._next(connection)
                if ocr_task_id is None:
                    return None
                waiting = sa.and_(
                    tasks.c.id == ocr_task_id,
                    tasks.c.status.in_([TaskStatus.QUEUED, TaskStatus.IN_PROGRESS]),
                )
                task = self._take(connection, waiting, ocr_task_id)
                if task is None:
                    continue  # another server was faster
                if task.status is TaskStatus.QUEUED:
                    move(connection, task, Move(TaskStatus.QUEUED, TaskStatus.IN_PROGRESS))
                served = sa.update(applications).where(applications.c.name == task.application)
                connection.execute(served.values(served_ms=now_ms()))
                return self._rows.find(connection, ocr_task_id)

    def others_wait(self) -> bool:
        """Whether somebody else's, or another, document waits for a worker."""
        query = sa.select(sa.func.count()).select_from(tasks).where(_waits())
        with self._database.read() as connection:
            return bool(connection.execute(query).scalar())

    def renew(self, leased: Iterable[StoredTask]) -> None:
        """Keep what this server's workers have for another while."""
        mine = tasks.c.lease.in_([task.lease for task in leased])
        with self._database.write() as connection:
            connection.execute(sa.update(tasks).where(mine).values(lease_until_ms=_lease_end()))

    def put_back(self, task: StoredTask, *, after_seconds: float) -> bool:
        """Give a document back after a slice, for others to come first.

        :param after_seconds: how long the slice took.
        """
        behind = tasks.c.ready_ms + round(after_seconds * 1000 * _SLICE_WEIGHT)
        with self._database.write() as connection:
            return self._set(connection, task, {**FREE, "ready_ms": behind}) is not None

    def put_back_after_fault(self, task: StoredTask) -> bool:
        """Give a task back that the server, and not the document, has failed on.

        It is tried again later, after longer and longer pauses, and fails in the end.

        :returns: False if the task is not this worker's any more.
        """
        if task.faults + 1 >= _MOST_FAULTS:
            return self.fail(task, "Internal error of the server; its log says more.")
        later = now_ms() + _FIRST_PAUSE_MS * 2**task.faults
        values = {"lease": None, "lease_until_ms": later, "faults": task.faults + 1}
        with self._database.write() as connection:
            return self._set(connection, task, values) is not None

    def complete(self, task: StoredTask, *, run: str, pages: int, quality: Mapping[str, str]) -> bool:
        """Publish a run's results and charge the task.

        :param pages: how many pages were recognised; counts where they could not be measured before.
        :returns: False if the task is not this worker's any more; then the run is nobody's.
        """
        billed_pages = task.billed_pages or pages
        values = self._rows.without_secrets(task) | {
            "run": run,
            "quality": encode_quality(quality),
            "pages": pages,
            "credits": price(billed_pages),
            "faults": 0,
        }
        with self._database.write() as connection:
            return complete(connection, task, billed_pages=billed_pages, **values)

    def fail(self, task: StoredTask, error: str) -> bool:
        """Move a claimed task to ProcessingFailed; that costs nothing.

        :param error: one sentence for the user of the API.
        :returns: False if the task is not this worker's any more.
        """
        values = self._rows.without_secrets(task) | {
            "error": error,
            **FREE,
            "imaged_ms": None,
            "image_bytes": 0,
            # A second run that fails does not give back what the first one cost.
            "credits": task.credits if task.charged else 0,
        }
        with self._database.write() as connection:
            if not move(connection, task, Move(task.status, TaskStatus.PROCESSING_FAILED), **values):
                return False
            end_reservation(connection, task)
            return True

    def is_over(self, ocr_task_id: str) -> bool:
        """Whether a task is gone or will never be recognised, so that nobody needs its files."""
        ended = (TaskStatus.DELETED, TaskStatus.PROCESSING_FAILED)
        query = sa.select(tasks.c.id).where(tasks.c.id == ocr_task_id, tasks.c.status.not_in(ended))
        with self._database.read() as connection:
            return connection.execute(query).first() is None

    def queued_seconds(self) -> float:
        """How long the document that has been waiting longest for its first page has waited."""
        query = sa.select(sa.func.min(tasks.c.changed_ms)).where(tasks.c.status == TaskStatus.QUEUED)
        with self._database.read() as connection:
            oldest = connection.execute(query).scalar()
        return 0.0 if oldest is None else max(0.0, (now_ms() - oldest) / 1000)

    def pages_waiting(self) -> int:
        """How many pages there are to recognise in front of a document that is queued now, at most."""
        query = sa.select(sa.func.coalesce(sa.func.sum(tasks.c.pages), 0)).where(
            tasks.c.status.in_([TaskStatus.QUEUED, TaskStatus.IN_PROGRESS])
        )
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def _next(self, connection: sa.Connection) -> str | None:
        """The document that has waited longest, of the application that has not been served for longest."""
        theirs = sa.select(tasks.c.id).where(_waits(), tasks.c.application == applications.c.name)
        turn = (
            sa.select(applications.c.name)
            .where(theirs.exists())
            .order_by(applications.c.served_ms, applications.c.name)
            .limit(1)
        )
        application = connection.execute(turn).scalar()
        first = (
            sa.select(tasks.c.id)
            .where(_waits(), tasks.c.application == application)
            .order_by(tasks.c.ready_ms, tasks.c.id)
            .limit(1)
        )
        found: str | None = connection.execute(first).scalar()
        return found

    def _take(
        self, connection: sa.Connection, wanted: sa.ColumnElement[bool], ocr_task_id: str
    ) -> StoredTask | None:
        lease = f"{self._server}-{uuid.uuid4().hex[:16]}"
        update = sa.update(tasks).where(wanted, _is_free())
        if connection.execute(update.values(lease=lease, lease_until_ms=_lease_end())).rowcount != 1:
            return None
        return self._rows.find(connection, ocr_task_id)

    def _set(
        self, connection: sa.Connection, task: StoredTask, values: Mapping[str, Any]
    ) -> StoredTask | None:
        """The task with new values in some columns; None if it is not this worker's any more."""
        update = sa.update(tasks).where(tasks.c.id == task.id, tasks.c.lease == task.lease)
        if connection.execute(update.values(values)).rowcount != 1:
            return None
        return self._rows.find(connection, task.id)


def _is_free() -> sa.ColumnElement[bool]:
    return tasks.c.lease_until_ms < now_ms()


def _waits() -> sa.ColumnElement[bool]:
    return tasks.c.status.in_([TaskStatus.QUEUED, TaskStatus.IN_PROGRESS]) & _is_free()


def _lease_end() -> int:
    return now_ms() + round(LEASE_SECONDS * 1000)
