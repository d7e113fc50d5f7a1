# SPDX-License-Identifier: Apache-2.0
"""A host has a few connections at a time, however it is spelled and whoever leads there."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.server.sources.host_turns import HostTurns, canonical_host
from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import FetchStoppedError, SourceFetcher

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


class Crowd:
    """A host that keeps its visitors for a moment and counts how many are there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here = 0
        self.most = 0

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
        time.sleep(0.1)
        with self._lock:
            self._here -= 1
        request.send_response(200)
        request.send_header("Content-Length", "5")
        request.end_headers()
        request.wfile.write(b"image")


def fetch_all(fetcher: SourceFetcher, urls: list[str], folder: Path) -> None:
    with ThreadPoolExecutor(len(urls)) as pool:
        list(pool.map(lambda pair: fetcher.fetch(pair[1], folder / str(pair[0])), enumerate(urls)))


@pytest.fixture
def fetcher() -> SourceFetcher:
    return SourceFetcher(AddressPolicy([ipaddress.ip_network("127.0.0.0/8")]))


@pytest.mark.parametrize(
    ("spelled", "host"),
    [
        ("Example.COM.", "example.com"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_all_spellings_of_a_host_are_one(spelled: str, host: str) -> None:
    assert canonical_host(spelled) == host


def test_spellings_of_one_host_share_its_four_places(
    serve: Serve, fetcher: SourceFetcher, tmp_path: Path
) -> None:
    crowd = Crowd()
    port = serve(crowd.answer).rpartition(":")[2]
    spellings = ("127.0.0.1", "127.1", "0x7f000001", "2130706433")
    fetch_all(fetcher, [f"http://{name}:{port}/" for name in spellings * 3], tmp_path)
    assert crowd.most == 4


def test_redirects_from_many_hosts_share_the_places_of_the_one_that_they_lead_to(
    serve: Serve, fetcher: SourceFetcher, tmp_path: Path
) -> None:
    crowd = Crowd()
    target = serve(crowd.answer)

    def redirect(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", target)
        request.send_header("Content-Length", "0")
        request.end_headers()

    first = serve(redirect)
    fetch_all(fetcher, [first] * 4 + [target] * 6, tmp_path)
    assert crowd.most == 4


def test_who_waits_for_a_place_can_be_stopped() -> None:
    turns = HostTurns(at_once=1)
    calls: list[Any] = []

    def check() -> None:
        calls.append(None)
        if len(calls) == 2:
            raise FetchStoppedError

    with turns.turn("example.com", check=check):
        with pytest.raises(FetchStoppedError), turns.turn("example.com", check=check):
            pass
        with turns.turn("example.org", check=check):
            assert len(calls) == 2
    with turns.turn("example.com", check=check):
        assert len(calls) == 2
