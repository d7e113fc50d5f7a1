# SPDX-License-Identifier: Apache-2.0
"""The moves of a task's life, each within a transaction that the caller holds, and the credits with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.applications import charge, release, reserve
from airflow_provider_ocr.server.records.database import now_ms, tasks
from airflow_provider_ocr.server.records.stored_task import WIPED, StoredTask
from airflow_provider_ocr.server.records.tasks import Move, price

FREE: Mapping[str, Any] = {"lease": None, "lease_until_ms": 0}
"""The columns of a task that no worker has."""


def move(connection: sa.Connection, task: StoredTask, step: Move, **values: Any) -> bool:
    """Make a move, if the task is still where the move starts, with its images, and nobody else has it.

    :param values: columns to set with the move.
    """
    update = (
        sa.update(tasks)
        .where(tasks.c.id == task.id, tasks.c.status == step.origin, *_unchanged(task))
        .values(status=step.target, changed_ms=now_ms(), **values)
    )
    return connection.execute(update).rowcount == 1


def queue(connection: sa.Connection, task: StoredTask, **values: Any) -> bool:
    """Move a task to Queued and reserve its price, or suspend it if that cannot be paid.

    :returns: False if it has meanwhile left the state in which it was read; then nothing is changed.
    """
    due = 0 if task.charged else price(task.billed_pages)
    step = Move(task.status, TaskStatus.QUEUED)
    if not move(connection, task, step, ready_ms=now_ms(), reserved=due, **FREE, **values):
        return False
    if due and not reserve(connection, task.application, due):
        suspended = {"status": TaskStatus.NOT_ENOUGH_CREDITS, "reserved": 0}
        connection.execute(sa.update(tasks).where(tasks.c.id == task.id).values(suspended))
    return True


def complete(connection: sa.Connection, task: StoredTask, *, billed_pages: int, **values: Any) -> bool:
    """Move a task to Completed and charge it, unless that was done at an earlier completion.

    :param billed_pages: how many pages of A4 size it turned out to have.
    :param values: more columns to set with the move.
    :returns: False if it is not this worker's any more; then nothing is changed.
    """
    step = Move(TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED)
    if not move(connection, task, step, billed_pages=billed_pages, charged=True, **FREE, **values):
        return False
    end_reservation(connection, task)
    if not task.charged:
        due = price(billed_pages)
        charge(connection, task.application, task.id, pages=billed_pages, credits=due)
    return True


def delete(connection: sa.Connection, task: StoredTask) -> bool:
    """Move a task to Deleted and forget all that was private about it.

    :returns: False if it has meanwhile left the state in which it was read; then nothing is changed.
    """
    if not move(connection, task, Move(task.status, TaskStatus.DELETED), **WIPED):
        return False
    end_reservation(connection, task)
    return True


def end_reservation(connection: sa.Connection, task: StoredTask) -> None:
    """Give back what a task has reserved; it was moved in the same transaction."""
    mine = tasks.c.id == task.id
    reserved = connection.execute(sa.select(tasks.c.reserved).where(mine)).scalar_one()
    if reserved:
        connection.execute(sa.update(tasks).where(mine).values(reserved=0))
        release(connection, task.application, reserved)


def _unchanged(task: StoredTask) -> tuple[sa.ColumnElement[bool], ...]:
    lease = tasks.c.lease.is_(None) if task.lease is None else tasks.c.lease == task.lease
    images = tasks.c.imaged_ms.is_not(None) if task.holds_images else tasks.c.imaged_ms.is_(None)
    return lease, images
