# SPDX-License-Identifier: Apache-2.0
"""The methods that make tasks, give them images and set them going.

What they accept is held before they answer: an image is on disk before its task's row says so. A request with
an idempotency key is carried out once; who sends it again gets the task that it made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.api.admission import Admission
from airflow_provider_ocr.server.api.call import Call, RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.api.own_tasks import OwnTasks
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.recognition.support import SHOWING_PAGES, SHOWING_PICTURES
from airflow_provider_ocr.server.records.store import Store, new_task_id
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.tasks import can_add_image, can_start
from airflow_provider_ocr.server.sources.source import SourceError, check_url
from airflow_provider_ocr.server.workers.children import recognition_key

MAX_IMAGES = 1000
LONGEST_KEY = 255

_KEPT = {"description": "description", "pdfpassword": "pdf_password"}


class Runners(Protocol):
    """Whoever does the work on accepted tasks."""

    def accept(self, task: StoredTask) -> None:
        """Begin to fetch the image of a task that is now in the store."""

    def wake(self) -> None:
        """Look for Queued tasks now."""

    def seconds_until_done(self, task: StoredTask) -> int:
        """An estimate for a task that is queued or in progress now; at least 1."""


class StartingMethods:
    """Carries out processRemoteImage, processImage, submitImage and processDocument.

    :param store: where tasks are kept.
    :param files: where their images lie.
    :param runners: who fetches and recognises.
    :param admission: which images are let in.
    :param require_supported: raises InvalidParameterError for settings that are not carried out.
    :param tasks: finds and shows tasks.
    """

    def __init__(
        self,
        *,
        store: Store,
        files: ResultFiles,
        runners: Runners,
        admission: Admission,
        require_supported: Callable[[ProcessingSettings], None],
        tasks: OwnTasks,
    ) -> None:
        self._store = store
        self._files = files
        self._runners = runners
        self._admission = admission
        self._require_supported = require_supported
        self._tasks = tasks

    def process_remote_image(self, call: Call) -> list[OcrTask]:
        """Accept a task for the image at a URL."""
        return self._once(call, self._accept_remote)

    def process_image(self, call: Call) -> list[OcrTask]:
        """Accept a task for the image that came along."""
        return self._once(call, lambda call: self._accept_image(call, self._settings(call), start=True))

    def submit_image(self, call: Call) -> list[OcrTask]:
        """Keep the image that came along, in a new task or in a Submitted one, for processDocument."""
        call.allow_only("taskId", "pdfPassword")
        return self._once(call, self._add_image if call.query.get("taskid") else self._submit_image)

    def process_document(self, call: Call) -> list[OcrTask]:
        """Recognise the images of a task, for the first time or anew."""
        return self._once(call, self._start)

    def _once(self, call: Call, carry_out: Callable[[Call], StoredTask]) -> list[OcrTask]:
        """What a request makes, or made when it came before with the same key."""
        if len(call.key) > LONGEST_KEY:
            raise RejectedError(f"Idempotency-Key: it is longer than {LONGEST_KEY} characters.")
        try:
            task = self._made_before(call) or carry_out(call)
        except RejectedError:
            # The same request may have come first after all, and have left nothing to do.
            made = self._made_before(call)
            if made is None:
                raise
            task = made
        return [self._tasks.show(task, call)]

    def _made_before(self, call: Call) -> StoredTask | None:
        return self._store.find_by_key(call.application, call.key) if call.key else None

    def _accept_remote(self, call: Call) -> StoredTask:
        source = call.require("source")
        try:
            check_url(source)
        except SourceError as error:
            raise RejectedError(f"source: {error}") from None
        settings = self._settings(call, but="source")
        self._admission.require_quota(call.application)
        task = self._store.add_remote(
            application=call.application, source=source, settings=settings, key=call.key
        )
        self._runners.accept(task)
        return task

    def _submit_image(self, call: Call) -> StoredTask:
        # How to recognise it is not known yet; a format that is carried out stands for all.
        password = {"pdfPassword": call.query.get("pdfpassword", ""), "exportFormat": ExportFormat.TXT}
        settings = self._supported(ProcessingSettings.from_query(password))
        return self._accept_image(call, settings, start=False)

    def _accept_image(self, call: Call, settings: ProcessingSettings, *, start: bool) -> StoredTask:
        path = call.require_image()
        self._admission.require_quota(call.application)
        image = self._admission.measured(call, pdf_password=settings.pdf_password)
        ocr_task_id = new_task_id()
        self._files.keep(path, ocr_task_id)
        task = self._store.add_held(
            application=call.application,
            ocr_task_id=ocr_task_id,
            image=image,
            settings=settings,
            start=start,
            key=call.key,
        )
        if task.id != ocr_task_id:
            self._files.delete(ocr_task_id)
        self._runners.wake()
        return task

    def _add_image(self, call: Call) -> StoredTask:
        path = call.require_image()
        added = None
        while added is None:
            task = self._tasks.require(call)
            _require_open(task)
            self._admission.require_quota(call.application)
            settings = _with_password(task.settings, call.query.get("pdfpassword", ""))
            self._supported(settings)
            image = self._admission.measured(call, pdf_password=settings.pdf_password)
            added = self._store.add_image(
                task,
                image,
                lambda task: self._files.keep(path, task.id, task.files_count),
                settings=settings,
                key=call.key,
            )
        return added

    def _start(self, call: Call) -> StoredTask:
        started = None
        while started is None:
            # The task may move on between reading and starting; then look again.
            task = self._tasks.require(call)
            _require_startable(task)
            settings = self._settings(call, but="taskid", before=task.settings)
            _require_password(task, settings)
            if settings.pdf_password != task.settings.pdf_password:
                with self._files.local_images(task.id, task.files_count) as images:
                    self._admission.require_opening(
                        images, application=call.application, pdf_password=settings.pdf_password
                    )
            started = self._store.start(task, settings, key=call.key)
        self._runners.wake()
        return started

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
            self._require_supported(settings)
        except InvalidParameterError as error:
            raise RejectedError(str(error)) from None
        return settings


def _require_open(task: StoredTask) -> None:
    """Refuse a task that cannot have another image."""
    if task.status is TaskStatus.DELETED:
        raise RejectedError(f"taskId: the task {task.id} is deleted.")
    if not can_add_image(task.status):
        raise RejectedError(
            f"taskId: the task {task.id} is {task.status}; images are added to Submitted tasks only."
        )
    _require_held(task)


def _with_password(settings: ProcessingSettings, password: str) -> ProcessingSettings:
    """A task's settings after an image came with a password; one opens all images of a task."""
    if settings.pdf_password and password and settings.pdf_password != password:
        raise RejectedError("pdfPassword: the PDF files of one task need to have the same password.")
    return replace(settings, pdf_password=settings.pdf_password or password)


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
    if not task.holds_images:
        raise RejectedError(
            f"taskId: the image of the task {task.id} is no longer kept; send it again in a new task."
        )


def _require_password(task: StoredTask, settings: ProcessingSettings) -> None:
    """Refuse what needs a PDF to be opened again whose password has been dropped."""
    shows = not (SHOWING_PAGES | SHOWING_PICTURES).isdisjoint(settings.export_format)
    opens_again = shows or recognition_key(settings) != recognition_key(task.settings)
    if task.charged and task.protected and opens_again and not settings.pdf_password:
        raise RejectedError(
            "pdfPassword: the PDF is protected and its password was dropped after recognition; send it again."
        )
