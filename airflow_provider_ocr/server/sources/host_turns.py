# SPDX-License-Identifier: Apache-2.0
"""No more than a few connections to one host, whoever led there: a source, a redirect, another spelling."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CONNECTIONS_PER_HOST = 4

_LOOK_SECONDS = 0.2


class HostTurns:
    """Who may be connected to a host. Safe to use from several threads.

    :param at_once: connections to one host at the same time.
    """

    def __init__(self, at_once: int = CONNECTIONS_PER_HOST) -> None:
        self._at_once = at_once
        self._connected: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, host: str, *, check: Callable[[], None]) -> Iterator[None]:
        """Wait until there is a place for another connection to a host, and keep it while this lasts.

        :param check: called while it waits; what it raises ends the wait.
        """
        name = canonical_host(host)
        with self._changed:
            while self._connected[name] >= self._at_once:
                self._changed.wait(_LOOK_SECONDS)
                check()
            self._connected[name] += 1
        try:
            yield
        finally:
            with self._changed:
                self._connected[name] -= 1
                if not self._connected[name]:
                    del self._connected[name]
                self._changed.notify_all()


def canonical_host(host: str) -> str:
    """One spelling for all of a host's: lower case, and an address in its usual form."""
    name = host.lower().rstrip(".")
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        # Also decimal, octal and hexadecimal, as the system's resolver reads them.
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, UnicodeError):
        return name
