# SPDX-License-Identifier: Apache-2.0
"""Transport: one application's calls to one server.

Two kinds of call. `read` may be repeated and is: a broken connection, a 429 or a 5xx is tried again with
growing, jittered pauses. `change` is sent exactly once whatever happens, because each repetition of a
starting method makes another task that has to be paid for.

Failures come out as the errors of `protocol.errors`, without a chained cause: the texts of `requests`
hold URLs, and URLs hold secrets.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.errors import (
    AuthenticationError,
    ConnectionFailedError,
    NotEnabledError,
    OcrError,
    ParameterRejectedError,
    RequestRejectedError,
    ServerError,
    UnreadableAnswerError,
    UnsupportedImageError,
)
from airflow_provider_ocr.protocol.messages import MAX_BODY_BYTES, parse_error
from airflow_provider_ocr.protocol.redaction import without_queries, without_url_secrets

USER_AGENT = f"airflow-provider-ocr/{__version__}"

_UNSUPPORTED_IMAGE = 551
_LONGEST_PAUSE = 20.0
_LONGEST_REASON = 500


class _NoQueries(logging.Filter):
    """Takes queries out of urllib3's log lines: sources, passwords and signatures stand in them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_queries(record.getMessage()), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_NoQueries())


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long one HTTP call may take, in seconds.

    :param connect: until the connection stands.
    :param read: between two pieces of the answer.
    """

    connect: float = 10.0
    read: float = 20.0

    def as_pair(self) -> tuple[float, float]:
        """Connect and read time-out as `requests` takes them."""
        return (self.connect, self.read)


class Transport:
    """Calls API methods with HTTP Basic authentication.

    :param base_url: the server, for example ``https://cloud-eu.ocrsdk.com``.
    :param application_id: user of the Basic authentication.
    :param password: the application's password.
    :param timeouts: for each single call.
    :param read_attempts: how often a read is tried in all.
    :param verify: whether to verify TLS, or the path of a CA bundle.
    :param sleep: waits that many seconds; tests replace it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        application_id: str,
        password: str,
        timeouts: Timeouts | None = None,
        read_attempts: int = 4,
        verify: bool | str = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeouts = timeouts or Timeouts()
        self.verify = verify
        self._read_attempts = read_attempts
        self._sleep = sleep
        self._address = urlsplit(self.base_url).netloc.rpartition("@")[2]
        self._session = requests.Session()
        self._session.auth = HTTPBasicAuth(application_id.encode(), password.encode())
        self._session.headers["User-Agent"] = USER_AGENT

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def read(self, method: str, parameters: Mapping[str, str]) -> bytes:
        """The answer of a method that changes nothing; tried again while that may help.

        :raises OcrError: one of `protocol.errors`, when the attempts are used up or a retry cannot help.
        """
        for attempt in range(1, self._read_attempts):
            try:
                return self.change(method, parameters)
            except _RetryableError as failure:
                self._sleep(pause_before_retry(attempt, failure.retry_after, random.random()))  # noqa: S311 - jitter
        return self.change(method, parameters)

    def change(self, method: str, parameters: Mapping[str, str], content: bytes | None = None) -> bytes:
        """The answer of a method that changes something; sent once.

        :param content: what to send as the body, with POST; without it the request is a GET.
        :raises OcrError: one of `protocol.errors`.
        """
        try:
            with self._session.request(
                "GET" if content is None else "POST",
                f"{self.base_url}/{method}",
                params=parameters,
                data=content,
                headers={} if content is None else {"Content-Type": "application/octet-stream"},
                timeout=self.timeouts.as_pair(),
                verify=self.verify,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = response.raw.read(MAX_BODY_BYTES + 1, decode_content=True)
        except OSError as error:
            raise _NoAnswerError(f"{method}: {connection_failure(error)} ({self._address})") from None
        except Exception as error:  # noqa: BLE001 - urllib3 raises its own tree while a body is read
            raise _NoAnswerError(f"{method}: the answer broke off ({type(error).__name__}).") from None
        if response.status_code != HTTPStatus.OK:
            raise _error_of(method, response, body, parameters)
        return body


def pause_before_retry(attempt: int, retry_after: float | None, jitter: float) -> float:
    """Seconds to wait before the next attempt.

    :param attempt: which attempt has just failed, counted from 1.
    :param retry_after: what the server asked for in seconds, if it did.
    :param jitter: a random number from 0 to 1, so that many clients do not come back together.
    """
    growing = min(_LONGEST_PAUSE, 0.5 * 2**attempt) * (0.5 + jitter / 2)
    return float(max(growing, min(retry_after or 0.0, _LONGEST_PAUSE)))


def connection_failure(error: Exception) -> str:
    """What went wrong before an answer came, in words without any URL."""
    text = str(error)
    for kind, sign, words in _FAILURES:
        if isinstance(error, kind) and sign in text:
            return words
    return f"the connection failed ({type(error).__name__})"


_FAILURES: Sequence[tuple[type[Exception], str, str]] = (
    (requests.exceptions.SSLError, "", "the TLS handshake failed; check the certificate and the CA bundle"),
    (requests.exceptions.ProxyError, "", "the proxy could not be used"),
    (requests.exceptions.ConnectTimeout, "", "the server did not accept the connection in time"),
    (requests.exceptions.Timeout, "", "the server did not answer in time"),
    (requests.exceptions.ConnectionError, "Read timed out", "the server did not answer in time"),
    (requests.exceptions.ConnectionError, "resolve", "the server's name does not resolve"),
    (
        requests.exceptions.ConnectionError,
        "refused",
        "the server refused the connection; is it running, and are host and port right?",
    ),
)

_KINDS: Mapping[int, type[OcrError]] = {
    HTTPStatus.FORBIDDEN: NotEnabledError,
    _UNSUPPORTED_IMAGE: UnsupportedImageError,
}


class _RetryableError(OcrError):
    """Mixed into errors that another attempt may cure."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class _NoAnswerError(_RetryableError, ConnectionFailedError):
    pass


class _ServerTroubleError(_RetryableError, ServerError):
    pass


def _error_of(
    method: str, response: requests.Response, body: bytes, parameters: Mapping[str, str]
) -> OcrError:
    status = response.status_code
    reason = without_url_secrets(parse_error(body) or "the server gave no reason.")[:_LONGEST_REASON]
    message = f"{method} was answered with HTTP {status}: {reason}"
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthenticationError(f"{message} Check application ID and password.")
    if status in _KINDS:
        return _KINDS[status](message)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _ServerTroubleError(message, retry_after=_seconds(response.headers.get("Retry-After")))
    if status >= HTTPStatus.BAD_REQUEST:
        named = any(re.search(rf"\b{re.escape(name)}\b", reason, re.IGNORECASE) for name in parameters)
        return (ParameterRejectedError if named else RequestRejectedError)(message, http_status=status)
    return UnreadableAnswerError(f"{method} was answered with HTTP {status}, which the API does not use.")


def _seconds(retry_after: str | None) -> float | None:
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
