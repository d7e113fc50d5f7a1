# SPDX-License-Identifier: Apache-2.0
"""Transport: one application's calls to one server.

Two kinds of call. `read` may be repeated and is: a broken connection, a 429 or a 5xx is tried again with
growing, jittered pauses. `change` is sent exactly once whatever happens, because each repetition of a
starting method makes another task that has to be paid for. Either ends within the total time-out.

Failures come out as the errors of `protocol.errors`, without a chained cause or context: the texts of
`requests` hold URLs, and URLs hold secrets.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth

from airflow_provider_ocr.client.answer import ACCEPT_ENCODING, MOST_BYTES, read_body, task_id_in
from airflow_provider_ocr.client.exchange import Exchange
from airflow_provider_ocr.client.failures import CAUGHT, failure_of, may_be_cured
from airflow_provider_ocr.client.log_filter import filter_urllib3
from airflow_provider_ocr.client.network import USER_AGENT, Network, Timeouts
from airflow_provider_ocr.client.pauses import pause_before_retry
from airflow_provider_ocr.client.refusals import refusal_of
from airflow_provider_ocr.protocol.errors import (
    InvalidParameterError,
    OcrError,
    UnreadableAnswerError,
)

__all__ = ["USER_AGENT", "Network", "Timeouts", "Transport"]

LONGEST_KEY = 255

filter_urllib3()


class Transport:
    """Calls API methods with HTTP Basic authentication. Threads may share one.

    :param base_url: the server, for example ``https://cloud-eu.ocrsdk.com``.
    :param application_id: user of the Basic authentication.
    :param password: the application's password.
    :param network: how to reach it.
    :param read_attempts: how often a read is tried in all.
    :param sleep: waits that many seconds; tests replace it.
    """

    def __init__(
        self,
        *,
        base_url: str,
        application_id: str,
        password: str,
        network: Network,
        read_attempts: int = 4,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.network = network
        self._password = password
        self._read_attempts = read_attempts
        self._sleep = sleep
        self._address = _address_of(self.base_url)
        self._session = network.session(accept_encoding=ACCEPT_ENCODING)
        self._session.auth = HTTPBasicAuth(application_id.encode(), password.encode())

    def __repr__(self) -> str:
        return f"<Transport to {self._address}>"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def read(self, method: str, parameters: Mapping[str, str]) -> bytes:
        """The answer of a method that changes nothing; tried again while that may help.

        :param method: the API's name of it.
        :param parameters: its query.
        :raises OcrError: one of `protocol.errors`, when attempts or time are used up or a retry cannot help.
        """
        deadline = time.monotonic() + self.network.timeouts.in_all
        attempt = 0
        while True:
            attempt += 1
            outcome = self._exchange(method, parameters, bytearray(), seconds=deadline - time.monotonic())
            if isinstance(outcome, bytes):
                return outcome
            pause = pause_before_retry(attempt, getattr(outcome, "retry_after", None), random.random())  # noqa: S311 - jitter
            too_late = time.monotonic() + pause >= deadline
            if attempt >= self._read_attempts or too_late or not may_be_cured(outcome):
                raise outcome
            self._sleep(pause)

    def change(
        self,
        method: str,
        parameters: Mapping[str, str],
        content: bytes | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> bytes:
        """The answer of a method that changes something; sent once.

        :param method: the API's name of it.
        :param parameters: its query.
        :param content: what to send as the body, with POST; without it the request is a GET.
        :param idempotency_key: a name for this very change, for servers that carry each out once.
        :raises OcrError: one of `protocol.errors`, with the ID of the task that the answer named, if any.
        """
        headers = {} if idempotency_key is None else {"Idempotency-Key": _checked_key(idempotency_key)}
        seconds = self.network.timeouts.in_all
        body = bytearray()
        outcome = self._exchange(method, parameters, body, content=content, headers=headers, seconds=seconds)
        if isinstance(outcome, bytes):
            return outcome
        # Whatever is wrong with the answer: a task that it names was made, and has to be paid for.
        outcome.ocr_task_id = task_id_in(body)
        raise outcome

    def _exchange(
        self,
        method: str,
        parameters: Mapping[str, str],
        body: bytearray,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float,
    ) -> bytes | OcrError:
        """The answer, or what went wrong: returned, because what is raised here would keep its context.

        :param body: gets what arrives of the answer, also where it comes to nothing.
        """
        step = self.network.timeouts.read
        exchange = Exchange(seconds=seconds, step=step, most_bytes=MOST_BYTES)
        response = None
        broken: OcrError | None = None
        try:
            with (
                exchange.under_way(),
                self._request(method, parameters, content=content, headers=headers) as response,
            ):
                read_body(response, body)
        except UnreadableAnswerError as error:
            broken = UnreadableAnswerError(f"{method}: {error}")
        except CAUGHT as error:
            kind, words = failure_of(error, exchange)
            broken = kind(f"{method}: {words} ({self._address}).")
        if response is not None and response.status_code != HTTPStatus.OK:
            # What it says matters more than how much of its body arrived.
            return refusal_of(
                method,
                status=response.status_code,
                headers=response.headers,
                body=bytes(body),
                parameters=parameters,
                password=self._password,
            )
        return broken or bytes(body)

    def _request(
        self,
        method: str,
        parameters: Mapping[str, str],
        *,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        typed = {} if content is None else {"Content-Type": "application/octet-stream"}
        return self._session.request(
            "GET" if content is None else "POST",
            f"{self.base_url}/{method}",
            params=parameters,
            data=content,
            headers={**typed, **(headers or {})},
            **self.network.options(),
        )


def _address_of(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return "a malformed URL"


def _checked_key(key: str) -> str:
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()) or key != key.strip():
        raise InvalidParameterError(
            "Idempotency-Key",
            f"it takes 1 to {LONGEST_KEY} printable ASCII characters without blanks around.",
        )
    return key
