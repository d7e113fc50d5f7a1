# SPDX-License-Identifier: Apache-2.0
"""A body is taken whole or not at all, and never more of it than 16 MiB, however it is packed."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.network import Timeouts
from airflow_provider_ocr.client.transport import Transport
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from tests.unit.client.conftest import Conversation, RawServer

Talk = Callable[["Conversation"], None]
Listen = Callable[[Talk], "RawServer"]
MakeTransport = Callable[..., Transport]
Get = Callable[..., bytes]

PATIENT = Timeouts(connect=5.0, read=5.0)
ID = "c3187247-7e81-4d12-8767-bc886c1ab878"
BODY = f'<response><task id="{ID}" status="Queued"/>{" " * 300_000}</response>'.encode()
BEGINNING = f'<?xml version="1.0"?><response><task id="{ID}" registrationTime="'.encode()


@pytest.fixture
def get(listen: Listen, make_transport: MakeTransport) -> Get:
    """Gets what a server says, byte for byte, and then closes."""

    def get_what_is_said(*pieces: bytes) -> bytes:
        def talk(conversation: Conversation) -> None:
            conversation.hear()
            conversation.say(*pieces)

        return make_transport(base_url=listen(talk).url, timeouts=PATIENT).change("x", {})

    return get_what_is_said


def _head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def _chunked(body: bytes, size: int = 5000) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


CHUNKED = _head("Transfer-Encoding: chunked")
GZIP = _head("Content-Encoding: gzip")


@pytest.mark.parametrize(
    "said",
    [
        _head(f"Content-Length: {len(BODY)}") + BODY,
        _head(f"Content-Length: {len(BODY)}", "Content-Encoding: identity") + BODY,
        _head() + BODY,
        CHUNKED + _chunked(BODY) + b"0\r\n\r\n",
        CHUNKED + _chunked(BODY) + b"0\r\nX-Trailer: y\r\n\r\n",
        GZIP + gzip.compress(BODY),
        GZIP + gzip.compress(BODY[:1000]) + gzip.compress(BODY[1000:]),
        GZIP + gzip.compress(b"") * 15 + gzip.compress(BODY),
        _head("Content-Encoding: X-Gzip", "Transfer-Encoding: chunked")
        + _chunked(gzip.compress(BODY), 100)
        + b"0\r\n\r\n",
    ],
    ids=[
        "length",
        "identity",
        "until closed",
        "chunked",
        "trailer",
        "gzip",
        "two members",
        "16 members",
        "chunked gzip",
    ],
)
def test_a_whole_body_is_taken_as_it_was_meant(get: Get, said: bytes) -> None:
    assert get(said) == BODY


@pytest.mark.parametrize("kind", [b"", b"<response/>"], ids=["empty", "short"])
def test_a_short_body_is_a_body(get: Get, kind: bytes) -> None:
    assert get(_head(f"Content-Length: {len(kind)}") + kind) == kind


TRUNCATED = {
    "shorter than announced": _head(f"Content-Length: {len(BODY)}") + BODY[:-1],
    "much shorter than announced": _head("Content-Length: 99999999999999999999") + BODY,
    "without its last chunk": CHUNKED + _chunked(BODY),
    "cut within a chunk": CHUNKED + _chunked(BODY)[:-1000],
    "cut within a chunk's length": CHUNKED + _chunked(BODY) + b"1",
    "with a chunk of no number": CHUNKED + _chunked(BODY) + b"zz\r\n",
    "with a chunk of negative length": CHUNKED + b"-1\r\n" + BODY,
    "gzip without its end": GZIP + gzip.compress(BODY)[:-1],
    "gzip whose second member has no end": GZIP + gzip.compress(BODY) + gzip.compress(b"x")[:-9],
    "gzip of nothing": GZIP,
}


@pytest.mark.parametrize("truncated", TRUNCATED)
def test_a_truncated_body_is_never_taken_for_a_whole_one(get: Get, truncated: str) -> None:
    with pytest.raises(errors.ConnectionFailedError, match="broke off"):
        get(TRUNCATED[truncated])


@pytest.mark.parametrize(
    "said",
    [
        _head("Content-Length: 900") + BEGINNING,
        CHUNKED + _chunked(BODY)[:-1000],
        GZIP + gzip.compress(BODY)[:-1],
    ],
    ids=["length", "chunked", "gzip"],
)
def test_the_id_of_a_task_that_was_made_outlives_a_truncated_answer(get: Get, said: bytes) -> None:
    with pytest.raises(errors.ConnectionFailedError) as caught:
        get(said)
    assert caught.value.ocr_task_id == ID


def test_a_truncated_refusal_is_still_a_refusal(get: Get) -> None:
    said = _head("Content-Length: 900", status="450 No") + b"<error><message>The quo"
    with pytest.raises(errors.RequestRejectedError, match="HTTP 450"):
        get(said)


BOMB = gzip.compress(bytes(64 * 1024 * 1024), 9)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (_head("Content-Length: 20000000") + bytes(MAX_BODY_BYTES + 2), "longer than 16 MiB"),
        (CHUNKED + _chunked(bytes(MAX_BODY_BYTES + 200_000), 1_000_000), "longer than 16 MiB"),
        (GZIP + BOMB, "longer than 16 MiB"),
        (_head("Content-Encoding: gzip, gzip") + gzip.compress(BOMB), "was not asked for"),
        (_head("Content-Encoding: deflate") + zlib.compress(BODY), "was not asked for"),
        (_head("Content-Encoding: br") + BODY, "was not asked for"),
        (GZIP + BODY, "said to be compressed, but is not"),
        (GZIP + gzip.compress(b"") * 17, "compressed in far too many parts"),
        (GZIP + gzip.compress(BODY) + b"more", "said to be compressed, but is not"),
    ],
    ids=[
        "plain",
        "chunked",
        "bomb",
        "nested bomb",
        "deflate",
        "brotli",
        "no gzip",
        "members",
        "gzip and more",
    ],
)
def test_a_body_that_is_too_long_or_packed_otherwise_is_refused(get: Get, said: bytes, words: str) -> None:
    with pytest.raises(errors.UnreadableAnswerError, match=f"x: The answer is .*{words}"):
        get(said)


def test_the_body_of_a_redirection_is_no_way_to_flood_the_memory(get: Get) -> None:
    said = _head("Location: /elsewhere", "Content-Encoding: gzip", status="302 Found") + BOMB
    tracemalloc.start()
    try:
        with pytest.raises(errors.UnreadableAnswerError, match="It leads to /elsewhere"):
            get(said)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * MAX_BODY_BYTES


def test_a_body_of_exactly_16_mib_is_taken(get: Get) -> None:
    assert len(get(GZIP + gzip.compress(bytes(MAX_BODY_BYTES), 1))) == MAX_BODY_BYTES


def test_only_gzip_is_asked_for(listen: Listen, make_transport: MakeTransport) -> None:
    server = listen(lambda conversation: conversation.hear() and conversation.answer(b"<response/>"))
    make_transport(base_url=server.url).change("x", {})
    assert b"\r\nAccept-Encoding: gzip\r\n" in server.requests[0]
