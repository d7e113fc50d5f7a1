# SPDX-License-Identifier: Apache-2.0
"""The life of a task as a state machine, and what a task costs. Pure: no database, no files.

A task is given up only by its owner or by retention; what a stopped server was recognising stays
InProgress and is taken up by the next worker that finds it without a live lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_ocr.protocol.vocabulary import TaskStatus

CREDITS_PER_PAGE = 5

FINISHED = frozenset({TaskStatus.COMPLETED, TaskStatus.PROCESSING_FAILED, TaskStatus.NOT_ENOUGH_CREDITS})

UNPROCESSED = frozenset(
    {TaskStatus.SUBMITTED, TaskStatus.QUEUED, TaskStatus.IN_PROGRESS, TaskStatus.NOT_ENOUGH_CREDITS}
)
"""Statuses whose images count against the upload quota."""

_MOVES: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.SUBMITTED: frozenset(
        {TaskStatus.QUEUED, TaskStatus.PROCESSING_FAILED, TaskStatus.NOT_ENOUGH_CREDITS, TaskStatus.DELETED}
    ),
    TaskStatus.QUEUED: frozenset({TaskStatus.IN_PROGRESS, TaskStatus.DELETED}),
    TaskStatus.IN_PROGRESS: frozenset({TaskStatus.COMPLETED, TaskStatus.PROCESSING_FAILED}),
    TaskStatus.COMPLETED: frozenset({TaskStatus.QUEUED, TaskStatus.DELETED}),
    TaskStatus.PROCESSING_FAILED: frozenset({TaskStatus.DELETED}),
    TaskStatus.NOT_ENOUGH_CREDITS: frozenset({TaskStatus.QUEUED, TaskStatus.DELETED}),
    TaskStatus.DELETED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Move:
    """A change of status.

    :raises ValueError: if the life cycle has no such move; that is a mistake in the server.
    """

    origin: TaskStatus
    target: TaskStatus

    def __post_init__(self) -> None:
        if self.target not in _MOVES[self.origin]:
            raise ValueError(f"A task cannot go from {self.origin} to {self.target}.")


def can_delete(status: TaskStatus) -> bool:
    """Whether deleteTask is allowed in this state."""
    return TaskStatus.DELETED in _MOVES[status]


def can_start(status: TaskStatus) -> bool:
    """Whether processDocument is allowed in this state."""
    return TaskStatus.QUEUED in _MOVES[status]


def can_add_image(status: TaskStatus) -> bool:
    """Whether submitImage may add an image in this state: nothing has been charged or promised yet."""
    return status is TaskStatus.SUBMITTED


def price(billed_pages: int) -> int:
    """What a document of so many pages of A4 size costs, in credits."""
    return CREDITS_PER_PAGE * billed_pages
