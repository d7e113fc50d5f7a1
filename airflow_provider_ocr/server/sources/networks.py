# SPDX-License-Identifier: Apache-2.0
"""Which network addresses the server may fetch from: public ones, and the networks its owner names.

Python's ``is_global`` alone lets through multicast, site-local, and addresses that carry another address
inside (NAT64, 6to4, Teredo, IPv4-compatible), behind which a private one may hide.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST_V6 = ipaddress.ip_network("2000::/3")
_CLOSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # what Azure tells its machines
        "192.0.0.0/24",  # assignments of the protocol registry; Oracle tells its machines things there
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/3",  # multicast, reserved
        "2001::/23",  # Teredo and other assignments of the protocol registry
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)


class NoConnectionError(OSError):
    """There is no connection to a host; the text says why, as the end of a sentence about that host."""


class ForbiddenAddressError(NoConnectionError):
    """A host has an address that must not be connected to."""


class AddressPolicy:
    """Decides on addresses, and connects only to those that it has decided on.

    :param allowed: networks that are fetched from although they are not public.
    """

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def permits(self, text: str) -> bool:
        """Whether the server may connect to this numeric address."""
        address = ipaddress.ip_address(text.partition("%")[0])
        if any(address in network for network in self._allowed if network.version == address.version):
            return True
        return _is_public(address)

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """A connection to ``host``, whose name is resolved once and whose every address is checked first.

        :param seconds: how long it may take to resolve the name and to try all its addresses.
        :raises ForbiddenAddressError: if one of the addresses is not permitted; nothing was connected to.
        :raises NoConnectionError: if the name does not resolve, or no address accepts the connection.
        """
        deadline = time.monotonic() + seconds
        found = _resolve(host, port, seconds)
        if not all(self.permits(str(sockaddr[0])) for *_, sockaddr in found):
            raise ForbiddenAddressError(
                "the host is not on a public network, nor on one that the server allows"
            )
        failure = NoConnectionError("its name has no address")
        for tried, (family, kind, protocol, _, sockaddr) in enumerate(found):
            connection = socket.socket(family, kind, protocol)
            # An address that does not answer leaves the others their share of the time.
            connection.settimeout(max(0.001, deadline - time.monotonic()) / (len(found) - tried))
            try:
                connection.connect(sockaddr)
            except OSError as error:
                connection.close()
                in_time = "" if not isinstance(error, TimeoutError) else f" within {seconds:g} seconds"
                failure = NoConnectionError(f"it could not be connected to{in_time}")
            else:
                return connection
        raise failure


def _resolve(host: str, port: int, seconds: float) -> list[tuple[Any, ...]]:
    """What the system's resolver says of a name, in its order."""
    answers: queue.SimpleQueue[list[tuple[Any, ...]] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:  # the latter where a part of the name is too long
            answers.put(error)

    # A thread of its own, because the resolver takes no time limit. It ends when the resolver gives up.
    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise NoConnectionError(f"its name was not resolved within {seconds:g} seconds") from None
    if isinstance(answer, Exception):
        raise NoConnectionError("its name could not be resolved") from answer
    return answer


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST_V6:
        return False
    closed = any(address in network for network in _CLOSED if network.version == address.version)
    return address.is_global and not closed
