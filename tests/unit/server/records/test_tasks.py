# SPDX-License-Identifier: Apache-2.0
"""The life cycle has exactly the moves of the API's table."""

from __future__ import annotations

import itertools

import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.tasks import Move, can_add_image, can_delete, can_start, price

LEGAL = {
    ("Submitted", "Queued"),
    ("Submitted", "ProcessingFailed"),
    ("Submitted", "NotEnoughCredits"),
    ("Submitted", "Deleted"),
    ("Queued", "InProgress"),
    ("Queued", "Deleted"),
    ("InProgress", "Completed"),
    ("InProgress", "ProcessingFailed"),
    ("Completed", "Queued"),
    ("Completed", "Deleted"),
    ("ProcessingFailed", "Deleted"),
    ("NotEnoughCredits", "Queued"),
    ("NotEnoughCredits", "Deleted"),
}
PAIRS = list(itertools.product(TaskStatus, TaskStatus))


@pytest.mark.parametrize(("origin", "target"), [pair for pair in PAIRS if pair in LEGAL])
def test_legal_moves_exist(origin: TaskStatus, target: TaskStatus) -> None:
    move = Move(origin, target)
    assert (move.origin, move.target) == (origin, target)


@pytest.mark.parametrize(("origin", "target"), [pair for pair in PAIRS if pair not in LEGAL])
def test_illegal_moves_cannot_even_be_written_down(origin: TaskStatus, target: TaskStatus) -> None:
    with pytest.raises(ValueError, match=f"cannot go from {origin} to {target}"):
        Move(origin, target)


def test_only_a_task_in_progress_or_deleted_cannot_be_deleted() -> None:
    assert {status for status in TaskStatus if not can_delete(status)} == {"InProgress", "Deleted"}


def test_only_what_was_submitted_suspended_or_completed_can_be_started() -> None:
    started = {status for status in TaskStatus if can_start(status)}
    assert started == {"Submitted", "Completed", "NotEnoughCredits"}


def test_only_what_is_submitted_takes_another_image() -> None:
    assert {status for status in TaskStatus if can_add_image(status)} == {"Submitted"}


def test_a_page_costs_five_credits() -> None:
    assert [price(pages) for pages in (0, 1, 3)] == [0, 5, 15]
