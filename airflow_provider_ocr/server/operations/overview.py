# SPDX-License-Identifier: Apache-2.0
"""The numbers of the moment, for status page and metrics."""

from __future__ import annotations

import shutil

from airflow_provider_ocr.server.files.spool import Spool
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.operations.statistics import ApplicationCredits, Statistics
from airflow_provider_ocr.server.records.applications import Application, Applications
from airflow_provider_ocr.server.records.store import Store
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.workers.pace import Pace


class Overview:
    """Asks all parts of a server how they are doing.

    :param store: the tasks.
    :param applications: who may have how many credits.
    :param work: what waits.
    :param spool: how full it is.
    :param pace: how fast it goes.
    :param options: what the server was started with.
    """

    def __init__(
        self,
        *,
        store: Store,
        applications: Applications,
        work: Work,
        spool: Spool,
        pace: Pace,
        options: ServeOptions,
    ) -> None:
        self._store = store
        self._applications = applications
        self._work = work
        self._spool = spool
        self._pace = pace
        self._options = options

    def statistics(self) -> Statistics:
        """The numbers as they are now."""
        level = self._spool.level()
        return Statistics(
            tasks=self._store.counts(),
            queued_seconds=self._work.queued_seconds(),
            pages_per_minute=self._pace.pages_per_minute,
            pages_total=self._pace.pages_total,
            failed_total=self._pace.failures_total,
            workers=self._options.workers,
            busy_workers=self._pace.busy_workers,
            spool_bytes=level.held + level.incoming,
            spool_limit_bytes=self._options.spool_bytes,
            free_bytes=level.free,
            disk_bytes=shutil.disk_usage(self._options.data).total,
            applications=tuple(map(_credits, self._applications.all())),
        )


def _credits(application: Application) -> ApplicationCredits:
    limit = application.credits
    return ApplicationCredits(
        name=application.name,
        credits=None if limit is None else limit - application.reserved,
        reserved=application.reserved,
        used=application.used,
    )
