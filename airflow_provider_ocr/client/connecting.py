# SPDX-License-Identifier: Apache-2.0
"""From a host's name to a connected socket, in bounded time.

The system's name resolution knows no time-out, and a host with several addresses would be given the whole
time-out for each. Here both together stay within one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from urllib3.util.connection import allowed_gai_family

_LEAST = 0.01  # a time-out of 0 would mean not to wait at all

_Addresses = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]]


class ResolutionTimeoutError(socket.gaierror):
    """The name's addresses did not come in time."""


def open_socket(
    host: str,
    port: int,
    *,
    seconds: float,
    source_address: tuple[str, int] | None = None,
    options: Iterable[tuple[int, int, int | bytes]] = (),
) -> socket.socket:
    """A connection to the first of a host's addresses that accepts one.

    :param host: name or address.
    :param port: of TCP.
    :param seconds: for the look-up and all addresses together; each address gets its share of what is left.
    :param source_address: where to connect from.
    :param options: for `socket.setsockopt`.
    :raises socket.gaierror: if the name does not resolve.
    :raises OSError: if no address accepts the connection; a ``TimeoutError`` if the last one was silent.
    """
    deadline = time.monotonic() + seconds
    addresses = _resolve(host.strip("[]"), port, seconds)
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - number)
        connection = socket.socket(family, kind, protocol)
        try:
            for option in options:
                connection.setsockopt(*option)
            if source_address:
                connection.bind(source_address)
            connection.settimeout(max(share, _LEAST))
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _resolve(host: str, port: int, seconds: float) -> _Addresses:
    outcome: SimpleQueue[_Addresses | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            outcome.put(socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            outcome.put(error)

    # Nobody can stop a look-up; one that outlives its caller ends by itself and is heard by nobody.
    Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
    try:
        found = outcome.get(timeout=max(seconds, _LEAST))
    except Empty:
        raise ResolutionTimeoutError(socket.EAI_AGAIN, "the look-up took too long") from None
    if isinstance(found, Exception):
        raise found
    return found
