# SPDX-License-Identifier: Apache-2.0
"""A file goes out whole or in part as it was asked for, unchanged, whatever storage it lies in.

The answers are those of a real server over HTTP, for each storage; what a client cannot see (which thread
reads, and how far ahead) is tested on the response itself.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.api.result_response import (
    ResultResponse,
    UnsatisfiableRangeError,
    requested_range,
    unwanted_credentials,
)
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.storage import StoredFile, open_storage

pytest_plugins = ["tests.object_store"]

CONTENT = bytes(range(256)) * 10
LARGE = b"0123456789abcdef" * (3 * 1024 * 1024 // 16) + b"the end"
SIZE = len(CONTENT)
TYPE = "text/plain; charset=utf-8"
EARLIER = format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)


@pytest.fixture
def files(storage_url: str | None, tmp_path: Path) -> ResultFiles:
    storage = None if storage_url is None else open_storage(storage_url)
    files = ResultFiles(tmp_path / "data", storage=storage)
    for run, contents in {"r1": (CONTENT, LARGE), "r2": (CONTENT, b"")}.items():
        folder = files.new_run("t", run)
        for position, content in enumerate(contents, 1):
            (folder / f"result{position}.txt").write_bytes(content)
        files.publish("t", run)
    return files


@pytest.fixture
def url(files: ResultFiles) -> Iterator[str]:
    """Where a server sends the first result of the first run."""

    def send(request: Request) -> Any:
        refusal = unwanted_credentials(request.headers)
        if refusal is not None:
            return PlainTextResponse(refusal, 403)
        run, position = request.path_params["run"], request.path_params["position"]
        file = files.open_result("t", run, position, ExportFormat.TXT)
        return ResultResponse(file, media_type=TYPE, headers={"X-Ocr-Pages": "3"})

    app = Starlette(routes=[Route("/{run}/{position:int}", send, methods=["GET", "HEAD"])])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/r1/1"
    server.should_exit = True
    thread.join()
    listener.close()


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers={name.replace("_", "-"): headers[name] for name in headers}, timeout=10)


def test_a_whole_result_has_length_type_version_and_what_is_sent_along(url: str) -> None:
    answer = get(url)
    assert answer.status_code == 200
    assert answer.content == CONTENT
    expected = {
        "Content-Length": str(len(CONTENT)),
        "Content-Type": TYPE,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-transform",
        "X-Content-Type-Options": "nosniff",
        "X-Ocr-Pages": "3",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    assert answer.headers["ETag"].strip('"').isalnum()
    modified = parsedate_to_datetime(answer.headers["Last-Modified"])
    assert abs(datetime.now(UTC) - modified) < timedelta(minutes=1)


def test_head_tells_what_get_would_send_whatever_range_is_asked(url: str) -> None:
    whole = get(url)
    for headers in ({}, {"Range": "bytes=5-9"}, {"Range": "bytes=99999-"}):
        head = requests.head(url, headers=headers, timeout=10)
        assert head.status_code == 200
        assert head.content == b""
        for answer in (head, whole):
            answer.headers.pop("Date", None)
        assert head.headers == whole.headers


def test_a_result_is_never_compressed(url: str) -> None:
    for encoding in ("gzip, deflate, br, zstd", "*", "gzip;q=1.0, identity;q=0"):
        with requests.get(url, headers={"Accept-Encoding": encoding}, stream=True, timeout=10) as answer:
            assert "Content-Encoding" not in answer.headers
            assert "Transfer-Encoding" not in answer.headers
            assert answer.raw.read(decode_content=False) == CONTENT


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=0-0", 0, 1),
        ("bytes=20-", 20, 100),
        ("bytes=-7", 93, 100),
        ("bytes=-101", 0, 100),
        ("bytes=90-100", 90, 100),
        ("bytes=99-", 99, 100),
        ("Bytes = 5-5 ", 5, 6),
        ("bytes=0-" + "9" * 18, 0, 100),
    ],
)
def test_one_range_of_bytes_is_understood(asked: str, first: int, end: int) -> None:
    assert requested_range(asked, 100) == (first, end)


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "bytes=0-1,5-6",
        "bytes=9-5",
        "bytes=-",
        "bytes=",
        "bytes",
        "items=0-5",
        "bytes=a-b",
        "bytes=0x1-0x2",
        "bytes=+1-2",
        "bytes=1--2",
        "bytes=\u0661-\u0662",
        "bytes=0-" + "9" * 5000,
    ],
)
def test_all_else_is_no_range(asked: str | None) -> None:
    assert requested_range(asked, 100) is None


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ("bytes=100-", 100),
        ("bytes=100-200", 100),
        ("bytes=-0", 100),
        ("bytes=0-", 0),
        ("bytes=0-0", 0),
        ("bytes=-1", 0),
    ],
)
def test_a_range_without_a_byte_of_the_file_cannot_be_given(asked: str, size: int) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        requested_range(asked, size)


def test_a_range_is_sent_as_206(url: str) -> None:
    version = get(url).headers["ETag"]
    for asked, first, last in (
        ("bytes=0-9", 0, 9),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=-7", SIZE - 7, SIZE - 1),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
    ):
        answer = get(url, Range=asked)
        assert answer.status_code == 206
        assert answer.content == CONTENT[first : last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
        assert answer.headers["Content-Length"] == str(last + 1 - first)
        assert (answer.headers["Content-Type"], answer.headers["ETag"]) == (TYPE, version)


def test_a_range_behind_the_end_is_416_and_several_get_the_whole(url: str) -> None:
    answer = get(url, Range=f"bytes={SIZE}-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert f"The file has {SIZE} bytes" in answer.text
    answer = get(url, Range="bytes=0-1,5-6")
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_a_range_of_another_version_gets_the_whole(url: str) -> None:
    known = get(url).headers
    for condition, status in {
        known["ETag"]: 206,
        known["Last-Modified"]: 206,
        '"another"': 200,
        "W/" + known["ETag"]: 200,
        EARLIER: 200,
        "": 200,
    }.items():
        answer = get(url, Range="bytes=5-9", If_Range=condition)
        assert (answer.status_code, len(answer.content)) == (status, 5 if status == 206 else SIZE)
    # The same content in another run is another version: its neighbours may differ.
    assert get(url.replace("/r1/", "/r2/")).headers["ETag"] != known["ETag"]


def test_an_empty_result_is_sent_whole_and_has_no_ranges(url: str) -> None:
    empty = url.replace("/r1/1", "/r2/2")
    answer = get(empty)
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "0", b"")
    assert get(empty, Range="bytes=0-").status_code == 416


def test_a_result_of_several_pieces_comes_whole_and_a_broken_download_goes_on(url: str) -> None:
    url = url.replace("/r1/1", "/r1/2")
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", urlsplit(url).path)
    answer = connection.getresponse()
    begin = answer.read(1_500_000)
    connection.close()
    rest = get(url, Range=f"bytes={len(begin)}-", If_Range=answer.headers["ETag"])
    assert rest.status_code == 206
    assert begin + rest.content == LARGE
    assert get(url).content == LARGE


def test_many_clients_download_at_once(url: str) -> None:
    url, wrong = url.replace("/r1/1", "/r1/2"), []

    def download() -> None:
        if get(url).content != LARGE:
            wrong.append(1)

    threads = [threading.Thread(target=download) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_request_with_credentials_is_told_that_none_are_taken(url: str) -> None:
    for credentials in ("Basic bXk6cGFzcw==", "Bearer x", ""):
        answer = get(url, Authorization=credentials)
        assert answer.status_code == 403
        assert "takes no credentials" in answer.text


@dataclass
class Watched:
    """A file that notes how it is used."""

    size: int = 10 * 1024 * 1024
    seconds: float = 0
    fails_at: int | None = None
    reads: list[tuple[int, int, str]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    @property
    def file(self) -> StoredFile:
        return StoredFile(key="k", size=self.size, modified=None, read=self.read, close=self.close)

    def read(self, start: int, length: int) -> bytes:
        self.reads.append((start, length, threading.current_thread().name))
        time.sleep(self.seconds)
        if self.fails_at is not None and start >= self.fails_at:
            raise OSError("The storage is gone.")
        return bytes(min(length, self.size - start))

    def close(self) -> None:
        self.closed.append(threading.current_thread().name)


def ask(watched: Watched, send: Callable[[dict[str, Any]], Any], **options: Any) -> Any:
    """Have the response answer a GET request; ``receive`` and ``scope`` may be given."""

    async def connected() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "headers": [], "asgi": options.get("asgi", {})}
    response = ResultResponse(watched.file, media_type=TYPE, headers={})
    return response(scope, options.get("receive", connected), send)


@pytest.mark.parametrize("asgi", [{}, {"spec_version": "2.3"}, {"spec_version": "2.4"}])
def test_no_more_than_a_piece_is_read_ahead_of_a_slow_client(asgi: dict[str, str]) -> None:
    watched, ahead, sent = Watched(), [], 0

    async def send(message: dict[str, Any]) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))
        await asyncio.sleep(0.01)
        ahead.append(sum(length for _, length, _ in watched.reads) - sent)

    asyncio.run(ask(watched, send, asgi=asgi))
    assert sent == watched.size
    assert max(ahead) <= 1024 * 1024
    assert len(watched.closed) == 1


def test_the_event_loop_goes_on_while_the_storage_is_slow() -> None:
    watched, late = Watched(size=3 * 1024 * 1024, seconds=0.2), []

    async def look() -> None:
        while True:
            begin = time.monotonic()
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - begin)

    async def run() -> None:
        async def send(_: dict[str, Any]) -> None:
            """Take it."""

        looking = asyncio.create_task(look())
        await ask(watched, send)
        looking.cancel()

    asyncio.run(run())
    assert len(watched.reads) == 3
    assert max(late) < 0.15
    names = {name for _, _, name in watched.reads} | set(watched.closed)
    assert threading.main_thread().name not in names


def test_when_the_client_goes_reading_ends_and_the_file_is_closed() -> None:
    watched, gone = Watched(size=1024**3), asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        if message.get("body"):
            gone.set()
        await asyncio.sleep(0.01)

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    asyncio.run(ask(watched, send, receive=receive))
    assert 1 <= len(watched.reads) < 5
    assert len(watched.closed) == 1


@pytest.mark.parametrize("asgi", [{"spec_version": "2.3"}, {"spec_version": "2.4"}])
def test_a_storage_that_fails_breaks_the_answer_off_and_does_not_end_it(asgi: dict[str, str]) -> None:
    watched, messages = Watched(fails_at=2 * 1024 * 1024), []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    with pytest.raises(EOFError, match="could not be read to its end"):
        asyncio.run(ask(watched, send, asgi=asgi))
    assert messages[0]["status"] == 200
    assert all(message["more_body"] for message in messages[1:])
    assert len(watched.closed) == 1


def test_a_file_that_has_become_shorter_breaks_the_answer_off() -> None:
    watched = Watched()
    file = watched.file

    async def send(_: dict[str, Any]) -> None:
        watched.size = 1024

    watched_response = ResultResponse(file, media_type=TYPE, headers={})
    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.4"}}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    with pytest.raises(EOFError, match="ends after 1024 of 10485760 bytes"):
        asyncio.run(watched_response(scope, receive, send))
    assert len(watched.closed) == 1
