# SPDX-License-Identifier: Apache-2.0
"""A task knows whether it goes on by itself, and does not show its signed URLs."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.protocol.task import OcrTask


@pytest.mark.parametrize(
    ("status", "running"),
    [
        ("Submitted", True),
        ("Queued", True),
        ("InProgress", True),
        ("Completed", False),
        ("ProcessingFailed", False),
        ("NotEnoughCredits", False),
        ("Deleted", False),
        ("Hibernating", True),
        ("", True),
    ],
)
def test_a_task_runs_while_it_may_end_by_itself(status: str, running: bool) -> None:
    assert OcrTask(id="a1", status=status).is_running is running


def test_result_urls_are_not_shown() -> None:
    task = OcrTask(id="a1", status="Completed", result_urls=("https://results.example/a1?sig=SECRET",))
    assert "SECRET" not in repr(task)
