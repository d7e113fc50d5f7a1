# SPDX-License-Identifier: Apache-2.0
"""Request bodies: an image, raw or as the only file of a multipart form, goes to disk while it arrives.

No more is read of a body that is over its limit, and no more of it than one piece is ever in memory.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from airflow_provider_ocr.server.api.body import pieces
from airflow_provider_ocr.server.api.call import RejectedError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks  # a type that is not there at run time

MAX_IMAGE_BYTES = 30 * 1024 * 1024
MAX_FORM_BYTES = 64 * 1024

_MAX_FORM_PARAMETERS = 100
_FILENAME = re.compile(rb";\s*filename\*?\s*=", re.IGNORECASE)
_ENVELOPE_BYTES = 1024 * 1024  # what a multipart form may have around its image


async def receive_image(request: Request, target: Path) -> bool:
    """Write the image in the body of a request to ``target``.

    Only a multipart form is looked into: clients send raw images under any type, the one of HTML forms
    included.

    :returns: False if there is not one byte of it.
    :raises TooSlowError: if the body does not come in time.
    :raises RejectedError: if the image is too large, or the multipart form is damaged or has not one file.
    :raises ClientDisconnect: if the body breaks off.
    """
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    multipart = kind == b"multipart/form-data"
    if announced_bytes(request) > MAX_IMAGE_BYTES + (_ENVELOPE_BYTES if multipart else 0):
        raise _too_large()
    with target.open("wb") as file:
        image = _Image(file)
        body: _Sink = _MultipartForm(options.get(b"boundary", b""), image) if multipart else image
        async for piece in pieces(request):
            await run_in_threadpool(body.write, piece)
        await run_in_threadpool(body.finish)
    return image.size > 0


async def receive_form(request: Request) -> list[tuple[str, str]]:
    """The parameters in the body of a request, where that is an HTML form's; any other is not looked at.

    :raises TooSlowError: if the body does not come in time.
    :raises RejectedError: if they are too many.
    """
    kind, _ = parse_options_header(request.headers.get("Content-Type", ""))
    if request.method != "POST" or kind != b"application/x-www-form-urlencoded":
        return []
    body = bytearray()
    async for piece in pieces(request):
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise RejectedError(f"The form in the body is larger than {MAX_FORM_BYTES // 1024} KB.")
    try:
        text = body.decode(errors="replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FORM_PARAMETERS)
    except ValueError:
        raise RejectedError(
            f"The form in the body has more than {_MAX_FORM_PARAMETERS} parameters."
        ) from None


def announced_bytes(request: Request) -> int:
    """How long the body of a request says that it is; 0 if it does not say so."""
    length = request.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


class _Sink(Protocol):
    """Takes a body piece by piece."""

    def write(self, piece: bytes) -> None: ...

    def finish(self) -> None: ...


class _Image:
    """An image on its way to disk.

    :param file: where it goes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = 0

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > MAX_IMAGE_BYTES:
            raise _too_large()
        self._file.write(piece)

    def finish(self) -> None:
        # Keeping it forces it to disk once more; by then that costs nothing and holds up no other's writing.
        self._file.flush()
        os.fsync(self._file.fileno())


class _MultipartForm:
    """Passes the only file of a form on.

    :param boundary: what parts the parts, as the content type tells.
    :param image: takes the file.
    """

    def __init__(self, boundary: bytes, image: _Image) -> None:
        if not boundary:
            raise RejectedError("image: the multipart body has no boundary in its Content-Type.")
        self._image = image
        self._size = 0
        self._name, self._value = bytearray(), bytearray()
        self._has_filename = self._has_file = self._in_file = self._complete = False
        callbacks: MultipartCallbacks = {
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_content,
            "on_part_data": self._take_content,
            "on_part_end": self._end_content,
            "on_end": self._end,
        }
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise _unreadable(error) from None

    def write(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > MAX_IMAGE_BYTES + _ENVELOPE_BYTES:
            raise _too_large()
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _unreadable(error) from None

    def finish(self) -> None:
        if not self._complete:
            raise RejectedError("image: the multipart body ends before its last boundary.")
        if not self._has_file:
            raise RejectedError("image: no part of the multipart body is a file (has a filename).")
        self._image.finish()

    def _end_header(self) -> None:
        # Not by parsing its options: some clients send only the extended form of the parameter, filename*.
        if self._name.lower() == b"content-disposition" and _FILENAME.search(self._value):
            self._has_filename = True
        self._name.clear()
        self._value.clear()

    def _begin_content(self) -> None:
        self._in_file = self._has_filename and not self._has_file
        self._has_file |= self._in_file

    def _take_content(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._image.write(data[start:end])
        elif (
            self._has_filename
        ):  # of an HTML form's second file field that was left empty there is no content
            raise RejectedError(
                "image: the multipart body has more than one file; send one with each request."
            )

    def _end_content(self) -> None:
        self._has_filename = self._in_file = False

    def _end(self) -> None:
        self._complete = True


def _unreadable(error: FormParserError) -> RejectedError:
    return RejectedError(f"image: the multipart body cannot be read: {error}.")


def _too_large() -> RejectedError:
    return RejectedError(
        f"image: the body is larger than {MAX_IMAGE_BYTES // 1024**2} MB; "
        "send the URL of a larger image by processRemoteImage."
    )
