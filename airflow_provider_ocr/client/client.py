# SPDX-License-Identifier: Apache-2.0
"""CloudOcrClient: one Python method for each method of the Cloud OCR SDK v1 API.

Nothing here waits, polls or retries a paid call; those decisions are made in `lifecycle`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import pendulum

from airflow_provider_ocr.client.download import Downloader
from airflow_provider_ocr.client.transport import Timeouts, Transport
from airflow_provider_ocr.protocol.errors import (
    InvalidParameterError,
    OcrError,
    RequestRejectedError,
    TaskDeletedError,
    UnreadableAnswerError,
)
from airflow_provider_ocr.protocol.messages import parse_application_info, parse_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.times import render_time
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

_NULL_ID = "00000000"
_BAD_PARAMETERS = 450


class CloudOcrClient:
    """Speaks for one application to one server. Close it, or use it in a ``with`` block.

    Every method raises an :class:`~airflow_provider_ocr.protocol.errors.OcrError`: an
    ``AuthenticationError`` for a 401, a ``RequestRejectedError`` for a 450, a ``ServerError`` for a 5xx, a
    ``ConnectionFailedError`` where no answer came, an ``UnreadableAnswerError`` where it made no sense.

    :param base_url: the server, for example ``https://cloud-eu.ocrsdk.com``.
    :param application_id: the application's name.
    :param password: the application's password.
    :param timeouts: for each single HTTP call, in seconds.
    :param verify: whether to verify TLS, or the path of a CA bundle.
    :param read_attempts: how often a call that changes nothing is tried in all.
    """

    def __init__(
        self,
        *,
        base_url: str,
        application_id: str,
        password: str,
        timeouts: Timeouts | None = None,
        verify: bool | str = True,
        read_attempts: int = 4,
    ) -> None:
        self._transport = Transport(
            base_url=base_url,
            application_id=application_id,
            password=password,
            timeouts=timeouts,
            verify=verify,
            read_attempts=read_attempts,
        )
        self._downloader = Downloader(timeouts=self._transport.timeouts, verify=verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """The server that this client speaks to, without a slash at the end."""
        return self._transport.base_url

    @property
    def timeouts(self) -> Timeouts:
        """How long one HTTP call may take."""
        return self._transport.timeouts

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()
        self._downloader.close()

    def process_remote_image(self, source: str, settings: ProcessingSettings) -> OcrTask:
        """Start a task for the image at a URL (``processRemoteImage``). Costs credits; sent once.

        :param source: the image's URL.
        :param settings: how to recognise and export it.
        """
        if not source:
            raise InvalidParameterError("source", "the URL of the image is missing.")
        return _only(self._transport.change("processRemoteImage", {"source": source, **settings.to_query()}))

    def process_image(self, content: bytes, settings: ProcessingSettings) -> OcrTask:
        """Start a task for an image that is sent along (``processImage``). Costs credits; sent once.

        :param content: the bytes of the image file.
        :param settings: how to recognise and export it.
        """
        return _only(self._transport.change("processImage", settings.to_query(), _image(content)))

    def submit_image(self, content: bytes, ocr_task_id: str | None = None) -> OcrTask:
        """Add an image to a task that `process_document` will start (``submitImage``). Sent once.

        :param content: the bytes of the image file.
        :param ocr_task_id: a Submitted task that gets one more image; without it a new task is made.
        """
        if ocr_task_id is None:
            return _only(self._transport.change("submitImage", {}, _image(content)))
        query = {"taskId": _checked(ocr_task_id)}
        with _about(ocr_task_id):
            return _only(self._transport.change("submitImage", query, _image(content)))

    def process_document(self, ocr_task_id: str, settings: ProcessingSettings) -> OcrTask:
        """Start a task again, for example after a top-up (``processDocument``). Sent once.

        :param ocr_task_id: a task that is Submitted, Completed or NotEnoughCredits.
        :param settings: how to recognise and export it.
        """
        query = {"taskId": _checked(ocr_task_id), **settings.to_query()}
        with _about(ocr_task_id):
            return _only(self._transport.change("processDocument", query))

    def get_task_status(self, ocr_task_id: str) -> OcrTask:
        """What a task is doing, with fresh result URLs once it is completed (``getTaskStatus``).

        :raises TaskDeletedError: if the service does not know the task, or not any more.
        """
        with _about(ocr_task_id):
            try:
                return _only(self._transport.read("getTaskStatus", {"taskId": _checked(ocr_task_id)}))
            except RequestRejectedError as error:
                # Other codes come from whatever stands between, and say nothing about the task.
                if error.http_status != _BAD_PARAMETERS:
                    raise
                raise TaskDeletedError(
                    f"OCR task {ocr_task_id} is deleted, unknown, or another application's. {error}"
                ) from None

    def list_tasks(
        self,
        *,
        from_date: pendulum.DateTime | None = None,
        to_date: pendulum.DateTime | None = None,
        exclude_deleted: bool = False,
    ) -> list[OcrTask]:
        """Up to 1,000 tasks of a window of time, the last 7 days by default (``listTasks``).

        :param from_date: start of the window.
        :param to_date: end of the window, now by default.
        :param exclude_deleted: leave deleted tasks out.
        """
        query = {}
        if from_date is not None:
            query["fromDate"] = render_time(from_date)
        if to_date is not None:
            query["toDate"] = render_time(to_date)
        if exclude_deleted:
            query["excludeDeleted"] = "true"
        return parse_tasks(self._transport.read("listTasks", query))

    def list_finished_tasks(self) -> list[OcrTask]:
        """Up to 100 tasks that ended, in the order in which they did (``listFinishedTasks``)."""
        return parse_tasks(self._transport.read("listFinishedTasks", {}))

    def delete_task(self, ocr_task_id: str) -> OcrTask:
        """Delete a task that is not being processed, with its image and results (``deleteTask``)."""
        with _about(ocr_task_id):
            return _only(self._transport.change("deleteTask", {"taskId": _checked(ocr_task_id)}))

    def get_application_info(self) -> ApplicationInfo:
        """What the application has left to spend, and until when (``getApplicationInfo``).

        :raises NotEnabledError: if the service does not tell this application.
        """
        return parse_application_info(self._transport.read("getApplicationInfo", {}))

    def download_result(self, url: str, export_format: ExportFormat | None = None) -> Iterator[bytes]:
        """A result file, streamed. No credentials are sent to its host.

        :param url: one of a completed task's ``result_urls``.
        :param export_format: what the file should be; a host that announces another one is refused.
        :raises ResultUnavailableError: if the URL has expired; `get_task_status` gives a fresh one.
        :raises ResultIntegrityError: if the file is not as announced.
        """
        media_type = export_format.file_type.media_type if export_format else None
        return self._downloader.stream(url, media_type=media_type)


@contextmanager
def _about(ocr_task_id: str) -> Iterator[None]:
    """Puts the task's ID on every error that passes."""
    try:
        yield
    except OcrError as error:
        error.ocr_task_id = ocr_task_id
        raise


def _checked(ocr_task_id: str) -> str:
    if not ocr_task_id or _NULL_ID in ocr_task_id.partition("-")[0]:
        raise InvalidParameterError("taskId", f"{ocr_task_id!r} denotes no task.")
    return ocr_task_id


def _image(content: bytes) -> bytes:
    if not content:
        raise InvalidParameterError("image", "there are no bytes to send.")
    return content


def _only(body: bytes) -> OcrTask:
    tasks = parse_tasks(body)
    if len(tasks) != 1:
        raise UnreadableAnswerError(f"The answer has {len(tasks)} tasks, one was expected.")
    return tasks[0]
