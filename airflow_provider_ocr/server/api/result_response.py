# SPDX-License-Identifier: Apache-2.0
"""Answers a request for a stored file: whole or one range of it, in pieces, whatever storage it lies in.

The event loop waits for no disk and no network, and memory holds one piece for each download. A file is sent
as it is, never compressed: its length is known before it is sent, and a broken download can go on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Callable, Mapping
from email.utils import formatdate
from typing import TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar
from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from airflow_provider_ocr.protocol.messages import render_error
from airflow_provider_ocr.server.files.storage import StoredFile

_T = TypeVar("_T")
_PIECE_BYTES = 1024 * 1024
_RANGE = re.compile(r"\s*bytes\s*=\s*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})\s*", re.IGNORECASE)
_READERS = 16
# Apart from the threads that answer API methods: a slow storage must not hold those up.
_readers: RunVar[anyio.CapacityLimiter] = RunVar("readers of results")


def unwanted_credentials(headers: Mapping[str, str]) -> str | None:
    """What is wrong with a request for a signed URL that comes with credentials; None if it does not."""
    if "authorization" not in headers:
        return None
    return "A result URL is complete in itself and takes no credentials: ask again without Authorization."


class UnsatisfiableRangeError(ValueError):
    """A range that begins behind the end of the file."""


def requested_range(value: str | None, size: int) -> tuple[int, int] | None:
    """The first byte of a range and the first behind it; None if the whole file is to be sent.

    That is also the answer to several ranges and to what is no range of bytes, as RFC 9110 allows.

    :param value: the request's Range header.
    :param size: of the file, in bytes.
    :raises UnsatisfiableRangeError: if no byte of the file is in it.
    """
    match = _RANGE.fullmatch(value or "")
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        begin, end = max(size - int(match["last"]), 0), size
    else:
        begin, end = int(match["first"]), int(match["last"] or size) + 1
        if match["last"] and end <= begin:
            return None
    if begin >= size:
        raise UnsatisfiableRangeError
    return begin, min(end, size)


class ResultResponse:
    """The answer to a GET or HEAD request for a file; the file is closed in the end.

    :param file: what to send.
    :param media_type: its Content-Type.
    :param headers: what to send along.
    """

    def __init__(self, file: StoredFile, *, media_type: str, headers: Mapping[str, str]) -> None:
        self._file = file
        # A key never gets another content, so it tells versions of a result apart on every server.
        version = hashlib.sha256(f"{file.key} {file.size}".encode()).hexdigest()[:32]
        self._headers = {
            **headers,
            "Content-Type": media_type,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-transform",
            "ETag": f'"{version}"',
            "X-Content-Type-Options": "nosniff",
        }
        if file.modified is not None:
            self._headers["Last-Modified"] = formatdate(file.modified.timestamp(), usegmt=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope)(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await _in_thread(self._file.close)

    def _answer(self, scope: Scope) -> Response:
        size = self._file.size
        if scope["method"] == "HEAD":
            return Response(headers={**self._headers, "Content-Length": str(size)})
        try:
            wanted = requested_range(self._range_header(Headers(scope=scope)), size)
        except UnsatisfiableRangeError:
            message = f"The file has {size} bytes; the range asked for begins behind its end."
            headers = {"Content-Range": f"bytes */{size}"}
            return Response(render_error(message), 416, headers, media_type="text/xml; charset=utf-8")
        begin, end = wanted or (0, size)
        headers = {**self._headers, "Content-Length": str(end - begin)}
        if wanted:
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
        return StreamingResponse(self._pieces(begin, end), 206 if wanted else 200, headers)

    def _range_header(self, headers: Headers) -> str | None:
        """None also if the client has a part of another version."""
        condition = headers.get("if-range")
        known = (None, self._headers["ETag"], self._headers.get("Last-Modified"))
        return headers.get("range") if condition in known else None

    async def _pieces(self, begin: int, end: int) -> AsyncIterator[bytes]:
        while begin < end:
            length = min(_PIECE_BYTES, end - begin)
            try:
                piece = await _in_thread(self._file.read, begin, length)
            except OSError as error:
                # Starlette takes an OSError for a client that has gone.
                raise EOFError(f"{self._file.key} could not be read to its end.") from error
            if not piece:
                raise EOFError(f"{self._file.key} ends after {begin} of {self._file.size} bytes.")
            begin += len(piece)
            yield piece


async def _in_thread(function: Callable[..., _T], *arguments: object) -> _T:
    readers = _readers.get(None)
    if readers is None:
        readers = anyio.CapacityLimiter(_READERS)
        _readers.set(readers)
    return await anyio.to_thread.run_sync(function, *arguments, limiter=readers)
