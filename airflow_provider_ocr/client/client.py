# SPDX-License-Identifier: Apache-2.0
"""CloudOcrClient: one Python method for each method of the Cloud OCR SDK v1 API.

Nothing here waits, polls or retries a paid call; those decisions are made in `lifecycle`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TypeVar

import pendulum

from airflow_provider_ocr.client.answer import task_id_in
from airflow_provider_ocr.client.download import Announcement, Downloader
from airflow_provider_ocr.client.network import Network, Timeouts
from airflow_provider_ocr.client.transport import Transport
from airflow_provider_ocr.protocol.errors import (
    WHEN_GONE,
    InvalidParameterError,
    OcrError,
    RequestRejectedError,
    TaskDeletedError,
    UnreadableAnswerError,
)
from airflow_provider_ocr.protocol.messages import iterate_tasks, parse_application_info, parse_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.times import render_time
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, ServiceStatus, TaskStatus

_NULL_ID = "00000000"
_Answer = TypeVar("_Answer")


class CloudOcrClient:
    """Speaks for one application to one server. Close it, or use it in a ``with`` block.

    Every method raises an :class:`~airflow_provider_ocr.protocol.errors.OcrError`: an
    ``AuthenticationError`` for a 401, a ``RequestRejectedError`` for a 450, a ``ServerError`` for a 5xx, a
    ``ConnectionFailedError`` where no answer came, an ``UnreadableAnswerError`` where it made no sense.

    :param base_url: the server, for example ``https://cloud-eu.ocrsdk.com``.
    :param application_id: the application's name.
    :param password: the application's password.
    :param timeouts: how long to wait, in seconds.
    :param verify: whether to verify TLS, or the path of a CA bundle.
    :param proxy: URL of the proxy for the server and for its results; None for the environment's.
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
        proxy: str | None = None,
        read_attempts: int = 4,
    ) -> None:
        network = Network(timeouts=timeouts or Timeouts(), verify=verify, proxy=proxy or None)
        self._transport = Transport(
            base_url=base_url,
            application_id=application_id,
            password=password,
            network=network,
            read_attempts=read_attempts,
        )
        self._downloader = Downloader(network=network)
        self._reading = threading.Lock()

    def __repr__(self) -> str:
        return f"<CloudOcrClient of {self._transport!r}>"

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
        """How long this client waits."""
        return self._transport.network.timeouts

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()
        self._downloader.close()

    def process_remote_image(
        self, source: str, settings: ProcessingSettings, *, idempotency_key: str | None = None
    ) -> OcrTask:
        """Start a task for the image at a URL (``processRemoteImage``). Costs credits; sent once.

        :param source: the image's URL.
        :param settings: how to recognise and export it.
        :param idempotency_key: a server that knows such keys answers the same key with the same task. It is
            at most 255 characters of ASCII; the vendor's service takes no notice of it.
        """
        if not source:
            raise InvalidParameterError("source", "the URL of the image is missing.")
        query = {"source": source, **settings.to_query()}
        return self._change("processRemoteImage", query, idempotency_key=idempotency_key)

    def process_image(
        self, content: bytes, settings: ProcessingSettings, *, idempotency_key: str | None = None
    ) -> OcrTask:
        """Start a task for an image that is sent along (``processImage``). Costs credits; sent once.

        :param content: the bytes of the image file.
        :param settings: how to recognise and export it.
        :param idempotency_key: as of `process_remote_image`.
        """
        query = settings.to_query()
        return self._change("processImage", query, _image(content), idempotency_key=idempotency_key)

    def submit_image(
        self,
        content: bytes,
        ocr_task_id: str | None = None,
        *,
        pdf_password: str | None = None,
        idempotency_key: str | None = None,
    ) -> OcrTask:
        """Add an image to a task that `process_document` will start (``submitImage``). Sent once.

        :param content: the bytes of the image file.
        :param ocr_task_id: a Submitted task that gets one more image; without it a new task is made.
        :param pdf_password: what opens the image, if that is a protected PDF.
        :param idempotency_key: as of `process_remote_image`.
        """
        query = {} if ocr_task_id is None else {"taskId": _checked(ocr_task_id)}
        if pdf_password:
            query["pdfPassword"] = pdf_password
        with _about(ocr_task_id):
            return self._change("submitImage", query, _image(content), idempotency_key=idempotency_key)

    def process_document(
        self, ocr_task_id: str, settings: ProcessingSettings, *, idempotency_key: str | None = None
    ) -> OcrTask:
        """Start a task again, for example after a top-up (``processDocument``). Sent once.

        :param ocr_task_id: a task that is Submitted, Completed or NotEnoughCredits.
        :param settings: how to recognise and export it.
        :param idempotency_key: as of `process_remote_image`.
        :raises TaskDeletedError: if the service does not know the task, or not any more.
        """
        query = {"taskId": _checked(ocr_task_id), **settings.to_query()}
        with _about(ocr_task_id), self._gone_if_unknown(ocr_task_id):
            return self._change("processDocument", query, idempotency_key=idempotency_key)

    def get_task_status(self, ocr_task_id: str) -> OcrTask:
        """What a task is doing, with fresh result URLs once it is completed (``getTaskStatus``).

        :param ocr_task_id: the task's ID.
        :raises InvalidParameterError: if the ID denotes no task; then nothing is sent.
        :raises TaskDeletedError: if the service does not know the task, or not any more.
        """
        with _about(ocr_task_id):
            try:
                body = self._transport.read("getTaskStatus", {"taskId": _checked(ocr_task_id)})
            except RequestRejectedError as error:
                # Other codes come from whatever stands between, and say nothing about the task.
                if error.http_status != ServiceStatus.BAD_PARAMETERS:
                    raise
                raise _gone(ocr_task_id, error) from None
            return _only("getTaskStatus", body)

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
        tasks: list[OcrTask] = []
        self.scan_tasks(tasks.append, from_date=from_date, to_date=to_date, exclude_deleted=exclude_deleted)
        return tasks

    def scan_tasks(
        self,
        take: Callable[[OcrTask], None],
        *,
        from_date: pendulum.DateTime | None = None,
        to_date: pendulum.DateTime | None = None,
        exclude_deleted: bool = False,
    ) -> None:
        """The same for whoever keeps little of it: a thousand tasks with their result URLs are much to hold.

        :param take: is given one task after the other, perhaps before the answer turns out to be unreadable.
        :param from_date: as of `list_tasks`.
        :param to_date: as of `list_tasks`.
        :param exclude_deleted: as of `list_tasks`.
        """
        query = {}
        if from_date is not None:
            query["fromDate"] = render_time(from_date)
        if to_date is not None:
            query["toDate"] = render_time(to_date)
        if exclude_deleted:
            query["excludeDeleted"] = "true"

        def scan(body: bytes) -> None:
            for task in iterate_tasks(body):
                take(task)

        body = self._transport.read("listTasks", query)
        # A long list takes a tenth of a second to read. Threads that do so at once are not faster, and
        # leave an event loop beside them a fifth of its time.
        with self._reading:
            _understood("listTasks", scan, body)

    def list_finished_tasks(self) -> list[OcrTask]:
        """Up to 100 tasks that ended, in the order in which they did (``listFinishedTasks``)."""
        return _understood("listFinishedTasks", parse_tasks, self._transport.read("listFinishedTasks", {}))

    def delete_task(self, ocr_task_id: str) -> OcrTask:
        """Delete a task that is not being processed, with its image and results (``deleteTask``).

        :param ocr_task_id: the task's ID.
        :raises InvalidParameterError: if the ID denotes no task; then nothing is sent.
        :raises TaskDeletedError: if the service does not know the task, or not any more.
        :raises RequestRejectedError: if the service is processing it.
        """
        with _about(ocr_task_id), self._gone_if_unknown(ocr_task_id):
            return self._change("deleteTask", {"taskId": _checked(ocr_task_id)})

    def get_application_info(self) -> ApplicationInfo:
        """What the application has left to spend, and until when (``getApplicationInfo``).

        :raises NotEnabledError: if the service does not tell this application.
        """
        body = self._transport.read("getApplicationInfo", {})
        return _understood("getApplicationInfo", parse_application_info, body)

    def download_result(
        self,
        url: str,
        export_format: ExportFormat | None = None,
        *,
        ocr_task_id: str | None = None,
        on_answer: Callable[[Announcement], None] = lambda _: None,
        renew: Callable[[], str] | None = None,
        stopped: threading.Event | None = None,
    ) -> Iterator[bytes]:
        """A result file, streamed. No credentials are sent to its host.

        :param url: one of a completed task's ``result_urls``.
        :param export_format: what the file should be; a host that announces another one is refused.
        :param ocr_task_id: the task whose result it is, so that errors can name it.
        :param on_answer: called with what the host tells of the file, before its first piece.
        :param renew: gives another URL of the same file once the one at hand has expired.
        :param stopped: set, from another thread, by whoever has no use for the file any more.
        :raises StoppedError: soon after that.
        :raises ResultUnavailableError: if the URL has expired; `get_task_status` gives a fresh one.
        :raises ResultIntegrityError: if the file is not as announced.
        """
        media_type = export_format.file_type.media_type if export_format else None
        with _about(ocr_task_id):
            yield from self._downloader.stream(
                url, media_type=media_type, on_answer=on_answer, renew=renew, stopped=stopped
            )

    @contextmanager
    def _gone_if_unknown(self, ocr_task_id: str) -> Iterator[None]:
        """Finds out whether a task was refused because it is gone; asking is free, and the words differ."""
        try:
            yield
        except RequestRejectedError as refusal:
            if refusal.http_status == ServiceStatus.BAD_PARAMETERS and self._is_gone(ocr_task_id):
                raise _gone(ocr_task_id, refusal) from None
            raise

    def _is_gone(self, ocr_task_id: str) -> bool:
        try:
            return self.get_task_status(ocr_task_id).status == TaskStatus.DELETED
        except TaskDeletedError:
            return True
        except OcrError:
            # Who asked hears of the refusal that he met, which says more than that.
            return False

    def _change(
        self,
        method: str,
        query: Mapping[str, str],
        content: bytes | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> OcrTask:
        return _only(method, self._transport.change(method, query, content, idempotency_key=idempotency_key))


@contextmanager
def _about(ocr_task_id: str | None) -> Iterator[None]:
    """Puts the task's ID, if it is known, on every error that passes."""
    try:
        yield
    except OcrError as error:
        error.ocr_task_id = ocr_task_id or error.ocr_task_id
        raise


def _gone(ocr_task_id: str, refusal: RequestRejectedError) -> TaskDeletedError:
    return TaskDeletedError(
        f"OCR task {ocr_task_id} is deleted, unknown, or another application's. {refusal} {WHEN_GONE}"
    )


def _checked(ocr_task_id: str) -> str:
    if not ocr_task_id or _NULL_ID in ocr_task_id.partition("-")[0]:
        raise InvalidParameterError("taskId", f"{ocr_task_id!r} denotes no task.")
    return ocr_task_id


def _image(content: bytes) -> bytes:
    if not content:
        raise InvalidParameterError("image", "there are no bytes to send.")
    return content


def _understood(method: str, parse: Callable[[bytes], _Answer], body: bytes) -> _Answer:
    """An answer, read; where that fails the error says whose answer it was."""
    try:
        return parse(body)
    except UnreadableAnswerError as error:
        raise UnreadableAnswerError(f"{method}: {error}") from None


def _only(method: str, body: bytes) -> OcrTask:
    with _about(task_id_in(body)):
        tasks = _understood(method, parse_tasks, body)
    if len(tasks) != 1:
        raise UnreadableAnswerError(
            f"{method}: The answer has {len(tasks)} tasks, one was expected.",
            ocr_task_id=tasks[0].id if tasks else None,
        )
    return tasks[0]
