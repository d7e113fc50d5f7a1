# SPDX-License-Identifier: Apache-2.0
"""What the API's documentation leaves open, and which way this server goes. Other ways are there for tests
of clients, which have to work with all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ListOrder(StrEnum):
    """Which task is first in listTasks and listFinishedTasks, by last change."""

    OLDEST = "oldest"
    NEWEST = "newest"


class ListFilter(StrEnum):
    """Which time of a task has to lie in the window of listTasks."""

    CHANGED = "changed"
    REGISTERED = "registered"


class DeletedTask(StrEnum):
    """What getTaskStatus says about a deleted task: a 450, or the status Deleted."""

    ERROR = "error"
    STATUS = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """One way through what is open; the defaults are this server's."""

    list_order: ListOrder = ListOrder.OLDEST
    list_filter: ListFilter = ListFilter.CHANGED
    deleted_task: DeletedTask = DeletedTask.ERROR
