# SPDX-License-Identifier: Apache-2.0
"""A transfer over the network that another thread can cut, whatever it is waiting for at that moment.

Limits on a single read do not stop a host that sends a byte now and then; a cut connection does, in the
middle of a TLS handshake, of a header or of a body.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Transfer:
    """Everything that is received for one image, over one connection after another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._failure: Exception | None = None

    def use(self, connection: socket.socket) -> None:
        """Let the transfer go on over this connection.

        :raises Exception: what the transfer was cut with, if it was.
        """
        # A duplicate, because TLS takes the descriptor of the original over.
        duplicate = connection.dup()
        with self._lock:
            previous, self._connection = self._connection, duplicate
        if previous is not None:
            previous.close()
        self.check()

    def cut(self, failure: Exception) -> None:
        """End the transfer for this reason, unless it was cut for another one before."""
        with self._lock:
            if self._failure is None:
                self._failure = failure
            if self._connection is not None:
                with suppress(OSError):  # the other side was first
                    self._connection.shutdown(socket.SHUT_RDWR)

    def check(self) -> None:
        """Raise what the transfer was cut with, if it was."""
        with self._lock:
            if self._failure is not None:
                raise self._failure

    @contextmanager
    def within(self, seconds: float, failure: Exception) -> Iterator[None]:
        """Cut the transfer if the block takes longer than this."""
        timer = threading.Timer(seconds, self.cut, (failure,))
        timer.name = "fetch-limit"
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Give up the connection; whoever received over it closes their own end of it."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
