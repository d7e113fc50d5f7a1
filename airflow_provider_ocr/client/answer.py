# SPDX-License-Identifier: Apache-2.0
"""The body of an answer: whole, and never more than 16 MiB, however it is packed.

The ID of a task is found in any beginning of one, because a task that was made has to be paid for.
"""

from __future__ import annotations

import re
import zlib
from http.client import IncompleteRead

import requests

from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.messages import MAX_BODY_BYTES

ACCEPT_ENCODING = "gzip"
# What an answer may weigh on the wire: its body and generous headers.
MOST_BYTES = MAX_BODY_BYTES + 1024 * 1024

_FIRST_BYTES = 256
_PIECE_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
# Each is unpacked by itself, and an empty one costs time without adding to the length.
_MOST_GZIP_MEMBERS = 16

_TASK_ID = re.compile(rb"""<(?:\w+:)?task\s[^>]{0,200}?\bid=["']([0-9A-Fa-f-]{36})["']""")
_TASK_ID_BYTES = 16 * 1024


def read_body(response: requests.Response, body: bytearray) -> None:
    """Read a body to its end.

    :param response: whose status and headers have arrived.
    :param body: gets it, piece by piece, so that what has arrived is there even if the rest does not come.
    :raises UnreadableAnswerError: if it is too long, or packed in a way that nobody asked for.
    :raises IncompleteRead: if it ends too early. What the connection raises comes through as well.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("", "identity"):
        _read_plain(response, body)
    elif encoding in ("gzip", "x-gzip"):
        _read_gzip(response, body)
    else:
        raise UnreadableAnswerError("The answer is compressed in a way that was not asked for.")


def task_id_in(body: bytes | bytearray) -> str | None:
    """The ID of the first task that a body names, whether it is whole or makes any sense as a whole.

    :param body: as far as it arrived.
    """
    found = _TASK_ID.search(body, 0, _TASK_ID_BYTES)
    return found[1].decode() if found else None


def _read_plain(response: requests.Response, body: bytearray) -> None:
    while piece := _next(response, body):
        body += piece
        _check_length(body)


def _read_gzip(response: requests.Response, body: bytearray) -> None:
    unpack, members = zlib.decompressobj(_GZIP), 1
    while piece := _next(response, body):
        while piece:
            try:
                body += unpack.decompress(piece, MAX_BODY_BYTES + 1 - len(body))
            except zlib.error:
                raise UnreadableAnswerError("The answer is said to be compressed, but is not.") from None
            _check_length(body)
            piece = unpack.unconsumed_tail or unpack.unused_data
            if unpack.eof and piece:
                unpack, members = zlib.decompressobj(_GZIP), members + 1
                _check_members(members)
    if not unpack.eof:
        raise IncompleteRead(bytes(body))


def _next(response: requests.Response, body: bytearray) -> bytes:
    # The beginning comes alone: it has the task's ID, whatever becomes of the rest.
    piece: bytes = response.raw.read(_PIECE_BYTES if body else _FIRST_BYTES, decode_content=False)
    return piece


def _check_length(body: bytearray) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise UnreadableAnswerError(f"The answer is longer than {MAX_BODY_BYTES // 2**20} MiB.")


def _check_members(members: int) -> None:
    if members > _MOST_GZIP_MEMBERS:
        raise UnreadableAnswerError("The answer is compressed in far too many parts.")
