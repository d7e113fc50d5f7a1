# SPDX-License-Identifier: Apache-2.0
"""Keeps the leases of what this server works on: as long as it lives, nobody else takes it up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import LEASE_SECONDS, Work

_log = logging.getLogger("cloud_ocr_server")


class Leases:
    """The leases of one server.

    :param work: where they are renewed.
    :param every_seconds: how often.
    """

    def __init__(self, work: Work, *, every_seconds: float = LEASE_SECONDS / 4) -> None:
        self._work = work
        self._every_seconds = every_seconds
        self._held: dict[str, StoredTask] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._renew_until_stopped, name="leases")

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def stop(self) -> None:
        """Renew no more."""
        self._stopping.set()
        if self._thread.ident is not None:  # it was started
            self._thread.join()

    @contextmanager
    def hold(self, task: StoredTask) -> Iterator[None]:
        """Renew the lease of a claimed task for as long as this lasts."""
        with self._lock:
            self._held[task.id] = task
        try:
            yield
        finally:
            with self._lock:
                del self._held[task.id]

    def _renew_until_stopped(self) -> None:
        while not self._stopping.wait(self._every_seconds):
            with self._lock:
                held = list(self._held.values())
            try:
                if held:
                    self._work.renew(held)
            except Exception:  # noqa: BLE001 - the database may be back in time for the next round
                _log.exception("the leases of %d tasks could not be renewed", len(held))
