# SPDX-License-Identifier: Apache-2.0
"""One HTTP request to an API method: who calls, with which parameters and which image, and the answer.

Nothing is received of an image before it is clear who sends it and that there is room for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from airflow_provider_ocr.protocol.task import ApplicationInfo
from airflow_provider_ocr.protocol.vocabulary import ServiceStatus
from airflow_provider_ocr.server.accounts.accounts import Accounts
from airflow_provider_ocr.server.accounts.login_delay import TooManyAttemptsError
from airflow_provider_ocr.server.api.answers import document, refusal, try_again
from airflow_provider_ocr.server.api.body import TooSlowError
from airflow_provider_ocr.server.api.call import Call, RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.api.image_turns import ImageTurns
from airflow_provider_ocr.server.api.methods import Answer, ApiMethods, Method
from airflow_provider_ocr.server.api.upload import (
    MAX_IMAGE_BYTES,
    announced_bytes,
    receive_form,
    receive_image,
)
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.spool import Spool, SpoolFullError, room_on_disk

_REFUSALS = (RejectedError, UnsupportedImageError, SpoolFullError, TooManyAttemptsError, ClientDisconnect)


class ApiEndpoint:
    """Answers requests to API methods. What waits for the disk or the database runs in threads.

    :param accounts: tells who calls.
    :param methods: the API.
    :param spool: tells whether there is room for another image.
    :param files: where an image goes while it arrives.
    """

    def __init__(self, *, accounts: Accounts, methods: ApiMethods, spool: Spool, files: ResultFiles) -> None:
        self._accounts = accounts
        self._methods = methods
        self._spool = spool
        self._files = files
        self._image_turns = ImageTurns()

    async def answer(self, request: Request) -> Response:
        """The answer to a request whose path has a parameter ``method``."""
        name = request.path_params["method"]
        method = self._methods.find(name)
        if method is None:
            return refusal(404, f"There is no method {name[:64]!r}.")
        try:
            application = await self._authenticate(request)
            if application is None:
                return _unauthorized()
            if method.needs_room:
                # Nothing that is larger is let in.
                expected = min(announced_bytes(request), MAX_IMAGE_BYTES) if method.takes_image else 0
                await run_in_threadpool(self._spool.room, expected_bytes=expected)
            answer = await self._carry_out(method, request, application)
        except _REFUSALS as error:
            return _refused(error)
        if not isinstance(answer, ApplicationInfo) and len(answer) == 1:
            request.scope["cloud_ocr_task_id"] = answer[0].id
        return document(answer)

    async def _authenticate(self, request: Request) -> str | None:
        authorization = request.headers.get("Authorization")
        client = request.client.host if request.client else ""
        application = await self._accounts.authenticate(authorization, client=client)
        request.scope["cloud_ocr_application"] = application or "-"
        return application

    async def _carry_out(self, method: Method, request: Request, application: str) -> Answer:
        query = _by_name(request.query_params.multi_items())
        if not method.takes_image:
            # A parameter that stands in both is the query's.
            query = _by_name(await receive_form(request)) | query
        call = Call(
            application=application,
            query=query,
            base_url=str(request.base_url).rstrip("/"),
            key=request.headers.get("Idempotency-Key", "").strip(),
        )
        if not (method.takes_image and request.method == "POST"):
            return await self._answer(method, call)
        with room_on_disk(), self._files.incoming() as image:
            if await receive_image(request, image):
                call = replace(call, image=image)
            return await self._answer(method, call)

    async def _answer(self, method: Method, call: Call) -> Answer:
        if not method.opens_images:
            return await run_in_threadpool(method.answer, call)
        return await self._image_turns.run(call.application, partial(method.answer, call))


def _refused(error: Exception) -> Response:
    match error:
        case UnsupportedImageError():
            return refusal(ServiceStatus.UNSUPPORTED_IMAGE, str(error))
        case SpoolFullError():
            return try_again(503, error.reason, after_seconds=error.retry_after_seconds)
        case TooSlowError():
            return refusal(ServiceStatus.BAD_PARAMETERS, str(error), {"Connection": "close"})
        case TooManyAttemptsError():
            return try_again(429, str(error), after_seconds=error.retry_after_seconds)
        case _:
            return refusal(ServiceStatus.BAD_PARAMETERS, str(error) or "The body of the request broke off.")


def _unauthorized() -> Response:
    return refusal(
        401,
        "The application ID or the password is wrong or missing.",
        {"WWW-Authenticate": 'Basic realm="Cloud OCR"'},
    )


def _by_name(parameters: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters, their names in lower case.

    :raises RejectedError: if one is given twice.
    """
    query: dict[str, str] = {}
    for name, value in parameters:
        if name.lower() in query:
            raise RejectedError(f"{name}: the parameter is given more than once.")
        query[name.lower()] = value
    return query
