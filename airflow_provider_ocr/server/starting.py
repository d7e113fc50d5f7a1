# SPDX-License-Identifier: Apache-2.0
"""The methods that make tasks, give them images and set them going.

What they accept is held before they answer: an image is on disk before its task's row says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.call import Call, RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.own_tasks import OwnTasks
from airflow_provider_ocr.server.recognition.file_types import is_known_type
from airflow_provider_ocr.server.recognition.support import supported
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.source import SourceError, check_url
from airflow_provider_ocr.server.store import Store, StoredTask, new_task_id
from airflow_provider_ocr.server.tasks import can_add_image, can_start

MAX_IMAGES = 1000

_KEPT = {"description": "description", "pdfpassword": "pdf_password"}


class Workforce(Protocol):
    """Whoever does the work on accepted tasks."""

    def accept(self, task: StoredTask) -> None:
        """Begin to fetch the image of a task that is now in the store."""

    def wake(self) -> None:
        """Look for Queued tasks now."""

    def seconds_until_done(self) -> int:
        """An estimate for a task that is queued or in progress now; at least 1."""


class StartingMethods:
    """Carries out processRemoteImage, processImage, submitImage and processDocument.

    :param store: where tasks are kept.
    :param files: where their images lie.
    :param workforce: who fetches and recognises.
    :param tessdata: which languages can be read.
    :param tasks: finds and shows tasks.
    """

    def __init__(
        self, *, store: Store, files: ResultFiles, workforce: Workforce, tessdata: Tessdata, tasks: OwnTasks
    ) -> None:
        self._store = store
        self._files = files
        self._workforce = workforce
        self._tessdata = tessdata
        self._tasks = tasks

    def process_remote_image(self, call: Call) -> list[OcrTask]:
        """Accept a task for the image at a URL."""
        source = call.require("source")
        try:
            check_url(source)
        except SourceError as error:
            raise RejectedError(f"source: {error}") from None
        settings = self._settings(call, but="source")
        task = self._store.add(application=call.application, source=source, settings=settings)
        self._workforce.accept(task)
        return [self._tasks.show(task, call)]

    def process_image(self, call: Call) -> list[OcrTask]:
        """Accept a task for the image that came along."""
        settings = self._settings(call)
        task = self._add_with_image(call, settings, TaskStatus.QUEUED)
        self._workforce.wake()
        return [self._tasks.show(task, call)]

    def submit_image(self, call: Call) -> list[OcrTask]:
        """Keep the image that came along, in a new task or in a Submitted one, for processDocument."""
        call.allow_only("taskId", "pdfPassword")
        if call.query.get("taskid"):
            return [self._tasks.show(self._add_image(call), call)]
        # How to recognise it is not known yet; a format that is carried out stands for all.
        password = {"pdfPassword": call.query.get("pdfpassword", ""), "exportFormat": ExportFormat.TXT}
        settings = self._supported(ProcessingSettings.from_query(password))
        return [self._tasks.show(self._add_with_image(call, settings, TaskStatus.SUBMITTED), call)]

    def process_document(self, call: Call) -> list[OcrTask]:
        """Recognise the images of a task, for the first time or anew."""
        started = None
        while started is None:
            # The task may move on between reading and starting; then look again.
            task = self._tasks.require(call)
            _require_startable(task)
            started = self._store.start(task, self._settings(call, but="taskid", before=task.settings))
        self._workforce.wake()
        return [self._tasks.show(started, call)]

    def _add_with_image(self, call: Call, settings: ProcessingSettings, status: TaskStatus) -> StoredTask:
        image = call.require_image()
        _require_known_type(call)
        ocr_task_id = new_task_id()
        self._files.keep(image, ocr_task_id)
        return self._store.add(
            application=call.application,
            source=None,
            settings=settings,
            status=status,
            ocr_task_id=ocr_task_id,
        )

    def _add_image(self, call: Call) -> StoredTask:
        image = call.require_image()
        added = None
        while added is None:
            task = self._tasks.require(call)
            _require_open(task)
            _require_known_type(call)
            self._supported(replace(task.settings, pdf_password=call.query.get("pdfpassword", "")))
            added = self._store.add_image(
                task.id, lambda task: self._files.keep(image, task.id, task.files_count)
            )
        return added

    def _settings(
        self, call: Call, *, but: str = "", before: ProcessingSettings | None = None
    ) -> ProcessingSettings:
        """The settings among the parameters.

        :param but: a parameter that is none.
        :param before: what the task had; its texts are kept where the call does not name them.
        """
        query = {name: value for name, value in call.query.items() if name != but}
        try:
            settings = ProcessingSettings.from_query(query)
        except InvalidParameterError as error:
            raise RejectedError(str(error)) from None
        if before is not None:
            kept = {field: getattr(before, field) for name, field in _KEPT.items() if name not in query}
            settings = replace(settings, **kept)
        return self._supported(settings)

    def _supported(self, settings: ProcessingSettings) -> ProcessingSettings:
        try:
            supported(settings, self._tessdata)
        except InvalidParameterError as error:
            raise RejectedError(str(error)) from None
        return settings


def _require_known_type(call: Call) -> None:
    if not is_known_type(call.require_image()):
        raise UnsupportedImageError(
            "The image is of no type that can be read; JPEG, PNG, TIFF, PDF, BMP or GIF is needed."
        )


def _require_open(task: StoredTask) -> None:
    """Refuse a task that cannot have another image."""
    if task.status is TaskStatus.DELETED:
        raise RejectedError(f"taskId: the task {task.id} is deleted.")
    if not can_add_image(task.status):
        raise RejectedError(
            f"taskId: the task {task.id} is {task.status}; images are added to Submitted tasks only."
        )
    _require_held(task)


def _require_startable(task: StoredTask) -> None:
    """Refuse a task that processDocument cannot start."""
    if task.status is TaskStatus.DELETED:
        raise RejectedError(f"taskId: the task {task.id} is deleted.")
    if not can_start(task.status):
        raise RejectedError(f"taskId: the task {task.id} is {task.status} and cannot be started now.")
    _require_held(task)
    if task.files_count > MAX_IMAGES:
        raise UnsupportedImageError(
            f"The task {task.id} has {task.files_count} images; at most {MAX_IMAGES} make a document."
        )


def _require_held(task: StoredTask) -> None:
    if task.source is not None:
        raise RejectedError(
            f"taskId: the image of the task {task.id} is still being fetched from its source."
        )
