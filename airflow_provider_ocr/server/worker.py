# SPDX-License-Identifier: Apache-2.0
"""The workers: fetch the images of accepted tasks, have them recognised, publish the results.

The supervisor side of the server: it has the database, the files and the network, and opens no image.
Images are opened in disposable children that have none of these. A task that is interrupted at any point
is taken up again at the next start; what it had half written is gone by then.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from pathlib import Path

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.children import (
    RecognitionChild,
    RecognitionFailed,
    RecognitionJob,
    RecognitionSummary,
)
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.source import SourceError, SourceFetcher
from airflow_provider_ocr.server.store import Store, StoredTask, encode_quality
from airflow_provider_ocr.server.tasks import Move, price

_FETCHERS = 4
_IDLE_SECONDS = 1.0
_STOP_SECONDS = 0.2
_FIRST_GUESS_SECONDS = 5.0

_log = logging.getLogger("cloud_ocr_server")


class Workers:
    """All the threads that work on tasks.

    :param store: where tasks are kept.
    :param files: where images and results lie.
    :param fetcher: brings remote images.
    :param tessdata: the folder with recognition data.
    :param count: how many documents are recognised at the same time.
    """

    def __init__(
        self, *, store: Store, files: ResultFiles, fetcher: SourceFetcher, tessdata: Path, count: int
    ) -> None:
        self._store = store
        self._files = files
        self._fetcher = fetcher
        self._pace = _Pace(count)
        self._stopping = threading.Event()
        self._work = threading.Condition()
        self._unfetched: queue.SimpleQueue[StoredTask | None] = queue.SimpleQueue()
        # Daemons: a host that is slow to answer must not keep a stopped server from ending.
        self._fetchers = [
            threading.Thread(target=self._fetch_until_stopped, name=f"fetch-{number}", daemon=True)
            for number in range(_FETCHERS)
        ]
        self._children = [RecognitionChild(tessdata=tessdata) for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._recognise_until_stopped, args=(child,), name=f"recognise-{number}")
            for number, child in enumerate(self._children)
        ]

    def start(self) -> None:
        """Take up what an earlier run left, and begin to work."""
        self._files.clear_up(self._store.holding_files())
        interrupted = self._store.requeue_interrupted()
        unfetched = self._store.unfetched()
        if interrupted or unfetched:
            _log.info("taking up %d interrupted and %d unfetched tasks", interrupted, len(unfetched))
        for task in unfetched:
            self.accept(task)
        for thread in (*self._fetchers, *self._threads):
            thread.start()

    def stop(self) -> None:
        """Stop at once; what is under way goes on at the next start."""
        self._stopping.set()
        with self._work:
            self._work.notify_all()
        for _ in self._fetchers:
            self._unfetched.put(None)
        self._fetcher.close()
        for child, thread in zip(self._children, self._threads, strict=True):
            while thread.is_alive():
                # Again and again: the thread may have been about to start a job.
                child.kill()
                thread.join(_STOP_SECONDS)

    def accept(self, task: StoredTask) -> None:
        """Begin to fetch the image of a Submitted task."""
        self._unfetched.put(task)

    def wake(self) -> None:
        """Look for Queued tasks now."""
        with self._work:
            self._work.notify()

    def seconds_until_done(self) -> int:
        """How long a queued task will take, from the pace of the last ones and the length of the queue."""
        return self._pace.estimate(self._store.count(TaskStatus.QUEUED))

    def _fetch_until_stopped(self) -> None:
        while (task := self._unfetched.get()) is not None and not self._stopping.is_set():
            try:
                self._fetch(task)
            except Exception:  # noqa: BLE001 - the database failed; the next start fetches again
                _log.exception("task %s: what became of its image could not be noted", task.id)

    def _fetch(self, task: StoredTask) -> None:
        try:
            with self._files.incoming() as image:
                self._fetcher.fetch(task.source or "", image)
                self._files.keep(image, task.id)
        except SourceError as error:
            self._fail(task, TaskStatus.SUBMITTED, str(error))
        except Exception:  # noqa: BLE001 - whatever it is, the task must not stay Submitted for ever
            _log.exception("task %s: the image could not be stored", task.id)
            self._fail(task, TaskStatus.SUBMITTED, "Internal error while the source image was fetched.")
        else:
            if self._store.move(task.id, Move(TaskStatus.SUBMITTED, TaskStatus.QUEUED), source=None):
                _log.info("task %s: image fetched", task.id)
                self.wake()
            else:
                self._files.delete(task.id)

    def _recognise_until_stopped(self, child: RecognitionChild) -> None:
        while not self._stopping.is_set():
            try:
                if self._recognise_next(child):
                    continue
            except Exception:  # noqa: BLE001 - a worker that ends is worse than one that tries again
                _log.exception("a worker is going on after an error")
            with self._work:
                if not self._stopping.is_set():
                    self._work.wait(_IDLE_SECONDS)
        child.close()

    def _recognise_next(self, child: RecognitionChild) -> bool:
        """Whether there was a task to recognise."""
        task = self._store.claim_queued()
        if task is None:
            return False
        try:
            self._recognise(task, child)
        except Exception:
            # The disk or the system failed, not the document: it is tried again, after the others.
            self._store.move(task.id, Move(TaskStatus.IN_PROGRESS, TaskStatus.QUEUED))
            raise
        return True

    def _recognise(self, task: StoredTask, child: RecognitionChild) -> None:
        begin = time.monotonic()
        output = self._files.new_work_folder(task.id)
        images = tuple(self._files.image(task.id, number + 1) for number in range(task.files_count))
        job = RecognitionJob(images=images, settings=task.settings, output=output)
        try:
            summary = child.run(job, on_page=lambda page, pages: _log_page(task, page, pages))
        except RecognitionFailed as failure:
            self._files.discard_work(task.id)
            if failure.log:
                _log.warning("task %s: the recognition process wrote: %s", task.id, failure.log)
            self._fail(task, TaskStatus.IN_PROGRESS, str(failure))
            return
        self._publish(task, summary)
        seconds = time.monotonic() - begin
        self._pace.note(seconds)
        _log.info("task %s: completed, %d pages in %.1f s", task.id, summary.pages, seconds)

    def _publish(self, task: StoredTask, summary: RecognitionSummary) -> None:
        # Files first: whoever reads "Completed" finds them.
        self._files.publish(task.id)
        self._store.move(
            task.id,
            Move(TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED),
            credits=price(summary.pages),
            quality=encode_quality(quality_headers(summary)),
        )

    def _fail(self, task: StoredTask, origin: TaskStatus, error: str) -> None:
        if self._stopping.is_set():
            return  # what failed may have been stopped; the next start tries again
        if self._store.move(task.id, Move(origin, TaskStatus.PROCESSING_FAILED), error=error, source=None):
            _log.info("task %s: failed: %s", task.id, error)
        self._files.delete(task.id)


def quality_headers(summary: RecognitionSummary) -> dict[str, str]:
    """How well a document was read, as the HTTP headers that come with its results."""
    confidence = summary.word_confidence
    return {
        "X-Ocr-Pages": str(summary.pages),
        "X-Ocr-Blank-Pages": str(summary.blank_pages),
        "X-Ocr-Word-Confidence": "" if confidence is None else f"{confidence:.1f}",
        "X-Ocr-Low-Words": str(summary.low_words),
        "X-Ocr-Rotated-Pages": str(summary.rotated_pages),
        "X-Ocr-Engine": summary.engine,
    }


class _Pace:
    """How long documents have been taking of late."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._seconds = _FIRST_GUESS_SECONDS
        self._lock = threading.Lock()

    def note(self, seconds: float) -> None:
        """A document took so long; later ones count more than earlier ones."""
        with self._lock:
            self._seconds += 0.2 * (seconds - self._seconds)

    def estimate(self, queued: int) -> int:
        """Seconds until the last of the queued documents is done."""
        with self._lock:
            return max(1, round(self._seconds * (queued + 1) / self._workers))


def _log_page(task: StoredTask, page: int, pages: int) -> None:
    _log.info("task %s: page %d of %d", task.id, page, pages)
