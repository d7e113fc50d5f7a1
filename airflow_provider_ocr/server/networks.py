# SPDX-License-Identifier: Apache-2.0
"""Which network addresses the server may fetch from: public ones, and the networks its owner names.

Python's ``is_global`` alone lets through multicast, site-local, and addresses that carry another address
inside (NAT64, 6to4, Teredo, IPv4-compatible), behind which a private one may hide.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

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


class ForbiddenAddressError(OSError):
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

    def connect(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """A connection to ``host``, whose name is resolved once and whose every address is checked first.

        :raises ForbiddenAddressError: if one of the addresses is not permitted; nothing was connected to.
        :raises OSError: if the name does not resolve, or no address accepts the connection.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if not all(self.permits(str(sockaddr[0])) for *_, sockaddr in found):
            raise ForbiddenAddressError(
                "the host is not on a public network, nor on one that the server allows"
            )
        failure: OSError = OSError("the host has no address")
        for family, kind, protocol, _, sockaddr in found:
            connection = socket.socket(family, kind, protocol)
            connection.settimeout(timeout)
            try:
                connection.connect(sockaddr)
            except OSError as error:
                connection.close()
                failure = error
            else:
                return connection
        raise failure


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST_V6:
        return False
    closed = any(address in network for network in _CLOSED if network.version == address.version)
    return address.is_global and not closed
