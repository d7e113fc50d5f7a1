# SPDX-License-Identifier: Apache-2.0
"""Deletes what has been kept for long enough: first in the database, then the files, and no file twice over.

A file that cannot be deleted is tried again at each sweep. What a crash has left in the storage is found by
comparing it with the database, about once an hour.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pendulum

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.records.expiry import Expiry, Standing
from airflow_provider_ocr.server.records.stored_task import StoredTask

# The names that the server gives to tasks; a storage may have other folders beside theirs.
_TASK_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ORPHANED_AFTER = pendulum.duration(hours=1)
_ORPHANS_EVERY = pendulum.duration(hours=1)
_AT_ONCE = 500

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


@dataclass(frozen=True, slots=True)
class Orphan:
    """Files that nobody will ask for.

    :param ocr_task_id: under whose name they lie.
    :param run: the run that they are the results of; None for all that lies under that name.
    """

    ocr_task_id: str
    run: str | None

    def delete(self, files: ResultFiles, ocr_task_id: str) -> None:
        """Delete them, in the way of `ResultFiles.delete`."""
        if self.run is None:
            files.delete(ocr_task_id)
        else:
            files.discard_run(ocr_task_id, self.run)


class Orphans:
    """What a storage has that the database does not know, or has given up.

    A task in the making has its image before its row. So only what is older than an hour counts, by the
    storage's own times; and a file under a name that is no task's is somebody else's.

    :param expiry: tells which tasks there are.
    :param files: where the files are.
    """

    def __init__(self, *, expiry: Expiry, files: ResultFiles) -> None:
        self._expiry = expiry
        self._files = files
        # A task has other runs only until it completes again, under another run: it is listed once for each.
        self._listed: set[tuple[str, str | None]] = set()

    def find(self, now: pendulum.DateTime, *, deleted_at_once: bool = False) -> Iterator[Orphan]:
        """Look for them, and give each as it is found.

        :param deleted_at_once: whether those of Deleted tasks count however young they are.
        """
        before = now - _ORPHANED_AFTER
        owners = sorted(filter(_TASK_ID.fullmatch, self._files.owners()))
        listed: set[tuple[str, str | None]] = set()
        for start in range(0, len(owners), _AT_ONCE):
            batch = owners[start : start + _AT_ONCE]
            # After the listing: what has had its row since then is known.
            standing = self._expiry.standing(batch)
            for owner in batch:
                task = standing.get(owner)
                if task is not None and task.has_files:
                    continue
                deleted = task is not None and task.status is TaskStatus.DELETED
                if (deleted and deleted_at_once) or _is_over(self._files.changed(owner), before):
                    yield Orphan(owner, None)
            named = {owner: task.run for owner, task in standing.items() if _is_settled(task)}
            listed |= self._listed.intersection(named.items())
            for owner, others in self._other_runs(dict(named.items() - listed)).items():
                yield from self._unnamed(owner, others, before)
                if not others:
                    listed.add((owner, named[owner]))
        self._listed = listed

    def _other_runs(self, named: Mapping[str, str | None]) -> dict[str, list[str]]:
        found = self._files.runs(list(named))
        return {owner: [run for run in runs if run != named[owner]] for owner, runs in found.items()}

    def _unnamed(self, owner: str, runs: list[str], before: pendulum.DateTime) -> Iterator[Orphan]:
        """Those of a task's runs that will not be named any more."""
        for run in runs:
            if not _is_over(self._files.changed(owner, run), before):
                continue
            # Asked again: a run that was listed may have been named meanwhile.
            task = self._expiry.standing([owner]).get(owner)
            if task is not None and _is_settled(task) and task.run != run:
                yield Orphan(owner, run)


def _is_settled(task: Standing) -> bool:
    """Whether nobody is making results of a task that has files."""
    return task.has_files and task.status is not TaskStatus.IN_PROGRESS


def _is_over(changed: pendulum.DateTime | None, before: pendulum.DateTime) -> bool:
    return changed is not None and changed < before


class Sweeper:
    """Sweeps now and then, in a thread.

    :param expiry: tells and notes whose time is over.
    :param files: what is deleted.
    :param keep: the times.
    :param seconds: how long to wait between two sweeps. Orphans are looked for at the first, and then hourly.
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
        self._orphans = Orphans(expiry=expiry, files=files)
        self._orphans_sought: pendulum.DateTime | None = None

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
        if self._orphans_sought is None or now - self._orphans_sought >= _ORPHANS_EVERY:
            self._delete_orphans(now)
            self._orphans_sought = now
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

    def _delete_orphans(self, now: pendulum.DateTime) -> None:
        for orphan in self._orphans.find(now):
            if self._stopped.is_set():
                return
            _log.info("task %s: something was left of it in the storage, which goes now", orphan.ocr_task_id)
            self._delete(orphan.ocr_task_id, partial(orphan.delete, self._files))

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
