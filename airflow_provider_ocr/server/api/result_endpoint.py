# SPDX-License-Identifier: Apache-2.0
"""One HTTP request for a result: the signed URL is all it needs, and opens just that file of that run."""

from __future__ import annotations

import pendulum
from starlette.requests import Request
from starlette.types import ASGIApp

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api.answers import refusal
from airflow_provider_ocr.server.api.result_response import ResultResponse, unwanted_credentials
from airflow_provider_ocr.server.api.signing import UrlSigner
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.records.store import Store


class ResultEndpoint:
    """Answers requests to result URLs.

    :param store: tells which run's results are the task's.
    :param files: where results lie.
    :param signer: knows the URLs.
    """

    def __init__(self, *, store: Store, files: ResultFiles, signer: UrlSigner) -> None:
        self._store = store
        self._files = files
        self._signer = signer

    def answer(self, request: Request) -> ASGIApp:
        """The answer to a request whose path has the parameters ``task`` and ``position``."""
        unwanted = unwanted_credentials(request.headers)
        if unwanted:
            return refusal(403, unwanted)
        ocr_task_id, position = request.path_params["task"], request.path_params["position"]
        query = request.query_params
        signed = self._signer.verify(
            ocr_task_id,
            position,
            run=query.get("run", ""),
            expires=query.get("expires", ""),
            signature=query.get("signature", ""),
            now=pendulum.now("UTC"),
        )
        if not signed:
            return refusal(
                403, "The result URL has expired or is not valid; getTaskStatus gives a fresh one."
            )
        return self._send(ocr_task_id, query["run"], int(position))

    def _send(self, ocr_task_id: str, run: str, position: int) -> ASGIApp:
        task = self._store.find(ocr_task_id)
        if task is None or task.status is not TaskStatus.COMPLETED:
            return refusal(404, "The result is not there any more.")
        if task.run != run:
            return refusal(
                404, "The result is of an earlier run; getTaskStatus gives URLs of the last one's."
            )
        export_format = task.settings.export_format[position - 1]
        try:
            file = self._files.open_result(ocr_task_id, run, position, export_format)
        except FileNotFoundError:
            return refusal(404, "The result is not there any more.")
        media_type = export_format.file_type.media_type
        return ResultResponse(file, media_type=media_type, headers=task.quality)
