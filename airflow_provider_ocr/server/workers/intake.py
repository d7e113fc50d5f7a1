# SPDX-License-Identifier: Apache-2.0
"""Brings the remote images of accepted tasks in, has them measured, and queues the tasks.

Whatever comes between, the task is Submitted until its image is held for good, and the image is fetched again
after a crash. What a source has done wrong is the task's ``error``; what this server has, is tried again.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.records.store import HeldImage
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.sources.fetching import FetchOrder
from airflow_provider_ocr.server.sources.source import FetchStoppedError, SourceError
from airflow_provider_ocr.server.workers.children import RecognitionCancelled, RecognitionFailed
from airflow_provider_ocr.server.workers.leases import Leases
from airflow_provider_ocr.server.workers.measuring import Measuring
from airflow_provider_ocr.server.workers.pace import Pace

_log = logging.getLogger("cloud_ocr_server")


class Fetcher(Protocol):
    """Brings images to disk: a `SourceFetcher`, or what stands in for one."""

    def fetch(self, url: str, target: Path) -> None:
        """Write the image behind ``url`` to ``target``, whole or not at all.

        :raises SourceError: if that is not possible.
        :raises FetchStoppedError: if the fetcher is closed.
        """

    def close(self) -> None:
        """End all fetches, those under way and those to come, with `FetchStoppedError`."""


class Intake:
    """Carries out fetch orders, one for each call.

    :param work: where tasks are claimed.
    :param leases: keeps them.
    :param files: where images are kept.
    :param fetcher: brings remote images.
    :param measuring: tells how many pages they have.
    :param pace: takes note of failures.
    """

    def __init__(
        self,
        *,
        work: Work,
        leases: Leases,
        files: ResultFiles,
        fetcher: Fetcher,
        measuring: Measuring,
        pace: Pace,
    ) -> None:
        self._work = work
        self._leases = leases
        self._files = files
        self._fetcher = fetcher
        self._measuring = measuring
        self._pace = pace

    def fetch(self, order: FetchOrder) -> None:
        """Fetch the image of one task, unless the task is gone or another server fetches it."""
        task = self._work.claim_source(order.ocr_task_id)
        if task is None:
            return
        with self._leases.hold(task):
            try:
                self._bring_in(task)
            except (FetchStoppedError, RecognitionCancelled):
                self._work.put_back(task, after_seconds=0)
            except (SourceError, RecognitionFailed) as error:
                if self._work.fail(task, str(error)):
                    self._pace.note_failure()
                    _log.info("task %s: failed: %s", task.id, error)
            except Exception:  # noqa: BLE001 - whatever it is, the task must not stay Submitted for ever
                _log.exception("task %s: the image could not be stored", task.id)
                self._work.put_back_after_fault(task)
                if self._work.is_over(task.id):
                    self._pace.note_failure()
                    self._files.delete(task.id)

    def _bring_in(self, task: StoredTask) -> None:
        with self._files.incoming() as incoming:
            self._fetcher.fetch(task.source or "", incoming)
            image = self._measure(task, incoming)
            self._files.keep(incoming, task.id)
        if self._work.fetched(task, image):
            _log.info("task %s: image fetched", task.id)
        elif self._work.is_over(task.id):
            self._files.delete(task.id)

    def _measure(self, task: StoredTask, image: Path) -> HeldImage:
        measured = self._measuring.measure(
            [image], application=task.application, pdf_password=task.settings.pdf_password
        )
        return HeldImage(size=image.stat().st_size, pages=measured.pages, billed_pages=measured.billed_pages)
