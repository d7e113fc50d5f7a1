# SPDX-License-Identifier: Apache-2.0
"""A body that comes too slowly is refused, and its connection is closed; one that takes its time is not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from airflow_provider_ocr.server.api import body as body_module
from tests.unit.server.scans import png

if TYPE_CHECKING:
    from tests.unit.server.conftest import Site

AUTH = ("my app", "pass:word")
FORM = "application/x-www-form-urlencoded"


def trickled(
    site: Site, path: str, *, pause: float, pieces: int, kind: str = "image/png"
) -> tuple[bytes, float]:
    """What is answered to a body of which a byte comes now and then, until the connection is closed.

    :returns: it, and how many seconds it took.
    """
    host, _, port = site.url.removeprefix("http://").partition(":")
    token = requests.auth._basic_auth_str(*AUTH)
    head = f"POST /{path} HTTP/1.1\r\nHost: h\r\nContent-Length: 999\r\nContent-Type: {kind}\r\n"
    begin, received = time.monotonic(), b""
    with socket.create_connection((host, int(port)), timeout=pause) as connection:
        connection.sendall(f"{head}Authorization: {token}\r\n\r\n".encode())
        for _ in range(pieces):
            connection.sendall(b"x")
            try:
                received += connection.recv(65536)
                break
            except TimeoutError:
                continue
        connection.settimeout(5)
        while piece := connection.recv(65536):
            received += piece
    return received, time.monotonic() - begin


@pytest.mark.parametrize(
    ("between", "in_all", "pause", "pieces"),
    [(0.4, 60.0, 0.05, 1), (0.4, 60.0, 0.1, 3), (60.0, 0.8, 0.1, 100)],
    ids=["at-once", "after-some", "in-all"],
)
@pytest.mark.parametrize(("path", "kind"), [("submitImage", "image/png"), ("listTasks", FORM)])
def test_a_body_that_comes_too_slowly_is_refused_and_its_connection_closed(
    *,
    path: str,
    kind: str,
    between: float,
    in_all: float,
    pause: float,
    pieces: int,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body_module, "_SECONDS_BETWEEN_PIECES", between)
    monkeypatch.setattr(body_module, "_SECONDS_IN_ALL", in_all)
    received, seconds = trickled(site, path, pause=pause, pieces=pieces, kind=kind)
    assert received.startswith(b"HTTP/1.1 450 ")
    assert b"came too slowly" in received
    assert b"\r\nconnection: close\r\n" in received.lower()
    assert min(between, in_all) <= seconds < 4
    assert not list(site.backend.files._incoming.iterdir())


def test_a_body_that_takes_its_time_is_received(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_module, "_SECONDS_BETWEEN_PIECES", 1.0)
    image = png()

    def slowly() -> Iterator[bytes]:
        for place in range(0, len(image), len(image) // 5 + 1):
            time.sleep(0.3)
            yield image[place : place + len(image) // 5 + 1]

    answer = requests.post(f"{site.url}/submitImage", data=slowly(), auth=AUTH, timeout=10)
    assert answer.status_code == 200, answer.text
