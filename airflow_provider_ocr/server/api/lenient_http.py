# SPDX-License-Identifier: Apache-2.0
"""HTTP as uvicorn speaks it, that also takes URLs with raw blanks and raw bytes beyond ASCII.

Scripts put such URLs together without encoding them, and the parsers refuse these before any code of the
server sees them. So they are encoded on their way to the parser: in a request line, and nowhere else.
"""

from __future__ import annotations

import asyncio
import re

import h11
from uvicorn.protocols.http.auto import AutoHTTPProtocol

# Control characters are no blanks: whoever sends them in a URL means no good, and the parser says no.
_REQUEST_LINE = re.compile(rb"([A-Z]+ )([^\x00-\x20\x7f][^\x00-\x1f\x7f]*?)( +HTTP/\d\.\d\r?\n)")
_RAW = re.compile(rb"[ \x80-\xff]")


def encoded_request_line(data: bytes) -> bytes:
    """The beginning of a request, its URL percent-encoded where that was forgotten.

    :param data: what came first of a request. If its first line is not complete, nothing is changed: that
        is left to the parser.
    """
    line = _REQUEST_LINE.match(data)
    if line is None or not _RAW.search(line[2]):
        return data
    target = _RAW.sub(lambda raw: b"%%%02X" % raw[0][0], line[2])
    return line[1] + target + line[3] + data[line.end() :]


class LenientRequests(asyncio.Protocol):
    """What makes one of uvicorn's protocols lenient that is the next base class.

    A body is never changed: its length has been announced, and what would be left over of a longer one would
    count as the next request.
    """

    _in_request = False

    def data_received(self, data: bytes) -> None:
        """Take what came over the connection."""
        super().data_received(encoded_request_line(data) if self._begins_request() else data)

    def on_message_begin(self) -> None:
        """Called by httptools with the first byte of a request."""
        self._in_request = True
        super().on_message_begin()  # type: ignore[misc]  # of the next base class, if it works with httptools

    def on_message_complete(self) -> None:
        """Called by httptools with the last byte of a request."""
        self._in_request = False
        super().on_message_complete()  # type: ignore[misc]  # as above

    def _begins_request(self) -> bool:
        connection = getattr(self, "conn", None)  # has the state where h11 is the parser
        if isinstance(connection, h11.Connection):
            return connection.their_state is h11.IDLE and not connection.trailing_data[0]
        return not self._in_request


class LenientHTTPProtocol(LenientRequests, AutoHTTPProtocol):  # type: ignore[valid-type,misc]  # chosen at run time
    """The protocol of uvicorn's that fits what is installed, made lenient."""
