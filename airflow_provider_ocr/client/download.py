# SPDX-License-Identifier: Apache-2.0
"""One result file as a stream of bytes: bounded memory, complete or an error.

The URL is signed and is the only credential: none of ours goes to the result host. A connection that
breaks is taken up again with a range request, and a URL that expires is renewed where that is possible;
what arrives is checked against the announced length.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urljoin

import requests

from airflow_provider_ocr.client.exchange import Exchange
from airflow_provider_ocr.client.failures import CAUGHT, failure_of, may_be_cured
from airflow_provider_ocr.client.log_filter import filter_urllib3
from airflow_provider_ocr.client.network import Network, redirect_target
from airflow_provider_ocr.client.pauses import pause_before_retry, retry_after_of
from airflow_provider_ocr.client.refusals import ServerTroubleError, fit, secrets_of_signed
from airflow_provider_ocr.client.storage_words import storage_words
from airflow_provider_ocr.protocol.errors import (
    ConnectionFailedError,
    OcrError,
    ProxyFailedError,
    ResultIntegrityError,
    ResultUnavailableError,
)
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

CHUNK_BYTES = 256 * 1024

_MOST_REDIRECTS = 5
# What may arrive for one piece: headers, and what is read ahead of it, as well.
_MOST_BYTES = CHUNK_BYTES + 1024 * 1024
_MAY_BE_EMPTY = (None, ExportFormat.TXT.file_type.media_type)
_MEDIA_TYPES = frozenset(item.file_type.media_type.partition(";")[0] for item in ExportFormat)
_MOST_WORDS_BYTES = 8 * 1024
_HAS_FILE = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})
_GONE = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

filter_urllib3()


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a result's host tells before the file itself.

    :param size: bytes that will come, if it tells.
    :param headers: all of its answer's, to be asked for in any case.
    """

    size: int | None
    headers: Mapping[str, str]


@dataclass(slots=True)
class _Progress:
    """How far the file has come, and how to ask for the rest of that same file."""

    media_type: str | None
    on_answer: Callable[[Announcement], None]
    stopped: threading.Event
    received: int = 0
    total: int | None = None
    entity_tag: str | None = None


class _ExpiredError(ResultUnavailableError):
    """The URL does not lead to the file any more; another one may."""


class Downloader:
    """Streams result files.

    :param network: how to reach their host.
    :param attempts: how many failures in a row, without one new piece between them, are too many.
    :param sleep: waits that many seconds, instead of waiting in a way that can be stopped; for tests.
    """

    def __init__(
        self,
        *,
        network: Network,
        attempts: int = 4,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._network = network
        self._attempts = attempts
        self._sleep = sleep
        self._session = network.session(accept_encoding="identity")
        # An explicit, empty authentication keeps requests from taking one out of .netrc.
        self._session.auth = lambda request: request

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def stream(
        self,
        url: str,
        *,
        media_type: str | None = None,
        on_answer: Callable[[Announcement], None] = lambda _: None,
        renew: Callable[[], str] | None = None,
        stopped: threading.Event | None = None,
    ) -> Iterator[bytes]:
        """The file behind ``url`` in pieces of at most 256 KiB, each within the total time-out.

        :param url: where the file is; it is asked for without credentials.
        :param media_type: what the file has to be, if its host says that it is one of the API's types.
        :param on_answer: called with what the host tells of the file, before its first piece.
        :param renew: gives another URL of the same file once the one at hand has expired; it is not asked
            twice without a new piece in between.
        :param stopped: set, from another thread, by whoever has no use for the file any more.
        :raises StoppedError: within a second or two of that, or once a connection is made or refused.
        :raises ResultUnavailableError: if the URL has expired or the file is gone, and no other is to be had.
        :raises ResultIntegrityError: if the file is not the one that was announced.
        :raises ConnectionFailedError: if it broke off too often.
        """
        progress = _Progress(media_type, on_answer, stopped or threading.Event())
        failures = 0
        renewed_at: int | None = None
        while True:
            before = progress.received
            failure = yield from self._one_answer(url, progress)
            if failure is None:
                return
            if isinstance(failure, _ExpiredError) and renew is not None and renewed_at != progress.received:
                url, renewed_at = renew(), progress.received
                continue
            failures = 1 if progress.received > before else failures + 1
            pause = pause_before_retry(failures, getattr(failure, "retry_after", None), random.random())  # noqa: S311 - jitter
            too_late = pause > self._network.timeouts.in_all
            if failures >= self._attempts or too_late or not may_be_cured(failure):
                raise failure
            (self._sleep or progress.stopped.wait)(pause)

    def _one_answer(self, url: str, progress: _Progress) -> Generator[bytes, None, OcrError | None]:
        """What one request gives, and then why another one has to follow, if one has to.

        The reason is returned: one that is raised here would keep what `requests` raised, with the URL.
        """
        timeouts = self._network.timeouts
        exchange = Exchange(
            seconds=timeouts.in_all, step=timeouts.read, most_bytes=_MOST_BYTES, stopped=progress.stopped
        )
        try:
            with self._ask(url, progress, exchange) as response:
                said = "" if response.status_code in _HAS_FILE else self._said(response, url, exchange)
                trouble = _accept(response, progress, said)
                if trouble is not None:
                    return trouble
                while piece := response.raw.read(CHUNK_BYTES, decode_content=False):
                    progress.received += len(piece)
                    yield piece
                    exchange.allow(seconds=timeouts.in_all, most_bytes=_MOST_BYTES)
        except CAUGHT as error:
            kind, words = failure_of(error, exchange)
            return kind(f"A result file broke off after {progress.received} bytes: {words}.")
        if progress.total is not None and progress.received != progress.total:
            return ConnectionFailedError(
                f"A result file ended after {progress.received} of {progress.total} bytes."
            )
        if not progress.received and progress.media_type not in _MAY_BE_EMPTY:
            raise ResultIntegrityError("A result file is empty, which no document of its format is.")
        return None

    def _said(self, response: requests.Response, url: str, exchange: Exchange) -> str:
        """What a host says instead of giving the file, as the end of a message."""
        seconds = min(exchange.remaining, self._network.timeouts.read)
        exchange.allow(seconds=seconds, most_bytes=_MOST_BYTES)
        body = b""
        # That there is no file is known without it.
        with suppress(*CAUGHT):
            body = response.raw.read(_MOST_WORDS_BYTES, decode_content=False)
        words = fit(storage_words(body), (*secrets_of_signed(url), *secrets_of_signed(response.url)))
        return f" Its host says: {words}" if words else ""

    def _ask(self, url: str, progress: _Progress, exchange: Exchange) -> requests.Response:
        """The answer to a request for what is missing, wherever the host sends us for it."""
        headers = {}
        if progress.received:
            headers["Range"] = f"bytes={progress.received}-"
            # RFC 9110 allows no weak one here; what comes is compared with it all the same.
            if progress.entity_tag and not progress.entity_tag.startswith("W/"):
                headers["If-Range"] = progress.entity_tag
        for _ in range(_MOST_REDIRECTS):
            with exchange.under_way():
                response = self._session.get(url, headers=headers, **self._network.options())
            target = redirect_target(response)
            if target is None:
                return response
            response.close()
            url = _joined(url, target)
        raise requests.exceptions.TooManyRedirects


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        raise requests.exceptions.InvalidURL from None


def _accept(response: requests.Response, progress: _Progress, said: str) -> OcrError | None:
    """Check that this answer goes on where the file broke off, and note its length at the beginning.

    :param said: what it says instead of that, as the end of a message.
    :return: trouble that may pass, or that another URL may cure.
    """
    status = response.status_code
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerTroubleError(
            f"The result host answered with HTTP {status}.{said}",
            retry_after=retry_after_of(response.headers),
        )
    # Google and temporary credentials of AWS say so with HTTP 400.
    if status in _GONE or (status == HTTPStatus.BAD_REQUEST and "expired" in said.lower()):
        return _ExpiredError(
            f"A result file is not there any more, or its URL has expired (HTTP {status}).{said}"
        )
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        raise ProxyFailedError(
            "A result file cannot be had: the proxy wants other credentials (HTTP 407); check user and "
            f"password in the proxy's URL.{said}"
        )
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise ResultIntegrityError("The result host compresses a file that was to come as it is.")
    if progress.received:
        _check_rest(response, progress)
    elif status == HTTPStatus.OK:
        _check_media_type(response, progress.media_type)
        announced = response.headers.get("Content-Length", "")
        progress.total = int(announced) if announced.isdigit() else None
        if progress.total is None and not response.raw.chunked:
            raise ResultIntegrityError(
                "The result host does not tell how long a file is, so a part of it could pass for the whole. "
                "A proxy in between may have taken the length out."
            )
        progress.entity_tag = response.headers.get("ETag")
        progress.on_answer(Announcement(progress.total, response.headers))
    else:
        raise ResultUnavailableError(f"The result host answered with HTTP {status}.{said}")
    return None


def _check_rest(response: requests.Response, progress: _Progress) -> None:
    """Refuse what does not go on exactly where that same file broke off."""
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        raise ResultIntegrityError("A result file broke off, and its host cannot send the rest of it.")
    start, total = _content_range(response)
    entity_tag = response.headers.get("ETag", progress.entity_tag)
    if (start, total, entity_tag) != (progress.received, progress.total, progress.entity_tag):
        raise ResultIntegrityError("A result file changed while it was being downloaded.")


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
