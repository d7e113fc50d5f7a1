# SPDX-License-Identifier: Apache-2.0
"""One result file as a stream of bytes: bounded memory, complete or an error.

The URL is signed and is the only credential: none of ours goes to the result host. A connection that
breaks is taken up again with a range request; what arrives is checked against the announced length.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

import requests

from airflow_provider_ocr.client.transport import (
    USER_AGENT,
    Timeouts,
    connection_failure,
    pause_before_retry,
)
from airflow_provider_ocr.protocol.errors import (
    ConnectionFailedError,
    ResultIntegrityError,
    ResultUnavailableError,
    ServerError,
)
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

CHUNK_BYTES = 1024 * 1024

_MEDIA_TYPES = frozenset(item.file_type.media_type.partition(";")[0] for item in ExportFormat)
_GONE = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


@dataclass(slots=True)
class _Progress:
    """How far the file has come, and how to ask for the rest of that same file."""

    media_type: str | None = None
    received: int = 0
    total: int | None = None
    entity_tag: str | None = None


class Downloader:
    """Streams result files.

    :param timeouts: for each single call.
    :param verify: whether to verify TLS, or the path of a CA bundle.
    :param attempts: how many failures in a row, without one new byte between them, are too many.
    :param sleep: waits that many seconds; tests replace it.
    """

    def __init__(
        self,
        *,
        timeouts: Timeouts,
        verify: bool | str = True,
        attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeouts = timeouts
        self._verify = verify
        self._attempts = attempts
        self._sleep = sleep
        self._session = _AnonymousSession()
        # An explicit, empty authentication keeps requests from taking one out of .netrc.
        self._session.auth = lambda request: request
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def stream(self, url: str, *, media_type: str | None = None) -> Iterator[bytes]:
        """The file behind ``url`` in pieces of at most 1 MiB.

        :param media_type: what the file has to be, if its host says that it is one of the API's types.
        :raises ResultUnavailableError: if the URL has expired or the file is gone.
        :raises ResultIntegrityError: if the file is not the one that was announced.
        :raises ConnectionFailedError: if it broke off too often.
        """
        progress = _Progress(media_type)
        failures = 0
        while True:
            before = progress.received
            try:
                yield from self._one_response(url, progress)
            except (ConnectionFailedError, ServerError) as error:
                failures = 1 if progress.received > before else failures + 1
                if failures >= self._attempts:
                    raise error from None
                self._sleep(pause_before_retry(failures, None, 1.0))
            else:
                return

    def _one_response(self, url: str, progress: _Progress) -> Iterator[bytes]:
        headers = {}
        if progress.received:
            headers["Range"] = f"bytes={progress.received}-"
            if progress.entity_tag:
                headers["If-Range"] = progress.entity_tag
        try:
            with self._session.get(
                url, headers=headers, timeout=self._timeouts.as_pair(), verify=self._verify, stream=True
            ) as response:
                _accept(response, progress)
                for chunk in response.iter_content(CHUNK_BYTES):
                    progress.received += len(chunk)
                    yield chunk
        except OSError as error:
            raise ConnectionFailedError(
                f"A result file broke off after {progress.received} bytes: {connection_failure(error)}."
            ) from None
        if progress.total is not None and progress.received != progress.total:
            raise ConnectionFailedError(
                f"A result file ended after {progress.received} of {progress.total} bytes."
            )


class _AnonymousSession(requests.Session):
    """Adds no authentication when it follows a redirect; requests would take one out of .netrc."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        pass


def _accept(response: requests.Response, progress: _Progress) -> None:
    """Check that this response goes on where the file broke off, and note its length at the beginning."""
    status = response.status_code
    if status in _GONE:
        raise ResultUnavailableError(
            f"A result file is not there any more, or its URL has expired (HTTP {status})."
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ServerError(f"The result host answered with HTTP {status}.")
    if progress.received and status == HTTPStatus.PARTIAL_CONTENT:
        start, total = _content_range(response)
        entity_tag = response.headers.get("ETag", progress.entity_tag)
        if (start, total, entity_tag) != (progress.received, progress.total, progress.entity_tag):
            raise ResultIntegrityError("A result file changed while it was being downloaded.")
    elif progress.received:
        raise ResultIntegrityError("A result file broke off, and its host cannot send the rest of it.")
    elif status == HTTPStatus.OK:
        _check_media_type(response, progress.media_type)
        announced = response.headers.get("Content-Length", "")
        progress.total = int(announced) if announced.isdigit() else None
        progress.entity_tag = response.headers.get("ETag")
    else:
        raise ResultUnavailableError(f"The result host answered with HTTP {status}.")


def _check_media_type(response: requests.Response, wanted: str | None) -> None:
    """Refuse a file that is announced as another of the API's formats; any other announcement passes."""
    announced = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if wanted is not None and announced in _MEDIA_TYPES and announced != wanted.partition(";")[0]:
        raise ResultIntegrityError(
            f"A result file is {announced} where {wanted.partition(';')[0]} was expected; "
            "name the export formats in the order of the submission."
        )


def _content_range(response: requests.Response) -> tuple[int, int | None]:
    unit, _, rest = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = rest.partition("/")
    start = span.partition("-")[0]
    if unit != "bytes" or not start.isdigit():
        raise ResultIntegrityError("The result host answered a range request without a usable range.")
    return int(start), int(total) if total.isdigit() else None
