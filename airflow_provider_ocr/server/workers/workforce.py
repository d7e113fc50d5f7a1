# SPDX-License-Identifier: Apache-2.0
"""All who work on tasks, from the order to fetch an image to the published result, as one.

What an earlier run of the server left is taken up at the start, and what another server left behind for good,
or this one has put back, is found by looking again from time to time.
"""

from __future__ import annotations

import logging
import threading
import time

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.sources.fetching import Fetchers, FetchOrder
from airflow_provider_ocr.server.workers.leases import Leases
from airflow_provider_ocr.server.workers.measuring import Measuring
from airflow_provider_ocr.server.workers.pace import Pace
from airflow_provider_ocr.server.workers.worker import Workers

_LOOK_SECONDS = 15.0
_COUNT_SECONDS = 1.0

_log = logging.getLogger("cloud_ocr_server")


class Workforce:
    """Fetchers and workers.

    :param work: what there is to do.
    :param leases: keeps what they do from others.
    :param fetchers: bring images in.
    :param measuring: measures them.
    :param workers: recognise.
    :param pace: how fast.
    :param count: how many workers there are.
    """

    def __init__(
        self,
        *,
        work: Work,
        leases: Leases,
        fetchers: Fetchers,
        measuring: Measuring,
        workers: Workers,
        pace: Pace,
        count: int,
    ) -> None:
        self._work = work
        self._leases = leases
        self._fetchers = fetchers
        self._measuring = measuring
        self._workers = workers
        self._pace = pace
        self._count = count
        self._stopping = threading.Event()
        self._looking = threading.Thread(target=self._look_until_stopped, name="look-again")
        self._ahead = (0.0, 0)

    def start(self) -> None:
        """Take up what an earlier run left, and begin to work."""
        interrupted = self._work.give_up_old_leases()
        unfetched = self._look()
        if interrupted or unfetched:
            _log.info("taking up %d interrupted and %d unfetched tasks", interrupted, unfetched)
        self._leases.start()
        self._fetchers.start()
        self._workers.start()
        self._looking.start()

    def stop(self) -> None:
        """Stop at once; what is under way goes on at the next start."""
        self._stopping.set()
        if self._looking.ident is not None:  # all came up
            self._looking.join()
        self._fetchers.stop()
        self._workers.stop()
        self._measuring.stop()
        self._leases.stop()

    def accept(self, task: StoredTask) -> None:
        """Begin to fetch the image of a Submitted task."""
        self._fetchers.accept(
            FetchOrder(ocr_task_id=task.id, application=task.application, url=task.source or "")
        )

    def wake(self) -> None:
        """Look for Queued tasks now."""
        self._workers.wake()

    def seconds_until_done(self, task: StoredTask) -> int:
        """How long a task will take that is Queued, with all that waits now ahead of it, or InProgress."""
        own = max(1, task.pages)
        if task.status is TaskStatus.IN_PROGRESS:
            return self._pace.seconds(own)
        return self._pace.seconds(max(own, self._pages_ahead()), workers=self._count)

    def _pages_ahead(self) -> int:
        counted, pages = self._ahead
        now = time.monotonic()
        if now - counted > _COUNT_SECONDS:
            pages = self._work.pages_waiting()
            self._ahead = (now, pages)
        return pages

    def _look(self) -> int:
        found = self._work.unfetched()
        for task in found:
            self.accept(task)
        return len(found)

    def _look_until_stopped(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - the database may be back in time for the next look
                _log.exception("the tasks whose images are to be fetched could not be read")
