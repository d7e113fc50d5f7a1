# SPDX-License-Identifier: Apache-2.0
"""However a forbidden address is written, named or led to, not one connection is made to it.

Canaries watch: listeners on the loopback addresses, Python's own record of every attempt to connect, and,
where the system lets a test have a network of its own, one listener that has every address there is.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import SourceError, SourceFetcher

# Each is what stands between "http://" and the path; {port} is where the canaries listen.
TABLE = {
    "this machine": """
        127.0.0.1 127.0.0.1:{port} localhost:{port} LOCALHOST:{port} 127.255.255.254:{port} 0.1.2.3:{port}
        0:{port} 00:{port} 0.0.0.0:{port} [::1]:{port} [0:0:0:0:0:0:0:1]:{port} [::0001]:{port} [::]:{port}
    """,
    "this machine in other spellings": """
        2130706433:{port} 0x7f000001:{port} 017700000001:{port} 0x7F.0x0.0x0.0x1:{port} 0177.0.0.01:{port}
        0000000177.0.0.1:{port} 127.1:{port} 127.0.1:{port} 0x7f.1:{port}
        [::ffff:127.0.0.1]:{port} [::ffff:7f00:1]:{port} [0:0:0:0:0:ffff:127.0.0.1]:{port}
        [::127.0.0.1]:{port} [::7f00:1]:{port} [64:ff9b::7f00:1]:{port} [2002:7f00:1::]:{port}
    """,
    "this machine behind other words": """
        user:password@127.0.0.1:{port} example.invalid@127.0.0.1:{port} 127.0.0.1:{port}\\@example.invalid
        127.0.0.1:{port}#@example.invalid 127.0.0.1:{port}?@example.invalid
    """,
    "where clouds tell machines their credentials": """
        169.254.169.254 169.254.169.254:{port} 2852039166 0xa9fea9fe 025177524776 0xa9.0xfe.0xa9.0xfe
        0251.0376.0251.0376 169.254.43518 [::ffff:169.254.169.254]:{port} [::a9fe:a9fe]:{port}
        [64:ff9b::a9fe:a9fe]:{port} [2002:a9fe:a9fe::1]:{port} 169.254.170.2:{port} 100.100.100.200:{port}
        192.0.0.192:{port} 168.63.129.16:{port} [fd00:ec2::254]:{port} [fd20:ce::254]:{port}
    """,
    "private": """
        10.0.0.1:{port} 167772161:{port} 0xa000001:{port} 012.0.0.1:{port} 10.1:{port} 172.16.0.1:{port}
        172.31.255.255:{port} 192.168.0.1:{port} 192.168.257:{port} 100.64.0.1:{port}
        [fc00::1]:{port} [fd12:3456::1]:{port} [fe80::1]:{port} [fe80::1%25lo]:{port} [fec0::1]:{port}
    """,
    "nobody's or everybody's": """
        192.0.2.1:{port} 198.51.100.1:{port} 203.0.113.1:{port} 198.18.0.1:{port} 192.88.99.1:{port}
        224.0.0.1:{port} 239.255.255.250:{port} 240.0.0.1:{port} 255.255.255.255:{port}
        [ff02::1]:{port} [ff05::2]:{port} [ff0e::1]:{port} [100::1]:{port} [2001:db8::1]:{port}
        [3fff::1]:{port} [4000::1]:{port} [5f00::1]:{port} [2001:10::1]:{port}
    """,
    "with an IPv4 address inside": """
        [::ffff:10.0.0.1]:{port} [::ffff:0:10.0.0.1]:{port} [::10.0.0.1]:{port} [::ffff:8.8.8.8]:{port}
        [64:ff9b::10.0.0.1]:{port} [64:ff9b:1::10.0.0.1]:{port} [64:ff9b::8.8.8.8]:{port}
        [2002:a00:1::1]:{port} [2001:0:a00:1::1]:{port} [2001:0:4136:e378:8000:63bf:f5ff:fffe]:{port}
    """,
}
TARGETS = " ".join(TABLE.values()).split()
# Full-width and circled digits, and the full stop of other scripts: some take them for 127.0.0.1.
ODD_DIGITS = (
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460",
    "127\u30020\u30020\u30021",
)

_attempts: list[Any] | None = None


def _record(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _attempts is not None:
        _attempts.append(arguments[1])


sys.addaudithook(_record)  # it stays for as long as Python runs


@pytest.fixture
def attempts() -> Iterator[list[Any]]:
    """The addresses that anything in this process has tried to connect to since."""
    global _attempts  # noqa: PLW0603 - the hook knows no test
    _attempts = []
    yield _attempts
    _attempts = None


class Canaries:
    """Listeners on one port of the loopback addresses that nobody has any business with."""

    def __init__(self, running: ExitStack) -> None:
        self._listeners = [running.enter_context(socket.create_server(("127.0.0.1", 0)))]
        self.port = self._listeners[0].getsockname()[1]
        if socket.has_ipv6:
            self._listeners.append(
                running.enter_context(socket.create_server(("::1", self.port), family=socket.AF_INET6))
            )

    def are_unharmed(self) -> bool:
        """Whether nobody has connected."""
        for listener in self._listeners:
            listener.setblocking(False)
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                continue
            return False
        return True


@pytest.fixture
def canaries() -> Iterator[Canaries]:
    """Listeners that nobody may connect to."""
    with ExitStack() as running:
        yield Canaries(running)


@pytest.fixture(scope="module")
def strict() -> Iterator[SourceFetcher]:
    """A fetcher that may connect to public addresses only."""
    with closing(SourceFetcher(AddressPolicy())) as fetcher:
        yield fetcher


@pytest.fixture(scope="module")
def allowing_one() -> Iterator[SourceFetcher]:
    """A fetcher that may connect to the redirecting host besides."""
    with closing(SourceFetcher(AddressPolicy([ipaddress.ip_network(f"{REDIRECTING}/32")]))) as fetcher:
        yield fetcher


def refusal_of(fetcher: SourceFetcher, url: str, folder: Path) -> str:
    """Why a fetcher refuses, without the secret in the URL."""
    with pytest.raises(SourceError) as refused:
        fetcher.fetch(url, folder / "image")
    sentence = str(refused.value)
    assert "secret" not in sentence
    assert "password" not in sentence
    assert sentence.endswith(".")
    assert list(folder.iterdir()) == []
    return sentence


def test_the_table_has_enough_targets() -> None:
    assert len(set(TARGETS)) == len(TARGETS) >= 40


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("where", TARGETS)
def test_no_connection_is_made_to_a_forbidden_address(
    where: str, scheme: str, *, strict: SourceFetcher, canaries: Canaries, attempts: list[Any], tmp_path: Path
) -> None:
    url = f"{scheme}://{where.format(port=canaries.port)}/?signature=secret"
    assert "not on a public network" in refusal_of(strict, url, tmp_path)
    assert attempts == []
    assert canaries.are_unharmed()


@pytest.mark.parametrize("host", ODD_DIGITS)
def test_no_connection_is_made_to_a_host_in_odd_digits(
    host: str, *, strict: SourceFetcher, canaries: Canaries, attempts: list[Any], tmp_path: Path
) -> None:
    assert refusal_of(strict, f"http://{host}:{canaries.port}/?signature=secret", tmp_path)
    assert attempts == []
    assert canaries.are_unharmed()


Redirect = Callable[[str], str]
REDIRECTING = "127.0.0.2"


@pytest.fixture(scope="module")
def redirect() -> Iterator[Redirect]:
    """The URL of a host, on a network that may be fetched from, that redirects to another URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", locations[self.path])
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    locations: dict[str, str] = {}

    def redirecting(location: str) -> str:
        path = f"/{len(locations)}"
        locations[path] = location.encode().decode("latin-1")  # as it goes over the wire
        return f"http://{REDIRECTING}:{server.server_port}{path}"

    with ThreadingHTTPServer((REDIRECTING, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield redirecting
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("where", TARGETS)
def test_no_redirect_leads_to_a_forbidden_address(
    where: str,
    *,
    allowing_one: SourceFetcher,
    redirect: Redirect,
    canaries: Canaries,
    attempts: list[Any],
    tmp_path: Path,
) -> None:
    url = redirect(redirect(f"http://{where.format(port=canaries.port)}/?signature=secret"))
    assert "not on a public network" in refusal_of(allowing_one, url, tmp_path)
    assert {address[0] for address in attempts} == {REDIRECTING}
    assert canaries.are_unharmed()


def numeric(where: str) -> str | None:
    """The address in a target that holds one in its usual form."""
    host = where.removesuffix(":{port}").strip("[]").replace("%25", "%")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


ADDRESSES = sorted({address for address in map(numeric, TARGETS) if address})


@pytest.mark.parametrize("public", ["first", "last", "absent"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_name_leads_to_a_forbidden_address_not_even_beside_a_public_one(
    address: str,
    public: str,
    *,
    strict: SourceFetcher,
    canaries: Canaries,
    attempts: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    found = {"first": ["8.8.8.8", address], "last": [address, "8.8.8.8"], "absent": [address]}[public]
    resolved = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        resolved.append(host)
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    url = f"http://scans.example:{canaries.port}/?signature=secret"
    assert "not on a public network" in refusal_of(strict, url, tmp_path)
    assert resolved == ["scans.example"]
    assert attempts == []
    assert canaries.are_unharmed()


def test_a_name_that_changes_its_answer_after_the_check_gains_nothing(
    *,
    allowing_one: SourceFetcher,
    canaries: Canaries,
    attempts: list[Any],
    redirect: Redirect,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    # First it is the permitted host, and at each look-up after that the one next door.
    answers = [REDIRECTING, "127.0.0.1", "127.0.0.1"]

    def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    back = redirect(f"http://moving.example:{canaries.port}/?signature=secret")
    url = back.replace(REDIRECTING, "moving.example")
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert "not on a public network" in refusal_of(allowing_one, url, tmp_path)
    assert answers == ["127.0.0.1"]  # one look-up for each connection that was wanted
    assert [address[0] for address in attempts] == [REDIRECTING]
    assert canaries.are_unharmed()


_ALL_ADDRESSES_ARE_HERE = """
ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo && exec "$@"
"""
_FETCH_IN_A_NETWORK_OF_ITS_OWN = """
import ipaddress, json, pathlib, socket, sys, tempfile
from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import SourceError, SourceFetcher, SourceLimits

everything = [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
canary = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
canary.setblocking(False)
outcome = {"strict": [], "allowed": []}
for name, networks in (("strict", []), ("allowed", everything)):
    limits = SourceLimits(connect_seconds=1, headers_seconds=0.05)
    fetcher = SourceFetcher(AddressPolicy(networks), limits=limits)
    for where in json.loads(sys.stdin.readline()):
        url = f"http://{where.format(port=canary.getsockname()[1])}/"
        try:
            fetcher.fetch(url, pathlib.Path(tempfile.mkdtemp()) / "image")
        except SourceError:
            try:
                canary.accept()[0].close()
            except BlockingIOError:
                continue
            outcome[name].append(where)
print(json.dumps(outcome))
"""


def _in_a_network_of_its_own(*command: str) -> list[str]:
    return [
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        _ALL_ADDRESSES_ARE_HERE,
        "sh",
        *command,
    ]


@pytest.fixture
def own_network() -> None:
    """Skips where the system has no network namespaces for tests."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("needs unshare (util-linux) and ip (iproute2)")
    tried = subprocess.run(_in_a_network_of_its_own("true"), capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        pytest.skip(f"this system gives tests no network of their own: {tried.stderr.strip()}")


@pytest.mark.usefixtures("own_network")
def test_a_listener_that_has_every_address_hears_of_no_forbidden_target() -> None:
    root = Path(__file__).parents[3]
    with_port = [where for where in TARGETS if "{port}" in where]
    finished = subprocess.run(
        _in_a_network_of_its_own(sys.executable, "-c", _FETCH_IN_A_NETWORK_OF_ITS_OWN),
        input=f"{json.dumps(with_port)}\n" * 2,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    outcome = json.loads(finished.stdout)
    assert outcome["strict"] == []
    # The listener does hear of those to which a connection is possible at all, where all is allowed.
    assert len(outcome["allowed"]) >= 40
