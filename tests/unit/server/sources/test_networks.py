# SPDX-License-Identifier: Apache-2.0
"""Only public addresses, and the networks that the owner names, are ever connected to."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from airflow_provider_ocr.server.sources.networks import (
    AddressPolicy,
    ForbiddenAddressError,
    NoConnectionError,
)

LOOPBACK = "127.0.0.1"

FORBIDDEN = {
    "this machine": "127.0.0.1 127.255.255.254 ::1 0.0.0.0 0.1.2.3 ::",
    "private": "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 fc00::1 fd12::1",
    "link-local": "169.254.0.1 fe80::1 fe80::1%lo fec0::1",
    "where clouds tell machines their credentials": (
        "169.254.169.254 100.100.100.200 192.0.0.192 168.63.129.16 fd00:ec2::254"
    ),
    "for documents and tests": "192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    "nobody's or everybody's": (
        "192.0.0.1 192.88.99.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 "
        "ff02::1 ff0e::1 100::1 4000::1"
    ),
    # Also with a public address inside: nobody is reached over these by right.
    "with an IPv4 address inside": (
        "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::127.0.0.1 ::10.0.0.1 "
        "::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b:1::10.0.0.1 2002:7f00:1:: "
        "2002:a00:1::1 2001::1 2001:0:7f00:1::1 2001:10::1"
    ),
}
PUBLIC = (
    "8.8.8.8 1.1.1.1 93.184.216.34 172.15.255.255 172.32.0.1 192.167.255.255 223.255.255.254 "
    "2606:4700::1 2a00:1450:4001:80b::200e 2001:4860:4860::8888 2620:fe::fe"
)


@pytest.mark.parametrize("address", " ".join(FORBIDDEN.values()).split())
def test_addresses_that_are_not_public_are_forbidden(address: str) -> None:
    assert not AddressPolicy().permits(address)


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_are_permitted(address: str) -> None:
    assert AddressPolicy().permits(address)


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("127.0.0.1/32", "127.0.0.1", "127.0.0.2"),
        ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
        ("10.1.0.0/16", "10.1.0.1", "::ffff:10.1.0.1"),
        ("fd00:1::/32", "fd00:1::5", "fd00:2::5"),
        ("fe80::/10", "fe80::1%eth0", "::1"),
    ],
)
def test_a_named_network_is_permitted_and_nothing_beside_it(network: str, inside: str, outside: str) -> None:
    policy = AddressPolicy([ipaddress.ip_network(network)])
    assert policy.permits(inside)
    assert not policy.permits(outside)
    assert policy.permits("8.8.8.8")


@pytest.fixture
def canary() -> Iterator[socket.socket]:
    """A listener on the loopback address that has not to be connected to."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.setblocking(False)
        yield listener


def was_connected_to(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


LOOPBACK_SPELLINGS = (
    "127.0.0.1 localhost 2130706433 0x7f000001 017700000001 0177.0.0.1 0x7f.0.0.1 127.1 127.0.1 0x7F.1 "
    "0 0.0.0.0 00000177.00000000.0.01"
)


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS.split())
def test_no_spelling_of_the_loopback_address_is_connected_to(host: str, canary: socket.socket) -> None:
    with pytest.raises(ForbiddenAddressError):
        AddressPolicy().connect(host, canary.getsockname()[1], 5)
    assert not was_connected_to(canary)


@pytest.mark.parametrize("host", LOOPBACK_SPELLINGS.split())
def test_each_of_these_spellings_leads_to_the_listener_where_it_is_allowed(
    host: str, canary: socket.socket
) -> None:
    loopback = [ipaddress.ip_network(network) for network in ("0.0.0.0/32", "127.0.0.0/8", "::1/128")]
    AddressPolicy(loopback).connect(host, canary.getsockname()[1], 5).close()
    assert was_connected_to(canary)


Resolve = Callable[..., None]


@pytest.fixture
def resolve_to(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Lets every name resolve to these addresses, and only once."""

    def resolve_to(*addresses: str) -> None:
        answers = [list(addresses)]

        def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            return [
                (
                    socket.AF_INET6 if ":" in address else socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    (address, port),
                )
                for address in answers.pop()
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return resolve_to


@pytest.mark.parametrize(
    "addresses", [("8.8.8.8", LOOPBACK), (LOOPBACK, "8.8.8.8"), ("2606:4700::1", LOOPBACK)]
)
def test_a_name_with_a_public_and_a_private_address_is_refused(
    addresses: tuple[str, str], canary: socket.socket, resolve_to: Resolve
) -> None:
    resolve_to(*addresses)
    with pytest.raises(ForbiddenAddressError):
        AddressPolicy().connect("two-faced.example", canary.getsockname()[1], 5)
    assert not was_connected_to(canary)


def test_what_was_checked_is_what_is_connected_to(canary: socket.socket, resolve_to: Resolve) -> None:
    # A second look-up, in which a name could have moved, would find the list of answers empty.
    resolve_to(LOOPBACK)
    policy = AddressPolicy([ipaddress.ip_network("127.0.0.1/32")])
    policy.connect("moving.example", canary.getsockname()[1], 5).close()
    assert was_connected_to(canary)


def test_the_next_address_is_tried_where_one_refuses(canary: socket.socket, resolve_to: Resolve) -> None:
    resolve_to("127.0.0.2", LOOPBACK)
    policy = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])
    policy.connect("two.example", canary.getsockname()[1], 5).close()
    assert was_connected_to(canary)


@pytest.fixture
def deaf() -> Iterator[tuple[str, int]]:
    """An address and a port where connecting neither succeeds nor fails."""
    with socket.create_server(("127.0.0.2", 0), backlog=0) as listener, ExitStack() as crowd:
        for _ in range(3):  # the queue of who wants to connect is full, and nobody is let in
            caller = crowd.enter_context(socket.socket())
            caller.setblocking(False)
            with suppress(BlockingIOError):
                caller.connect(listener.getsockname())
        yield listener.getsockname()


def test_connecting_is_given_up_in_time(deaf: tuple[str, int]) -> None:
    begin = time.monotonic()
    with pytest.raises(NoConnectionError, match=r"could not be connected to within 0\.3 seconds"):
        AddressPolicy([ipaddress.ip_network("127.0.0.0/8")]).connect(*deaf, 0.3)
    assert 0.25 < time.monotonic() - begin < 3


def test_all_addresses_of_a_name_share_the_time(deaf: tuple[str, int], resolve_to: Resolve) -> None:
    address, port = deaf
    resolve_to(*[address] * 10)
    begin = time.monotonic()
    with pytest.raises(NoConnectionError):
        AddressPolicy([ipaddress.ip_network("127.0.0.0/8")]).connect("deaf.example", port, 0.5)
    assert time.monotonic() - begin < 3


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    deaf: tuple[str, int], resolve_to: Resolve
) -> None:
    address, port = deaf
    resolve_to(address, LOOPBACK)
    with socket.create_server((LOOPBACK, port)) as listener:
        listener.setblocking(False)
        policy = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])
        policy.connect("half-deaf.example", port, 0.6).close()
        assert was_connected_to(listener)


def test_resolving_a_name_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: given_up.wait(5) and [])
    begin = time.monotonic()
    with pytest.raises(NoConnectionError, match=r"its name was not resolved within 0\.2 seconds"):
        AddressPolicy().connect("slow.example", 80, 0.2)
    assert time.monotonic() - begin < 3
    given_up.set()


def test_a_name_without_addresses_is_an_error(resolve_to: Resolve) -> None:
    resolve_to()
    with pytest.raises(NoConnectionError, match="no address"):
        AddressPolicy().connect("nothing.example", 80, 5)


@pytest.mark.parametrize("name", ["no-such-name.invalid", "a" * 64 + ".invalid", "a..b", "[x]", "1.2.3.4.5"])
def test_a_name_that_does_not_resolve_is_an_error(name: str) -> None:
    with pytest.raises(NoConnectionError, match="its name could not be resolved"):
        AddressPolicy().connect(name, 80, 5)
