# SPDX-License-Identifier: Apache-2.0
"""Land: a completed task's result files become files of one's own, each complete and verified, or absent.

The service is asked for fresh URLs first, because result URLs expire; one that expires on the way is
renewed. Nothing is created before the task is known to have results and every one of them has begun to
come, or cannot be had; from then on all come at the same time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.download import Announcement
from airflow_provider_ocr.client.exchange import StoppedError
from airflow_provider_ocr.lifecycle.existing import IfExists
from airflow_provider_ocr.lifecycle.landing_progress import LandingProgress, Meter
from airflow_provider_ocr.lifecycle.publishing import publish
from airflow_provider_ocr.lifecycle.quality import DocumentQuality, QualityLimits
from airflow_provider_ocr.lifecycle.result_names import file_names
from airflow_provider_ocr.lifecycle.side_by_side import SideBySide
from airflow_provider_ocr.lifecycle.verdict import failure_of
from airflow_provider_ocr.protocol.errors import OcrError, ResultIntegrityError, TaskNotFinishedError
from airflow_provider_ocr.protocol.task import MAX_RESULTS, OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PROGRESS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LandedFile:
    """One file that has landed.

    :param export_format: what it is.
    :param name: the file's, in its folder.
    :param size: bytes.
    :param sha256: hexadecimal digest of the content.
    :param written: False if the same file was there already and has been left as it was.
    :param quality: how well the document was read, if its server told.
    :param review: why it went where a person looks at it; empty if it did not.
    """

    export_format: ExportFormat
    name: str
    size: int
    sha256: str
    written: bool = True
    quality: DocumentQuality | None = None
    review: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """Where documents go that a person should look at, and which they are.

    :param filesystem: where to.
    :param folder: the folder's path, as the filesystem takes it.
    :param limits: what the others keep to.
    """

    filesystem: AbstractFileSystem
    folder: str
    limits: QualityLimits


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
    on_progress: Callable[[LandingProgress], None] = lambda _: None,
    progress_seconds: float = PROGRESS_SECONDS,
    if_exists: IfExists = IfExists.OVERWRITE,
    review: Review | None = None,
    writer: str = "",
) -> tuple[OcrTask, list[LandedFile]]:
    """Bring the result files of a completed task into a folder, up to three at the same time.

    If one of them fails, the others still land before its error is raised.

    :param client: speaks for the application that made the task.
    :param ocr_task_id: the task's ID.
    :param export_formats: the formats of the submission, in its order; that is the order of the results.
    :param filesystem: where to.
    :param folder: the folder's path, as the filesystem takes it.
    :param stem: file name without extension, or a template as `file_names` takes it.
    :param on_file: called for each file once it is there, in whichever order they are.
    :param on_bytes: called for each piece of a file that has come, with its length; from several threads.
    :param on_progress: called again and again while files are coming.
    :param progress_seconds: how often.
    :param if_exists: what to do about files that are there already.
    :param review: where to instead, if a person should look at the document.
    :param writer: who lands, as `publish` takes it.
    :raises OcrError: if the task has no results, or they cannot be had whole.
    :raises FileExistsError: if another file is in the way, and was not to be replaced.
    :raises OSError: if a file cannot be written; its note is the file's path.
    """
    names = file_names(stem, export_formats, ocr_task_id)
    task = require_completed(client.get_task_status(ocr_task_id))
    _require_as_many(task, export_formats)
    meter = Meter()
    with SideBySide(
        most=MAX_RESULTS, on_tick=lambda: on_progress(meter.read()), seconds=progress_seconds
    ) as side_by_side:
        begin = partial(_Arriving.begin, client, task, side_by_side.stopped)
        arriving = side_by_side.run([partial(begin, *each) for each in enumerate(export_formats)])
        meter.announce(_sum([each.size for each in arriving]))
        place = _place(arriving, _Place(filesystem, folder.rstrip("/"), if_exists, writer), review)

        def counted(result: _Arriving) -> Iterator[bytes]:
            for piece in result.content:
                if side_by_side.stopped.is_set():
                    raise StoppedError
                meter.add(len(piece))
                on_bytes(result.export_format, len(piece))
                yield piece

        jobs = [
            partial(place.put, each, name, counted(each)) for each, name in zip(arriving, names, strict=True)
        ]
        return task, side_by_side.run(jobs, on_file)


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


def _require_as_many(task: OcrTask, export_formats: Sequence[ExportFormat]) -> None:
    if len(task.result_urls) != len(export_formats):
        raise ResultIntegrityError(
            f"OCR task {task.id} has {len(task.result_urls)} result files, but {len(export_formats)} "
            f"export formats were named ({', '.join(export_formats)}); name those of the submission.",
            ocr_task_id=task.id,
        )


@dataclass(frozen=True, slots=True)
class _Arriving:
    """A result whose beginning is here, and with it what its host tells; nothing of it is written yet.

    :param content: the file from its first piece on; it can be taken once.
    :param size: bytes that were announced.
    """

    export_format: ExportFormat
    content: Iterator[bytes]
    size: int | None
    quality: DocumentQuality | None

    @classmethod
    def begin(
        cls,
        client: CloudOcrClient,
        task: OcrTask,
        stopped: threading.Event,
        position: int,
        export_format: ExportFormat,
    ) -> _Arriving:
        told: list[Announcement] = []
        content = client.download_result(
            task.result_urls[position],
            export_format,
            ocr_task_id=task.id,
            on_answer=told.append,
            renew=partial(_renewed_url, client, task, position),
            stopped=stopped,
        )
        try:
            first = next(content, b"")
        except ResultIntegrityError:
            # The formats may have been named in a wrong order, and then no file would be what its name says.
            raise
        except OcrError as error:
            # That this file cannot be had is said where it is taken; the others can.
            return cls(export_format, _failing(error), None, None)
        quality = DocumentQuality.from_headers(told[-1].headers)
        return cls(export_format, chain([first], content), told[-1].size, quality)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where all files of a task go."""

    filesystem: AbstractFileSystem
    folder: str
    if_exists: IfExists
    writer: str
    review: tuple[str, ...] = ()

    def put(self, result: _Arriving, name: str, content: Iterator[bytes]) -> LandedFile:
        path = f"{self.folder}/{name}"
        try:
            there = publish(self.filesystem, path, content, if_exists=self.if_exists, writer=self.writer)
        except OSError as error:
            # Stores seldom say which file it was, and in which of two folders.
            error.add_note(path)
            raise
        return LandedFile(
            result.export_format,
            name,
            there.size,
            there.sha256,
            written=there.written,
            quality=result.quality,
            review=self.review,
        )


def _failing(error: OcrError) -> Iterator[bytes]:
    yield from ()
    raise error


def _place(arriving: Sequence[_Arriving], usual: _Place, review: Review | None) -> _Place:
    """One place for all files of a document, so that they stay together."""
    if review is None:
        return usual
    quality = next((each.quality for each in arriving if each.quality is not None), None)
    reasons = review.limits.broken_by(quality)
    if not reasons:
        return usual
    folder = review.folder.rstrip("/")
    return _Place(review.filesystem, folder, usual.if_exists, usual.writer, tuple(reasons))


def _sum(sizes: Sequence[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _renewed_url(client: CloudOcrClient, task: OcrTask, position: int) -> str:
    renewed = require_completed(client.get_task_status(task.id))
    if len(renewed.result_urls) != len(task.result_urls):
        raise ResultIntegrityError(
            f"OCR task {task.id} had {len(task.result_urls)} result files and now has "
            f"{len(renewed.result_urls)}; it was started again meanwhile. Land it again."
        )
    return renewed.result_urls[position]
