# SPDX-License-Identifier: Apache-2.0
"""The numbers of the status page are those of the database, the spool, the disk and the workers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pendulum
import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.files.spool import Spool
from airflow_provider_ocr.server.operations.overview import Overview
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.operations.statistics import ApplicationCredits
from airflow_provider_ocr.server.workers.pace import Pace
from tests.unit.server.scans import png

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture
def overview(server: Server, pace: Pace, tmp_path: Path) -> Overview:
    spool = Spool(
        tmp_path,
        budget_bytes=2**40,
        min_free_bytes=0,
        held_bytes=server.store.unprocessed_bytes,
        valid_seconds=0,
    )
    return Overview(
        store=server.store,
        applications=server.applications,
        work=server.tasks.work,
        spool=spool,
        pace=pace,
        options=ServeOptions(data=tmp_path, workers=3, spool_bytes=12345),
    )


def test_a_server_that_has_done_nothing_has_numbers_too(overview: Overview, tmp_path: Path) -> None:
    statistics = overview.statistics()
    assert (dict(statistics.tasks), statistics.queued_seconds) == ({}, 0)
    assert (statistics.pages_per_minute, statistics.pages_total, statistics.failed_total) == (0, 0, 0)
    assert (statistics.workers, statistics.busy_workers) == (3, 0)
    assert (statistics.spool_bytes, statistics.spool_limit_bytes) == (0, 12345)
    assert statistics.disk_bytes == shutil.disk_usage(tmp_path).total
    assert 0 < statistics.free_bytes < statistics.disk_bytes
    unlimited = [ApplicationCredits(name=name, credits=None, reserved=0, used=0) for name in ("app", "other")]
    assert list(statistics.applications) == unlimited


def test_the_numbers_are_those_of_all_applications(overview: Overview, server: Server, pace: Pace) -> None:
    server.applications.credit("app", 20)
    done, failed = server.task_in(TaskStatus.COMPLETED), server.task_in(TaskStatus.PROCESSING_FAILED)
    assert done != failed
    queued = server.task_in(TaskStatus.QUEUED)
    server.set_changed(queued, pendulum.now("UTC").subtract(minutes=2))
    image = png()
    server.call("submitImage", {}, "other", image=image)
    with server.files.incoming() as arriving, pace.busy():
        arriving.write_bytes(b"x" * 1000)
        pace.note_page()
        pace.note_failure()
        statistics = overview.statistics()
    assert {status.value: count for status, count in statistics.tasks.items()} == {
        "Completed": 1,
        "ProcessingFailed": 1,
        "Queued": 1,
        "Submitted": 1,
    }
    assert 119 < statistics.queued_seconds < 180
    assert (statistics.pages_total, statistics.pages_per_minute) == (1, 0.2)
    assert (statistics.failed_total, statistics.busy_workers) == (1, 1)
    # A fetched image counts 100 bytes here.
    assert statistics.spool_bytes == 100 + len(image) + 1000
    mine, theirs = statistics.applications
    assert mine == ApplicationCredits(name="app", credits=10, reserved=5, used=5)
    assert theirs.credits is None
