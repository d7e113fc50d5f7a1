# SPDX-License-Identifier: Apache-2.0
"""An answer that is not the one hoped for becomes an error with the server's own words in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from airflow_provider_ocr.client.pauses import retry_after_of
from airflow_provider_ocr.protocol.errors import (
    AuthenticationError,
    ForbiddenByGatewayError,
    NotEnabledError,
    OcrError,
    ParameterRejectedError,
    ProxyFailedError,
    RequestRejectedError,
    ServerError,
    UnreadableAnswerError,
    UnsupportedImageError,
)
from airflow_provider_ocr.protocol.foreign_answers import page_words
from airflow_provider_ocr.protocol.messages import parse_error
from airflow_provider_ocr.protocol.redaction import (
    MASK,
    quoted,
    secrets_of_url,
    spellings,
    without_queries,
)
from airflow_provider_ocr.protocol.vocabulary import ServiceStatus

_SHORT = 4


class ServerTroubleError(ServerError):
    """HTTP 429 or 5xx: another attempt may succeed.

    :param retry_after: after so many seconds, if the server said so.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, ocr_task_id: str | None = None
    ) -> None:
        super().__init__(message, ocr_task_id=ocr_task_id)
        self.retry_after = retry_after


def refusal_of(
    method: str,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    parameters: Mapping[str, str],
    password: str,
) -> OcrError:
    """The error for an answer other than 200.

    :param method: the API's method that was called.
    :param status: the HTTP status.
    :param headers: the answer's.
    :param body: the answer's, as far as it arrived.
    :param parameters: what was sent; an answer may repeat what is secret in it.
    :param password: the application's.
    """
    secrets = (*spellings([password]), *_secrets_of(parameters))
    said = fit(parse_error(body) or "", secrets)
    reason = said or "the server gave no reason."
    message = f"{method} was answered with HTTP {status}: {reason}"
    if status == HTTPStatus.FORBIDDEN and page_words(body) is not None:
        return ForbiddenByGatewayError(message, http_status=status)
    if status == HTTPStatus.FORBIDDEN and method == "getApplicationInfo":
        return NotEnabledError(message)
    if status in _KINDS:
        kind, advice = _KINDS[status]
        return kind(f"{message} {advice}".strip())
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerTroubleError(message, retry_after=retry_after_of(headers))
    if status >= HTTPStatus.BAD_REQUEST:
        # Only the service's own code speaks of parameters; the words of whatever stands between do not.
        named = status == ServiceStatus.BAD_PARAMETERS and any(_names(reason, name) for name in parameters)
        return (ParameterRejectedError if named else RequestRejectedError)(message, http_status=status)
    words = f": {said}" if said else ""
    end = "" if said.endswith((".", "!", "?")) else "."
    return UnreadableAnswerError(
        f"{method} was answered with HTTP {status}, which the API does not use{words}{end}"
        f"{_leading(headers, secrets)}"
    )


_KINDS: Mapping[int, tuple[type[OcrError], str]] = {
    HTTPStatus.UNAUTHORIZED: (AuthenticationError, "Check application ID and password."),
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: (
        ProxyFailedError,
        "This comes from a proxy, not from the server; check user and password in the proxy's URL.",
    ),
    ServiceStatus.UNSUPPORTED_IMAGE: (UnsupportedImageError, ""),
}


def _names(reason: str, name: str) -> bool:
    """Whether a refusal's words are clearly about a parameter.

    What is an English word by itself (source, language) has to lead the sentence, or to be quoted or called a
    parameter: "too many images from this source" may be said of a quota, and that passes.
    """
    spelling = re.escape(name)
    signs = [rf"^\W*{spelling}\s*:", rf"[\"'`\u2018\u201c]{spelling}[\"'`\u2019\u201d]"]
    signs += [rf"\bparameter:?\s+{spelling}\b", rf"\b{spelling}\s+parameter\b"]
    if not name.islower():
        signs.append(rf"\b{spelling}\b")
    return any(re.search(sign, reason, re.IGNORECASE) for sign in signs)


def _leading(headers: Mapping[str, str], secrets: Iterable[str]) -> str:
    target = headers.get("Location")
    if not target:
        return ""
    return f" It leads to {fit(without_queries(target), secrets)}; is the server's URL right?"


def _secrets_of(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """What the server may repeat and nobody else should read."""
    return (*secrets_of_signed(parameters.get("source", "")), *spellings([parameters.get("pdfPassword", "")]))


def secrets_of_signed(url: str) -> tuple[str, ...]:
    """What in a URL must not be seen where its whole query may be a secret, in every spelling.

    :param url: an image's or a result's.
    """
    return (*secrets_of_url(url), *spellings([url.partition("?")[2]]))


def fit(text: str, secrets: Iterable[str]) -> str:
    """Somebody else's words, fit for a message: one line of bounded length, and nothing secret in it.

    :param text: may be empty.
    :param secrets: what it may repeat and nobody should read.
    """
    line = " ".join(text.split())
    for secret in sorted(secrets, key=len, reverse=True):
        # A short one is part of many words.
        edges = (r"(?<!\w)", r"(?!\w)") if len(secret) < _SHORT else ("", "")
        line = re.sub(edges[0] + re.escape(secret) + edges[1], MASK, line)
    return quoted(line)
