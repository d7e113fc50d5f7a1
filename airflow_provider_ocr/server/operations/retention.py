# SPDX-License-Identifier: Apache-2.0
"""Deletes what has been kept for long enough: first in the database, then the files, and no file twice over.

A file that cannot be deleted is tried again at each sweep, and by the next start at the latest.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pendulum

from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.records.expiry import Expiry
from airflow_provider_ocr.server.records.stored_task import StoredTask

_log = logging.getLogger("cloud_ocr_server")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepTimes:
    """How long things are kept, of applications that have no time of their own.

    :param images: images and recognised pages, after the last image came.
    :param results: results, after they were made.
    :param records: that there was a task, after it was deleted.
    """

    images: pendulum.Duration
    results: pendulum.Duration
    records: pendulum.Duration

    @classmethod
    def of(cls, options: ServeOptions) -> KeepTimes:
        """What a server was started with."""
        return cls(
            images=pendulum.duration(hours=options.keep_images_hours),
            results=pendulum.duration(hours=options.keep_results_hours),
            records=pendulum.duration(days=options.keep_records_days),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did.

    :param tasks: how many tasks it deleted.
    :param images: of how many more tasks it deleted the images.
    :param records: how many records it removed.
    """

    tasks: int
    images: int
    records: int


class Sweeper:
    """Sweeps now and then, in a thread.

    :param expiry: tells and notes whose time is over.
    :param files: what is deleted.
    :param keep: the times.
    :param seconds: how long to wait between two sweeps.
    """

    def __init__(
        self, *, expiry: Expiry, files: ResultFiles, keep: KeepTimes, seconds: float = 300.0
    ) -> None:
        self._expiry = expiry
        self._files = files
        self._keep = keep
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)
        self._undeleted: dict[str, Callable[[str], None]] = {}

    def start(self) -> None:
        """Begin with a sweep."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the task at hand, and no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def sweep(self, now: pendulum.DateTime) -> Swept:
        """Delete everything whose time is over at ``now``."""
        for ocr_task_id, delete in list(self._undeleted.items()):
            self._delete(ocr_task_id, delete)
        tasks = sum(self._expire(task) for task in self._expired(now))
        images = sum(self._expire_images(task) for task in self._images_expired(now))
        records = self._expiry.forget_records(now - self._keep.records)
        self._expiry.compact()
        return Swept(tasks=tasks, images=images, records=records)

    def _run(self) -> None:
        while True:
            try:
                swept = self.sweep(pendulum.now("UTC"))
            except Exception:  # noqa: BLE001 - whatever database and storage raise, the next sweep has to come
                _log.exception("expired tasks could not be deleted; they are tried again")
            else:
                if swept.tasks or swept.images or swept.records:
                    _log.info(
                        "kept long enough: %d tasks, the images of %d more, %d records",
                        *(swept.tasks, swept.images, swept.records),
                    )
            if self._stopped.wait(self._seconds):
                return

    def _expired(self, now: pendulum.DateTime) -> Iterator[StoredTask]:
        return self._each(
            lambda: self._expiry.expired(now, keep_images=self._keep.images, keep_results=self._keep.results)
        )

    def _images_expired(self, now: pendulum.DateTime) -> Iterator[StoredTask]:
        return self._each(lambda: self._expiry.images_expired(now, keep_images=self._keep.images))

    def _each(self, some: Callable[[], list[StoredTask]]) -> Iterator[StoredTask]:
        """Every task that ``some`` gives, until it gives none that was not there before."""
        seen: set[str] = set()
        while fresh := [task for task in some() if task.id not in seen]:
            for task in fresh:
                if self._stopped.is_set():
                    return
                seen.add(task.id)
                yield task

    def _expire(self, task: StoredTask) -> bool:
        if not self._expiry.expire(task):
            return False
        self._delete(task.id, self._files.delete)
        _log.info("task %s: deleted, it was kept long enough", task.id)
        return True

    def _expire_images(self, task: StoredTask) -> bool:
        if not self._expiry.forget_images(task):
            return False
        self._delete(task.id, self._files.delete_images)
        _log.info("task %s: its images are deleted, they were kept long enough", task.id)
        return True

    def _delete(self, ocr_task_id: str, delete: Callable[[str], None]) -> None:
        try:
            delete(ocr_task_id)
        except Exception:  # noqa: BLE001 - each storage has errors of its own
            _log.exception("task %s: its files could not be deleted; they are tried again", ocr_task_id)
            self._undeleted[ocr_task_id] = delete
        else:
            self._undeleted.pop(ocr_task_id, None)
