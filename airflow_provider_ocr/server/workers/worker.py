# SPDX-License-Identifier: Apache-2.0
"""The workers: have queued documents recognised, slice by slice, and publish the results.

The supervisor side of the server: it has the database and the files, and opens no image. Images are opened in
disposable children that have neither. A document that is interrupted at any point goes on from the last page
that was kept; a result counts only if the lease it was made under still holds.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.workers.children import (
    ExportJob,
    PageFailure,
    RecognitionCancelled,
    RecognitionFailed,
    RecognitionJob,
    RecognitionSummary,
    recognition_key,
)
from airflow_provider_ocr.server.workers.leases import Leases
from airflow_provider_ocr.server.workers.pace import Pace
from airflow_provider_ocr.server.workers.recogniser import Recogniser

SLICE_SECONDS = 10.0

_IDLE_SECONDS = 1.0
_STOP_SECONDS = 0.2

_log = logging.getLogger("cloud_ocr_server")


class Workers:
    """The threads that have documents recognised, each with a recogniser of its own.

    :param work: where documents are claimed.
    :param leases: keeps them.
    :param files: where images, pages and results lie.
    :param new_child: makes a recogniser.
    :param count: how many documents are recognised at the same time.
    :param page_failure: what a page that cannot be recognised does to its document.
    :param pace: takes note of how long pages take.
    :param slice_seconds: how long a document keeps a worker while others wait.
    """

    def __init__(
        self,
        *,
        work: Work,
        leases: Leases,
        files: ResultFiles,
        new_child: Callable[[], Recogniser],
        count: int,
        page_failure: PageFailure,
        pace: Pace,
        slice_seconds: float = SLICE_SECONDS,
    ) -> None:
        self._work = work
        self._leases = leases
        self._files = files
        self._page_failure = page_failure
        self._pace = pace
        self._slice_seconds = slice_seconds
        self._stopping = threading.Event()
        self._arrived = threading.Condition()
        self._children = [new_child() for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._recognise_until_stopped, args=(child,), name=f"recognise-{number}")
            for number, child in enumerate(self._children)
        ]

    def start(self) -> None:
        """Begin to work."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop at once; what is under way goes on at the next start."""
        self._stopping.set()
        with self._arrived:
            self._arrived.notify_all()
        for child, thread in zip(self._children, self._threads, strict=True):
            while thread.is_alive():
                # Again and again: the thread may have been about to start a job.
                child.kill()
                thread.join(_STOP_SECONDS)

    def wake(self) -> None:
        """Look for queued documents now."""
        with self._arrived:
            self._arrived.notify()

    def _recognise_until_stopped(self, child: Recogniser) -> None:
        while not self._stopping.is_set():
            try:
                if self._recognise_next(child):
                    continue
            except Exception:  # noqa: BLE001 - a worker that ends is worse than one that tries again
                _log.exception("a worker is going on after an error")
            with self._arrived:
                if not self._stopping.is_set():
                    self._arrived.wait(_IDLE_SECONDS)
        child.close()

    def _recognise_next(self, child: Recogniser) -> bool:
        """Whether there was a document to recognise."""
        task = self._work.claim()
        if task is None:
            return False
        with self._leases.hold(task), self._pace.busy():
            try:
                self._recognise(task, child)
            except RecognitionCancelled:
                self._work.put_back(task, after_seconds=0)
            except RecognitionFailed as failure:
                self._fail(task, failure)
            except Exception:
                self._put_back_after_fault(task)
                raise
            finally:
                self._files.release(task.id)
        return True

    def _recognise(self, task: StoredTask, child: Recogniser) -> None:
        with self._files.local_images(task.id, task.files_count) as images:
            recognition = recognition_key(task.settings)
            pages = self._files.pages_folder(task.id, recognition)
            job = RecognitionJob(
                images=images,
                settings=task.settings,
                pages=pages,
                seconds=self._slice_seconds,
                page_failure=self._page_failure,
            )
            while True:
                begin = time.monotonic()
                if self._recognise_slice(task, job, child):
                    break
                self._files.keep_pages(task.id, recognition)
                if self._gave_way(task, seconds=time.monotonic() - begin):
                    return
            self._files.keep_pages(task.id, recognition)
            self._export(task, job, child)

    def _recognise_slice(self, task: StoredTask, job: RecognitionJob, child: Recogniser) -> bool:
        """Whether all pages are there."""
        progress = child.recognise(
            job,
            lambda page, pages: self._note_page(task, page, pages),
            lambda page, reason: _log.warning("task %s: page %d is kept unread: %s", task.id, page, reason),
        )
        _log.info("task %s: %d of %d pages are recognised", task.id, progress.done, progress.pages)
        return progress.complete

    def _gave_way(self, task: StoredTask, *, seconds: float) -> bool:
        """Whether the task was given back, because others wait that come first."""
        return self._work.others_wait() and self._work.put_back(task, after_seconds=seconds)

    def _export(self, task: StoredTask, job: RecognitionJob, child: Recogniser) -> None:
        run = _run(task)
        output = self._files.new_run(task.id, run)
        try:
            summary = child.export(
                ExportJob(images=job.images, settings=job.settings, pages=job.pages, output=output)
            )
            # Files first: whoever reads "Completed" finds them.
            self._files.publish(task.id, run)
        except BaseException:
            self._files.discard_run(task.id, run)
            raise
        # No more in doubt than this: a run that the database may have named is not discarded.
        if self._work.complete(task, run=run, pages=summary.pages, quality=quality_headers(summary)):
            self._files.drop_other_runs(task.id, run)
            _log.info("task %s: completed", task.id)
        else:
            self._files.discard_run(task.id, run)
            self._note_lost_lease(task)

    def _note_page(self, task: StoredTask, page: int, pages: int) -> None:
        self._pace.note_page()
        _log.info("task %s: page %d of %d", task.id, page, pages)

    def _put_back_after_fault(self, task: StoredTask) -> None:
        if self._work.put_back_after_fault(task) and self._work.is_over(task.id):
            self._pace.note_failure()
            self._files.delete(task.id)

    def _fail(self, task: StoredTask, failure: RecognitionFailed) -> None:
        if failure.log:
            _log.warning("task %s: the recognition process wrote: %s", task.id, failure.log)
        if self._work.fail(task, str(failure)):
            self._pace.note_failure()
            _log.info("task %s: failed: %s", task.id, failure)
            self._files.delete(task.id)
        else:
            self._note_lost_lease(task)

    def _note_lost_lease(self, task: StoredTask) -> None:
        _log.warning("task %s: its lease was lost, what was done under it does not count", task.id)
        if self._work.is_over(task.id):
            self._files.delete(task.id)


def _run(task: StoredTask) -> str:
    """The name of what is exported of a claimed task: the lease, which nobody else has had."""
    assert task.lease is not None  # noqa: S101 - a claimed task has one
    return task.lease


def quality_headers(summary: RecognitionSummary) -> dict[str, str]:
    """How well a document was read, as the HTTP headers that come with its results."""
    confidence = summary.word_confidence
    return {
        "X-Ocr-Pages": str(summary.pages),
        "X-Ocr-Blank-Pages": str(summary.blank_pages),
        "X-Ocr-Failed-Pages": str(summary.failed_pages),
        "X-Ocr-Word-Confidence": "" if confidence is None else f"{confidence:.1f}",
        "X-Ocr-Low-Words": str(summary.low_words),
        "X-Ocr-Rotated-Pages": str(summary.rotated_pages),
        "X-Ocr-Engine": summary.engine,
    }
