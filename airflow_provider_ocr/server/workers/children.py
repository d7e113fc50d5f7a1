# SPDX-License-Identifier: Apache-2.0
"""The supervisor's side of recognition: a disposable process per worker, replaced after every fault.

Whatever a document does to the process that reads it (crash, hang, exhaust its memory), one page or one job
fails with a sentence for the API user, and the next job gets a fresh process.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.jobs import (
    ExportJob,
    Measurement,
    OnFailedPage,
    OnPage,
    PageFailure,
    Progress,
    RecognitionCancelled,
    RecognitionFailed,
    RecognitionJob,
    RecognitionSummary,
    ResultFile,
    UnsupportedDocumentError,
    WrongPasswordError,
    result_path,
)
from airflow_provider_ocr.server.recognition.events import Exported, Fault, Measured
from airflow_provider_ocr.server.recognition.kept_pages import recognition_key
from airflow_provider_ocr.server.recognition.process import PROGRAM
from airflow_provider_ocr.server.recognition.slices import Slice
from airflow_provider_ocr.server.recognition.supervision import Answer, JobFault, SupervisedProcess

__all__ = [
    "ExportJob",
    "Measurement",
    "OnFailedPage",
    "OnPage",
    "PageFailure",
    "Progress",
    "RecognitionCancelled",
    "RecognitionChild",
    "RecognitionFailed",
    "RecognitionJob",
    "RecognitionSummary",
    "ResultFile",
    "UnsupportedDocumentError",
    "WrongPasswordError",
    "recognition_key",
]

_GIGABYTE = 2**30
_ADDRESS_SPACE_BEYOND = 4 * _GIGABYTE  # what is resident is watched; this limit is for what comes too fast
_WEAR_OF_MEASURING = 0.02  # of that of a job that recognises


class RecognitionChild:
    """Runs one job after the other in a process of its own. One thread at a time gives it jobs; ``kill`` may
    be called from any.

    A process that has recognised runs at a lower priority from then on: keep one apart for measuring.

    :param tessdata: folder made by ``recognition.tessdata.gather_tessdata``.
    :param memory_bytes: resident memory that the process and its descendants may use together.
    :param file_bytes: largest file that it may write.
    :param seconds_per_page: wall time that a page may take before the process counts as hung.
    :param seconds_to_measure: wall time that measuring a document may take.
    :param jobs_per_process: jobs after which it is replaced, so that nothing accumulates.
    :param program: arguments for Python, which runs the process; tests give programs that have faults.
    """

    def __init__(
        self,
        *,
        tessdata: Path,
        memory_bytes: int = 2 * _GIGABYTE,
        file_bytes: int = 4 * _GIGABYTE,
        seconds_per_page: float = 120.0,
        seconds_to_measure: float = 10.0,
        jobs_per_process: int = 200,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        options = {
            "--tessdata": tessdata.absolute(),
            "--address-space": memory_bytes + _ADDRESS_SPACE_BEYOND,
            "--file-bytes": file_bytes,
        }
        self._process = SupervisedProcess(
            options, memory_bytes=memory_bytes, most_wear=jobs_per_process, program=program
        )
        self._seconds_per_page = seconds_per_page
        self._seconds_to_measure = seconds_to_measure

    def start(self) -> None:
        """Start the process now, so that the first job does not wait for it.

        :raises OSError: if it does not start.
        """
        with _outcomes():
            self._process.begin()

    def measure(self, images: Sequence[Path], *, pdf_password: str = "") -> Measurement:
        """How many pages the document in ``images`` has, from the files' headers alone.

        :raises WrongPasswordError: if a PDF file does not open with ``pdf_password``.
        :raises UnsupportedDocumentError: if a file is of no type that is read or forbids to be rasterised.
        :raises RecognitionFailed: if a file is damaged or beyond a limit, or the process died, hung or was
            killed.
        :raises OSError: if the disk or the system failed, not the document: it may be tried again.
        """
        job = {"job": "measure", "images": _absolute(images), "password": pdf_password}

        def measured() -> Measured:
            return self._process.ask(Measured, job, within=self._seconds_to_measure, wear=_WEAR_OF_MEASURING)

        with _outcomes():
            self._process.begin()
            event = _twice(measured)
        return Measurement(event.pages, event.billed_pages)

    def recognise(
        self,
        job: RecognitionJob,
        on_page: OnPage = lambda *_: None,
        on_failed_page: OnFailedPage = lambda *_: None,
    ) -> Progress:
        """Recognise the pages that ``job.pages`` does not have yet, or those that fit into a slice of time.

        At least one page is recognised if one is left.

        :param on_page: called after each page is kept with its number and the number of pages.
        :param on_failed_page: called for each page that failed, where the job keeps those.
        :raises RecognitionFailed: as ``measure``, or if a page failed and the job does not keep those; then
            ``page`` is its number. Pages kept before that stay.
        :raises OSError: as ``measure`` does.
        """
        with _outcomes():
            self._process.begin()
            part = Slice(self._process, job, within=self._seconds_per_page, on_failed_page=on_failed_page)
            return part.recognise(on_page)

    def export(self, job: ExportJob) -> RecognitionSummary:
        """Write the result files of a document whose pages are all kept.

        :raises RecognitionFailed: if that is impossible, or the process died, hung or was killed.
        :raises OSError: as ``measure`` does.
        """
        request = {
            "job": "export",
            "images": _absolute(job.images),
            "settings": job.settings.to_query(),
            "pages": str(job.pages.absolute()),
            "output": str(job.output.absolute()),
        }

        def export_anew() -> Exported:
            _empty(job.output)
            return self._process.ask(Exported, request, within=self._seconds_per_page)

        with _outcomes():
            self._process.begin()
            exported = _twice(export_anew)
        files = tuple(
            _result_file(job.output, place, export_format)
            for place, export_format in enumerate(job.settings.export_format, start=1)
        )
        return RecognitionSummary(files=files, **asdict(exported))

    @property
    def process_id(self) -> int | None:
        """The running process's number, if there is one."""
        return self._process.pid

    def kill(self) -> None:
        """End the running job at once: it raises ``RecognitionCancelled``. Between two jobs it only ends the
        process.
        """
        self._process.kill()

    def close(self) -> None:
        """End the process; a later job starts another."""
        self._process.close()


_OUTCOMES = {Fault.PASSWORD: WrongPasswordError, Fault.UNSUPPORTED: UnsupportedDocumentError}


@contextmanager
def _outcomes() -> Iterator[None]:
    """Raise what became of a job as callers know it."""
    try:
        yield
    except JobFault as fault:
        if fault.fault is Fault.SYSTEM:
            raise OSError(f"{fault} It wrote: {fault.log}" if fault.log else str(fault)) from fault
        outcome = _OUTCOMES.get(fault.fault, RecognitionFailed)
        raise outcome(str(fault), page=fault.page, log=fault.log) from fault


def _twice(ask: Callable[[], Answer]) -> Answer:
    """Ask, and where the process died ask another."""
    try:
        return ask()
    except JobFault as fault:
        if fault.fault is not Fault.UNEXPECTED:
            raise
    return ask()


def _absolute(paths: Sequence[Path]) -> list[str]:
    return [str(path.absolute()) for path in paths]


def _empty(folder: Path) -> None:
    """Remove what an export that did not end has left. Links are removed, not followed."""
    for found in folder.iterdir():
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()


def _result_file(output: Path, place: int, export_format: ExportFormat) -> ResultFile:
    """The result file of a format, if that is what the process has written.

    :raises RecognitionFailed: if it is not.
    """
    path = result_path(output, place, export_format)
    found = path.lstat() if path.exists() else None
    if found is None or not stat.S_ISREG(found.st_mode):
        raise RecognitionFailed(f"The result file of format {export_format.value} was not written.")
    return ResultFile(export_format, path, found.st_size)
