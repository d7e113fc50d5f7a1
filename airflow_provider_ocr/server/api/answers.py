# SPDX-License-Identifier: Apache-2.0
"""The server's answers over HTTP: documents of the API, and errors in the form that its clients read."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from airflow_provider_ocr.protocol.messages import render_application_info, render_error, render_tasks
from airflow_provider_ocr.protocol.task import ApplicationInfo
from airflow_provider_ocr.server.api.methods import Answer

_XML = "text/xml; charset=utf-8"


def document(answer: Answer) -> Response:
    """What a method has answered."""
    if isinstance(answer, ApplicationInfo):
        return Response(render_application_info(answer), media_type=_XML)
    return Response(render_tasks(answer), media_type=_XML)


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error.

    :param status: the HTTP status, which may be one of the API's own.
    :param message: sentences for the user of the API.
    """
    return Response(render_error(message), status, headers, media_type=_XML)


def try_again(status: int, message: str, *, after_seconds: int) -> Response:
    """An error that is over after some time."""
    return refusal(status, message, {"Retry-After": str(after_seconds)})
