# SPDX-License-Identifier: Apache-2.0
"""A URL that expires is replaced by a fresh one of the same file, at its beginning or in its middle."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.download import CHUNK_BYTES, Announcement, Downloader
from airflow_provider_ocr.client.network import Network, Timeouts
from airflow_provider_ocr.protocol import errors

if TYPE_CHECKING:
    from tests.unit.conftest import Received, Reply, ScriptedServer

CONTENT = random.Random(11).randbytes(6 * CHUNK_BYTES)
TAG = '"one"'


@pytest.fixture
def downloader() -> Iterator[Downloader]:
    network = Network(timeouts=Timeouts(connect=2.0, read=1.0))
    downloader = Downloader(network=network, sleep=lambda seconds: None)
    yield downloader
    downloader.close()


@pytest.fixture
def storage(server: ScriptedServer, reply: type[Reply]) -> ScriptedServer:
    """Each URL gives two chunks of the file and breaks; from then on it has expired."""
    used: set[str] = set()

    def give(received: Received) -> Reply:
        signature = received.query["sig"]
        if signature in used or signature == "expired":
            return reply(status=403)
        used.add(signature)
        start = int(received.headers.get("Range", "bytes=0-")[6:-1])
        headers = {"ETag": TAG, "Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"}
        cut = 2 * CHUNK_BYTES if start + 2 * CHUNK_BYTES < len(CONTENT) else None
        return reply(body=CONTENT[start:], status=206 if start else 200, headers=headers, cut=cut)

    server.on("file", give)
    return server


def _urls(server: ScriptedServer, *signatures: str) -> Iterator[str]:
    return (f"{server.url}/file?sig={signature}" for signature in signatures)


def test_a_url_that_expires_again_and_again_is_renewed_where_the_file_broke_off(
    storage: ScriptedServer, downloader: Downloader
) -> None:
    urls = _urls(storage, "1", "2", "3", "4", "5")
    content = b"".join(downloader.stream(next(urls), renew=lambda: next(urls)))
    assert content == CONTENT
    fetched = [received for received in storage.received if "If-Range" in received.headers]
    assert {received.headers["If-Range"] for received in fetched} == {TAG}


def test_a_url_that_has_expired_from_the_beginning_is_renewed(
    storage: ScriptedServer, downloader: Downloader
) -> None:
    urls = _urls(storage, "expired", "1", "2", "3", "4", "5")
    assert b"".join(downloader.stream(next(urls), renew=lambda: next(urls))) == CONTENT


def test_a_fresh_url_that_does_not_open_either_is_the_last(
    storage: ScriptedServer, downloader: Downloader
) -> None:
    urls = _urls(storage, "expired", "expired", "1")
    with pytest.raises(errors.ResultUnavailableError, match="expired"):
        list(downloader.stream(next(urls), renew=lambda: next(urls)))
    assert len(storage.received) == 2


def test_why_there_is_no_fresh_url_is_the_error(storage: ScriptedServer, downloader: Downloader) -> None:
    def renew() -> str:
        raise errors.TaskDeletedError("it is deleted")

    with pytest.raises(errors.TaskDeletedError) as caught:
        list(downloader.stream(next(_urls(storage, "expired")), renew=renew))
    assert caught.value.__context__ is None


def test_what_the_host_tells_is_known_before_the_first_piece(
    server: ScriptedServer, downloader: Downloader
) -> None:
    server.reply("file", b"text", headers={"X-Ocr-Pages": "3"})
    told: list[Announcement] = []
    pieces = downloader.stream(f"{server.url}/file", on_answer=told.append)
    assert told == []
    assert next(iter(pieces)) == b"text"
    assert [(each.size, each.headers["x-ocr-pages"]) for each in told] == [(4, "3")]
