# SPDX-License-Identifier: Apache-2.0
"""Why no answer came, in words without any URL.

Told from the types of the exceptions, their numbers, and from whether the request had left: texts of
`requests` and urllib3 change from version to version, and hold URLs.
"""

from __future__ import annotations

import errno
import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

import requests
from urllib3 import exceptions as urllib3_errors

from airflow_provider_ocr.client.connections import MissingBundleError, UnusableProxyError
from airflow_provider_ocr.client.exchange import Exchange, Stage, TooManyBytesError
from airflow_provider_ocr.protocol.errors import (
    ConnectFailedError,
    ConnectionFailedError,
    HandshakeError,
    NameResolutionError,
    NotHttpError,
    OcrError,
    ProxyFailedError,
    ServerError,
    TlsError,
    TlsWantedError,
    UnreadableAnswerError,
)

# What `requests` and urllib3 raise, and Python's own where a value cannot be put into a request.
CAUGHT = (OSError, urllib3_errors.HTTPError, http.client.HTTPException, ValueError)

_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_NO_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "UNKNOWN_PROTOCOL",
        "RECORD_LAYER_FAILURE",
    }
)
_NO_BUNDLE = frozenset({"NO_CERTIFICATE_OR_CRL_FOUND", "NO_START_LINE"})
# How an answer begins that is a record of TLS, an alert of SSL 3.0 or any later version.
_TLS_ALERT = "\x15\x03"
_TIMEOUTS = (TimeoutError, urllib3_errors.ReadTimeoutError)
_TLS = (ssl.SSLError, urllib3_errors.SSLError)
_PROXY_TROUBLE = (urllib3_errors.ProxyError, requests.exceptions.ProxyError)

_Kind = TypeVar("_Kind", bound=BaseException)


class UncallableUrlError(ConnectFailedError):
    """The URL is none that anything could be asked of. No repetition can help."""


class Failure(NamedTuple):
    """What kind of error it is, and what happened as a clause about the server."""

    kind: type[OcrError]
    words: str


def may_be_cured(failure: OcrError) -> bool:
    """Whether another attempt may succeed where this one failed.

    :param failure: what this one came to.
    """
    lasting = (TlsError, ProxyFailedError, UncallableUrlError)
    passing = (ConnectionFailedError, ServerError)
    return isinstance(failure, passing) and not isinstance(failure, lasting)


def failure_of(error: Exception, exchange: Exchange) -> Failure:
    """What an exception of `requests` or urllib3 means.

    :param error: one of `CAUGHT`.
    :param exchange: the exchange that it ended.
    """
    causes = list(_causes(error))
    if missing := _first(causes, MissingBundleError):
        return Failure(TlsError, f"the CA bundle {missing.path} does not exist")
    if unusable := _first(causes, UnusableProxyError):
        return Failure(ProxyFailedError, unusable.problem)
    for kinds, failure in _ANYWHERE:
        if _first(causes, *kinds):
            return failure
    if exchange.stage is Stage.SENT:
        return _after_sending(causes, exchange)
    # Behind a tunnel it is the server's certificate that is looked at.
    at_proxy = exchange.stage is Stage.AT_PROXY and not _first(causes, *_TLS)
    if at_proxy or _first(causes, *_PROXY_TROUBLE):
        return Failure(ProxyFailedError, _about_proxy(causes))
    return _before_sending(causes)


def _before_sending(causes: Sequence[BaseException]) -> Failure:
    if _first(causes, *_TIMEOUTS):
        return _NOT_ACCEPTED if _first(causes, urllib3_errors.ConnectTimeoutError) else _NO_HANDSHAKE
    for kinds, failure in _BEFORE_SENDING:
        if _first(causes, *kinds):
            return failure
    if tls := _first(causes, *_TLS):
        return Failure(
            TlsError, f"the TLS handshake failed; {_about_tls(_first(causes, ssl.SSLError) or tls)}"
        )
    if {getattr(cause, "errno", None) for cause in causes} & _UNREACHABLE:
        return Failure(ConnectFailedError, "there is no way to the server from this network")
    return Failure(ConnectFailedError, f"no connection came about ({_name(causes)})")


def _after_sending(causes: Sequence[BaseException], exchange: Exchange) -> Failure:
    if not exchange.remaining:
        return _TOO_LATE
    if words := _words(_AFTER_SENDING, causes):
        return Failure(ConnectionFailedError, words)
    if said := _first(causes, http.client.BadStatusLine, http.client.LineTooLong):
        return _about_alien(said)
    return Failure(ConnectionFailedError, f"the answer broke off ({_name(causes)})")


def _about_alien(said: BaseException) -> Failure:
    """What an answer is that does not begin as one of HTTP.

    :param said: holds its first line.
    """
    if str(getattr(said, "line", "")).startswith(_TLS_ALERT):
        return Failure(TlsWantedError, "what answered speaks TLS; is https meant instead of http?")
    return Failure(NotHttpError, "what answered does not speak HTTP; are scheme and port right?")


_Kinds = tuple[type[BaseException], ...]

_ANYWHERE: Sequence[tuple[_Kinds, Failure]] = (
    (
        (TooManyBytesError,),
        Failure(UnreadableAnswerError, "the answer is far longer than any of the API's"),
    ),
    (
        (requests.exceptions.MissingSchema, requests.exceptions.InvalidURL),
        Failure(UncallableUrlError, "the URL is none that can be called"),
    ),
    (
        (requests.exceptions.InvalidSchema,),
        Failure(UncallableUrlError, "the URL has a scheme other than http and https"),
    ),
    (
        (requests.exceptions.TooManyRedirects,),
        Failure(ConnectionFailedError, "the host leads from one URL to the next without end"),
    ),
)

_REFUSED = "refused the connection; is it running, and are host and port right?"

_BEFORE_SENDING: Sequence[tuple[_Kinds, Failure]] = (
    ((UnicodeError,), Failure(UncallableUrlError, "the URL is none that can be called")),
    ((socket.gaierror,), Failure(NameResolutionError, "the server's name does not resolve")),
    (
        (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError),
        Failure(HandshakeError, "the server closed the connection during the TLS handshake"),
    ),
    ((ConnectionRefusedError,), Failure(ConnectFailedError, f"the server {_REFUSED}")),
)
_NOT_ACCEPTED = Failure(ConnectFailedError, "the server did not accept the connection in time")
_NO_HANDSHAKE = Failure(HandshakeError, "the server did not get through the TLS handshake in time")

_TOO_LATE = Failure(ConnectionFailedError, "the server did not answer within the time for the whole call")
_AFTER_SENDING: Sequence[tuple[_Kinds, str]] = (
    (_TIMEOUTS, "the server did not answer in time"),
    ((http.client.RemoteDisconnected,), "the server closed the connection without an answer"),
)

_WITH_A_PROXY: Sequence[tuple[_Kinds, str]] = (
    ((socket.gaierror,), "the proxy's name does not resolve"),
    (_TIMEOUTS, "the proxy did not answer in time"),
    ((ConnectionRefusedError,), f"the proxy {_REFUSED}"),
    (_TLS, "the TLS handshake with the proxy failed; check the certificate, and the scheme of its URL"),
)


def _about_tls(error: BaseException) -> str:
    """What to check.

    :param error: the innermost one about TLS.
    """
    reason = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the server's certificate is not trusted ({error.verify_message.rstrip('.')}). Check the "
            "certificate and the CA bundle"
        )
    if reason in _NO_TLS:
        return "the server does not speak TLS at this port; is http meant instead of https?"
    if reason in _NO_BUNDLE:
        return "there is no certificate in the CA bundle"
    return f"check the certificate and the CA bundle ({reason if isinstance(reason, str) else 'no reason'})"


def _about_proxy(causes: Sequence[BaseException]) -> str:
    if words := _words(_WITH_A_PROXY, causes):
        return words
    # A tunnel that was refused is a bare OSError, which has the status in its words only.
    refusals = (re.search(r"\b[345]\d\d\b", str(cause)) for cause in causes if type(cause) is OSError)
    status = next((found[0] for found in refusals if found), None)
    if status == "407":
        return "the proxy wants other credentials (HTTP 407); check user and password in its URL"
    if status:
        return f"the proxy does not connect to the server (HTTP {status})"
    return f"the proxy could not be used ({_name(causes)})"


def _words(table: Sequence[tuple[_Kinds, str]], causes: Sequence[BaseException]) -> str | None:
    return next((words for kinds, words in table if _first(causes, *kinds)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it wraps: these libraries put it into the arguments, a reason or a cause."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = (*cause.args, getattr(cause, "reason", None), cause.__cause__)
        waiting += [item for item in inner if isinstance(item, BaseException)]


def _first(causes: Sequence[BaseException], *kinds: type[_Kind]) -> _Kind | None:
    return next((cause for cause in causes if isinstance(cause, kinds)), None)


def _name(causes: Sequence[BaseException]) -> str:
    return type(causes[-1]).__name__
