# SPDX-License-Identifier: Apache-2.0
"""Land: a completed task's result files become files of one's own, each complete and verified, or absent.

The service is asked for fresh URLs first, because result URLs expire; one that expires on the way is
renewed once. Nothing is created before the task is known to have results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.publishing import publish
from airflow_provider_ocr.lifecycle.verdict import failure_of
from airflow_provider_ocr.protocol.errors import (
    InvalidParameterError,
    OcrError,
    ResultIntegrityError,
    ResultUnavailableError,
    TaskNotFinishedError,
)
from airflow_provider_ocr.protocol.redaction import quoted
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file that has landed.

    :param export_format: what it is.
    :param name: the file's, in its folder.
    :param size: bytes.
    :param sha256: hexadecimal digest of the content.
    """

    export_format: ExportFormat
    name: str
    size: int
    sha256: str


def file_names(stem: str, export_formats: Sequence[ExportFormat]) -> list[str]:
    """A name for each result file: ``stem.extension``, with the format between where two would be the same.

    :param stem: file name without extension.
    :param export_formats: in the order of the results.
    :raises InvalidParameterError: if the stem would leave the destination folder.
    """
    if not stem or "/" in stem or "\\" in stem or stem in (".", "..") or "\0" in stem:
        raise InvalidParameterError(
            "name", f"{quoted(stem)!r} cannot be a file name; it must have no path in it."
        )
    extensions = [export_format.file_type.extension for export_format in export_formats]
    return [
        f"{stem}.{extension}" if extensions.count(extension) == 1 else f"{stem}.{export_format}.{extension}"
        for export_format, extension in zip(export_formats, extensions, strict=True)
    ]


def land(
    *,
    client: CloudOcrClient,
    ocr_task_id: str,
    export_formats: Sequence[ExportFormat],
    filesystem: AbstractFileSystem,
    folder: str,
    stem: str,
    on_file: Callable[[LandedFile], None],
    on_bytes: Callable[[ExportFormat, int], None] = lambda *_: None,
) -> tuple[OcrTask, list[LandedFile]]:
    """Bring the result files of a completed task into a folder.

    :param client: speaks for the application that made the task.
    :param ocr_task_id: the task's ID.
    :param export_formats: the formats of the submission, in its order; that is the order of the results.
    :param filesystem: where to.
    :param folder: the folder's path, as the filesystem takes it.
    :param stem: file name without extension.
    :param on_file: called for each file once it is there.
    :param on_bytes: called for each piece of a file that has come, with its length.
    :raises OcrError: if the task has no results, or they cannot be had whole.
    """
    names = file_names(stem, export_formats)
    task = require_completed(client.get_task_status(ocr_task_id))
    if len(task.result_urls) != len(export_formats):
        raise ResultIntegrityError(
            f"OCR task {ocr_task_id} has {len(task.result_urls)} result files, but {len(export_formats)} "
            f"export formats were named ({', '.join(export_formats)}); name those of the submission.",
            ocr_task_id=ocr_task_id,
        )
    landed = []
    for position, (export_format, name) in enumerate(zip(export_formats, names, strict=True)):
        content = _counted(_renewing(client, task, position, export_format), partial(on_bytes, export_format))
        try:
            published = publish(filesystem, f"{folder.rstrip('/')}/{name}", content)
        except OcrError as error:
            error.ocr_task_id = ocr_task_id
            raise
        landed.append(LandedFile(export_format, name, published.size, published.sha256))
        on_file(landed[-1])
    return task, landed


def require_completed(task: OcrTask) -> OcrTask:
    """The task, if it has results to land.

    :param task: as the service told it last.
    :raises OcrError: if it has none; the error says why.
    """
    if task.status == TaskStatus.COMPLETED:
        return task
    raise failure_of(task) or TaskNotFinishedError(
        f"OCR task {task.id} is still {task.status}; wait for it with CloudOcrTaskSensor before landing.",
        ocr_task_id=task.id,
    )


def _counted(content: Iterator[bytes], on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    for piece in content:
        on_bytes(len(piece))
        yield piece


def _renewing(
    client: CloudOcrClient, task: OcrTask, position: int, export_format: ExportFormat
) -> Iterator[bytes]:
    """The content of a result, with a fresh URL where the first turns out to have expired."""
    started = False
    try:
        for piece in client.download_result(task.result_urls[position], export_format):
            started = True
            yield piece
    except ResultUnavailableError:
        if started:
            raise
    else:
        return
    renewed = require_completed(client.get_task_status(task.id))
    if len(renewed.result_urls) != len(task.result_urls):
        raise ResultIntegrityError(
            f"OCR task {task.id} had {len(task.result_urls)} result files and now has "
            f"{len(renewed.result_urls)}; it was started again meanwhile. Land it again."
        )
    yield from client.download_result(renewed.result_urls[position], export_format)
