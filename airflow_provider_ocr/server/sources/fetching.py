# SPDX-License-Identifier: Apache-2.0
"""Which image is fetched when: applications take turns, and no host and no application gets all at once.

An order counts for the host that its URL names. Which host a redirect leads to is known only when the
transfer has begun: there it waits for its turn at that host (`host_turns`).
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from airflow_provider_ocr.server.files.spool import Spool, SpoolFullError
from airflow_provider_ocr.server.sources.host_turns import CONNECTIONS_PER_HOST, canonical_host
from airflow_provider_ocr.server.sources.source import SourceError, check_url

_log = logging.getLogger("cloud_ocr_server")


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """An image to fetch.

    :param ocr_task_id: the task that it is for.
    :param application: whose task it is.
    :param url: where the image lies.
    """

    ocr_task_id: str
    application: str
    url: str

    @property
    def host(self) -> str:
        """The host that the fetch counts for; empty where the server would not try the URL."""
        try:
            return canonical_host(check_url(self.url))
        except SourceError:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How many images are fetched at the same time.

    :param in_all: by the whole server.
    :param per_host: from one host.
    :param per_application: for one application.
    """

    in_all: int = 16
    per_host: int = CONNECTIONS_PER_HOST
    per_application: int = 12


class FetchTurns:
    """Decides which order is next. Not for several threads at once.

    Applications take turns, and so do the hosts of an application; what one application wants from one
    host is fetched in the order in which it came.

    :param limits: how much may be under way at the same time.
    """

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._waiting: OrderedDict[str, OrderedDict[str, deque[FetchOrder]]] = OrderedDict()
        self._known: set[str] = set()
        self._hosts: Counter[str] = Counter()
        self._applications: Counter[str] = Counter()

    @property
    def under_way(self) -> int:
        """How many orders were given out and are not done."""
        return self._applications.total()

    def add(self, order: FetchOrder) -> bool:
        """Let an order wait for its turn.

        :returns: False if an order for its task waits or is under way already; then nothing changes.
        """
        if order.ocr_task_id in self._known:
            return False
        self._known.add(order.ocr_task_id)
        hosts = self._waiting.setdefault(order.application, OrderedDict())
        hosts.setdefault(order.host, deque()).append(order)
        return True

    def take(self) -> FetchOrder | None:
        """The next order, which is under way from now on; None if none may begin now."""
        if self.under_way >= self._limits.in_all:
            return None
        for application in self._waiting:
            host = self._free_host(application)
            if host is not None:
                return self._begin(application, host)
        return None

    def done(self, order: FetchOrder) -> None:
        """Note that an order that was given out is under way no more."""
        self._known.discard(order.ocr_task_id)
        _count_down(self._hosts, order.host)
        _count_down(self._applications, order.application)

    def _free_host(self, application: str) -> str | None:
        if self._applications[application] >= self._limits.per_application:
            return None
        hosts = self._waiting[application]
        return next((host for host in hosts if self._hosts[host] < self._limits.per_host), None)

    def _begin(self, application: str, host: str) -> FetchOrder:
        hosts = self._waiting[application]
        order = hosts[host].popleft()
        hosts.move_to_end(host)
        if not hosts[host]:
            del hosts[host]
        self._waiting.move_to_end(application)
        if not hosts:
            del self._waiting[application]
        self._hosts[host] += 1
        self._applications[application] += 1
        return order


class Fetchers:
    """The threads that fetch. Safe to use from several threads.

    :param fetch: fetches one image and notes what became of it. What it raises is logged and the order is
        over; orders go on.
    :param spool: while it has no room, no fetch begins.
    :param image_bytes: how large an image may be; so much room is set aside for each fetch under way.
    :param interrupt: makes the fetches that are under way end soon.
    :param limits: how much may be under way at the same time.
    :param full_seconds: how long to wait before the spool is asked again.
    """

    def __init__(
        self,
        *,
        fetch: Callable[[FetchOrder], None],
        spool: Spool,
        image_bytes: int,
        interrupt: Callable[[], None],
        limits: FetchLimits | None = None,
        full_seconds: float = 1.0,
    ) -> None:
        self._fetch = fetch
        self._spool = spool
        self._image_bytes = image_bytes
        self._interrupt = interrupt
        self._full_seconds = full_seconds
        limits = limits or FetchLimits()
        self._turns = FetchTurns(limits)
        self._changed = threading.Condition()
        self._stopping = False
        # Daemons: a host that is slow to answer must not keep a stopped server from ending.
        self._threads = [
            threading.Thread(target=self._fetch_until_stopped, name=f"fetch-{number}", daemon=True)
            for number in range(limits.in_all)
        ]

    def start(self) -> None:
        """Begin to fetch."""
        for thread in self._threads:
            thread.start()

    def accept(self, order: FetchOrder) -> None:
        """Fetch this as soon as it is its turn, also if that is after `start` only.

        An order for a task that waits or is being fetched already is passed over.
        """
        with self._changed:
            if self._turns.add(order):
                self._changed.notify()

    def stop(self, *, wait_seconds: float = 5.0) -> None:
        """Begin no more fetches, interrupt those that are under way and wait for their end.

        :param wait_seconds: how long to wait at most; what has not ended by then ends with the process.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._interrupt()
        with self._changed:
            self._changed.wait_for(lambda: self._turns.under_way == 0, timeout=wait_seconds)

    def _fetch_until_stopped(self) -> None:
        while (order := self._next()) is not None:
            try:
                self._fetch(order)
            except Exception:  # noqa: BLE001 - a thread that ends is worse than an order that failed
                _log.exception("task %s: what became of its image could not be noted", order.ocr_task_id)
            finally:
                with self._changed:
                    self._turns.done(order)
                    # Two orders may be free now: one of this host, another one of this application.
                    self._changed.notify_all()

    def _next(self) -> FetchOrder | None:
        """The order to fetch now, once there is one; None if it is time to stop."""
        with self._changed:
            while not self._stopping:
                room = self._has_room()
                order = self._turns.take() if room else None
                if order is not None:
                    return order
                self._changed.wait(None if room else self._full_seconds)
        return None

    def _has_room(self) -> bool:
        try:
            self._spool.room(expected_bytes=self._turns.under_way * self._image_bytes)
        except SpoolFullError:
            return False
        except Exception:  # noqa: BLE001 - the database failed; the thread asks again
            _log.exception("how much room there is for images could not be found out")
            return False
        return True


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
