# SPDX-License-Identifier: Apache-2.0
"""Whether a connection works, in words that tell a person what to mend.

Asks only what costs nothing, and never says a secret. ``getApplicationInfo`` comes first because it tells
what is left to spend; it is switched off for many applications, and then ``listFinishedTasks`` proves the
credentials as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from airflow_provider_ocr.protocol.errors import (
    AuthenticationError,
    ConnectFailedError,
    ConnectionFailedError,
    HandshakeError,
    NameResolutionError,
    NotEnabledError,
    NotHttpError,
    OcrError,
    ProxyFailedError,
    RequestRejectedError,
    ServerError,
    TlsError,
    TlsWantedError,
    UnreadableAnswerError,
)
from airflow_provider_ocr.protocol.task import ApplicationInfo
from airflow_provider_ocr.protocol.vocabulary import ServiceStatus

if TYPE_CHECKING:
    from airflow_provider_ocr.client.client import CloudOcrClient


class Finding(StrEnum):
    """What a check came to."""

    WORKS = "works"
    INCOMPLETE = "incomplete"
    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    PROXY_FAILED = "proxy_failed"
    NO_ANSWER = "no_answer"
    WRONG_CREDENTIALS = "wrong_credentials"
    NOT_CLOUD_OCR = "not_cloud_ocr"
    SERVER_TROUBLE = "server_trouble"


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The result of a check.

    :param finding: what it came to, for programs.
    :param message: the same for people, with what to do about it.
    """

    finding: Finding
    message: str

    @property
    def works(self) -> bool:
        """Whether tasks can be submitted over this connection."""
        return self.finding is Finding.WORKS

    def with_type(self, conn_type: str | None, *, meant: str) -> ConnectionReport:
        """The report, which also names a connection type that is another one than this package's.

        That is no error: such connections work, and some are made so on purpose.

        :param conn_type: the connection's.
        :param meant: this package's.
        """
        if conn_type == meant:
            return self
        words = (
            f"The connection's type is {conn_type!r}; with {meant!r}, Airflow shows its form and tests it."
        )
        return replace(self, message=f"{self.message} {words}")


_REFUSES = (
    Finding.SERVER_TROUBLE,
    "{server} refuses a question that every Cloud OCR server answers. Ask whoever runs it.",
)
_ALIEN = (
    Finding.NOT_CLOUD_OCR,
    "What answers at {server} is not a Cloud OCR server. Check host, port and scheme (https or http); a "
    "proxy or a log-in page on the way would look like this, too.",
)
_NO_PROXY = (
    Finding.PROXY_FAILED,
    "The proxy on the way to {server} could not be used. Check the connection's proxy, its user and "
    "password, or the variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY where Airflow runs.",
)
_SILENT = (
    Finding.NO_ANSWER,
    "{server} accepts connections and does not answer. Check the port, the scheme (https:// if the server "
    "speaks TLS, http:// if it does not), and whether the server is overloaded.",
)
_STATUS_MEANINGS: Mapping[int | None, tuple[Finding, str]] = {
    ServiceStatus.BAD_PARAMETERS: _REFUSES,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: _NO_PROXY,
}
_MEANINGS: Sequence[tuple[type[OcrError], Finding, str]] = (
    (
        NameResolutionError,
        Finding.UNRESOLVED,
        "Cannot resolve the name of {server}. Check its spelling, and the name service of the machine that "
        "this test ran on.",
    ),
    (
        TlsWantedError,
        Finding.TLS_FAILED,
        "What answers at {server} speaks TLS, and its URL says http://. Let it begin with https://; where a "
        "proxy stands between, it may be the proxy's URL that has to.",
    ),
    (
        TlsError,
        Finding.TLS_FAILED,
        "There is no trusted TLS connection to {server}. If its certificate comes from an authority of your "
        "own, give that authority's certificate as CA bundle (a PEM file on every machine of Airflow's); if "
        "the server speaks plain HTTP, its URL begins with http://.",
    ),
    (ProxyFailedError, *_NO_PROXY),
    (HandshakeError, *_SILENT),
    (
        ConnectFailedError,
        Finding.UNREACHABLE,
        "Cannot connect to {server}. Check host and port, whether the server runs, and whether a firewall or "
        "a missing proxy stands between.",
    ),
    (NotHttpError, *_ALIEN),
    (ConnectionFailedError, *_SILENT),
    (
        AuthenticationError,
        Finding.WRONG_CREDENTIALS,
        "{server} does not accept the application ID and the password. The application ID is the name that "
        "the application was given; an application belongs to one processing location.",
    ),
    (ServerError, Finding.SERVER_TROUBLE, "{server} is in trouble. Try again later."),
    (UnreadableAnswerError, *_ALIEN),
    (NotEnabledError, *_ALIEN),
    (RequestRejectedError, *_ALIEN),
)


def check_server(client: CloudOcrClient) -> ConnectionReport:
    """Ask what costs nothing, at most twice (``getApplicationInfo``, ``listFinishedTasks``).

    :param client: for the connection; it bounds how long each of the two calls takes.
    """
    try:
        account = _account(client)
    except OcrError as error:
        return report_of(error, client.base_url)
    words = f"{client.base_url} accepts the application ID and the password. {account}"
    return ConnectionReport(Finding.WORKS, words)


def report_of(error: OcrError, server: str) -> ConnectionReport:
    """What an error says about a connection.

    :param error: what a call over it raised.
    :param server: the base URL of the server that was asked.
    """
    status = error.http_status if isinstance(error, RequestRejectedError) else None
    if status in _STATUS_MEANINGS:
        finding, words = _STATUS_MEANINGS[status]
    else:
        finding, words = next((row[1:] for row in _MEANINGS if isinstance(error, row[0])), _REFUSES)
    return ConnectionReport(finding, f"{words.format(server=server)} ({error})")


def _account(client: CloudOcrClient) -> str:
    """What is left to spend, in a sentence.

    :raises OcrError: if the server cannot be reached, or does not accept the credentials.
    """
    try:
        return _left(client.get_application_info())
    except (NotEnabledError, RequestRejectedError, UnreadableAnswerError) as error:
        # Another method may do: this one has to be switched on, and compatible servers may lack it.
        _ask_something_else(client, error)
        if isinstance(error, NotEnabledError):
            return "It does not tell what is left: getApplicationInfo is not enabled for this application."
        return "It does not tell what is left to spend."


def _ask_something_else(client: CloudOcrClient, before: OcrError) -> None:
    """Ask what every server answers.

    :param before: what the first answer came to.
    :raises OcrError: if that is no answer of a Cloud OCR server's, either.
    """
    # Over a new connection: many servers close the first one without announcing it.
    client.close()
    try:
        client.list_finished_tasks()
    except ConnectionFailedError as silence:
        # That somebody answered, and not as a Cloud OCR server does, is known already.
        raise (silence if isinstance(before, NotEnabledError) else before) from None


def _left(info: ApplicationInfo) -> str:
    told = ((info.pages, "pages"), (info.fields, "fields"))
    amounts = [f"{amount:,} {unit}" for amount, unit in told if amount is not None]
    if not amounts:
        return "It does not tell what is left to spend."
    until = f", until {info.expires.date().isoformat()}" if info.expires else ""
    return f"Left to spend: {' or '.join(amounts)}{until}."
