# SPDX-License-Identifier: Apache-2.0
"""What customers ordered, and what they were answered: the promises that the server has to keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tests.crashes.documents import Truth


class Certainty(Enum):
    """Whether a request was carried out, as its sender knows."""

    NO = "no"
    MAYBE = "maybe"
    """The connection broke before an answer came."""
    YES = "yes"


@dataclass(slots=True, kw_only=True)
class Order:
    """One task, as its customer knows it.

    :param description: tells it from all others.
    :param truth: what its results have to be; None if it has to fail.
    :param formats: the export formats of the last run, or each that may be.
    :param accepted: whether there is a task.
    :param started: whether it is to be recognised.
    :param ocr_task_id: its ID; empty if that was never answered.
    :param was_completed: whether it was seen Completed at any time.
    """

    application: str
    description: str
    truth: Truth | None
    formats: list[tuple[str, ...]]
    accepted: Certainty = Certainty.NO
    started: Certainty = Certainty.NO
    deleted: Certainty = Certainty.NO
    ocr_task_id: str = ""
    was_completed: bool = False


@dataclass(slots=True)
class OrderBook:
    """All orders, and what went wrong while they were made.

    :param unnamed: one entry for each image that may lie there without that its customer knows the task.
    """

    orders: list[Order] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    requests: int = 0
    unanswered: int = 0
