# SPDX-License-Identifier: Apache-2.0
"""The supervisor's side of recognition: a disposable process per worker, replaced after every fault.

Whatever a document does to the process that reads it (crash, hang, exhaust its memory), one job fails
with a sentence for the API user, and the next job gets a fresh process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.recognition.process import (
    ProcessBrokenError,
    ProcessDiedError,
    ProcessHungError,
    RecognitionProcess,
)

OnPage = Callable[[int, int], None]
"""Takes the number of a recognised page and the number of pages of its document."""

_GIGABYTE = 2**30


class RecognitionFailed(Exception):  # noqa: N818 - an outcome that the caller reports, not a mistake of its own
    """One document was not recognised; the message is a sentence for the API user.

    :param log: the last lines that the process wrote, for the operator's log.
    """

    def __init__(self, message: str, *, log: str = "") -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True, slots=True)
class RecognitionJob:
    """What is to be recognised.

    :param images: the files, in their order.
    :param settings: what ``recognition.support.supported`` has accepted.
    :param output: an existing, empty folder for the result files.
    """

    images: tuple[Path, ...]
    settings: ProcessingSettings
    output: Path


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One result file, named ``result1.txt`` and so on in the order of ``exportFormat``."""

    format: ExportFormat
    path: Path
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionSummary:
    """What became of a document.

    :param files: in the order of ``exportFormat``.
    :param blank_pages: pages without anything on them.
    :param rotated_pages: pages that had to be turned upright.
    :param low_words: words with a confidence below 60.
    :param word_confidence: the mean over all words, 0 to 100; None without words.
    :param engine: its name and version.
    """

    pages: int
    files: tuple[ResultFile, ...]
    blank_pages: int
    rotated_pages: int
    words: int
    low_words: int
    word_confidence: float | None
    engine: str


class RecognitionChild:
    """Runs one job after the other in a process of its own. ``kill`` may be called from any thread.

    :param tessdata: folder made by ``recognition.tessdata.gather_tessdata``.
    :param memory_bytes: address space that the process may use.
    :param file_bytes: largest file that it may write.
    :param seconds_per_page: wall time from one page to the next before the process counts as hung.
    :param jobs_per_process: jobs after which it is replaced, so that nothing accumulates.
    """

    def __init__(
        self,
        *,
        tessdata: Path,
        memory_bytes: int = 4 * _GIGABYTE,
        file_bytes: int = 4 * _GIGABYTE,
        seconds_per_page: float = 120.0,
        jobs_per_process: int = 200,
    ) -> None:
        self._tessdata = tessdata
        self._limits = {"--memory-bytes": memory_bytes, "--file-bytes": file_bytes}
        self._seconds_per_page = seconds_per_page
        self._jobs_per_process = jobs_per_process
        self._process: RecognitionProcess | None = None
        self._jobs = 0
        self._killed = threading.Event()

    def run(self, job: RecognitionJob, on_page: OnPage = lambda *_: None) -> RecognitionSummary:
        """Recognise one document.

        :param on_page: called after each page with its number and the number of pages.
        :raises RecognitionFailed: if the document cannot be read, or the process died, hung or was killed.
        """
        self._killed.clear()
        process = self._ready_process()
        try:
            summary = self._listen(process, job, on_page)
        except BaseException:
            self.close()
            raise
        self._jobs += 1
        return summary

    @property
    def process_id(self) -> int | None:
        """The running process's number, if there is one."""
        return None if self._process is None else self._process.pid

    def kill(self) -> None:
        """End the running job at once; its ``run`` raises. Between two jobs it only ends the process."""
        self._killed.set()
        process = self._process  # the thread that runs jobs may just be giving it up
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process; a later ``run`` starts another."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _ready_process(self) -> RecognitionProcess:
        if self._process is not None and (self._jobs >= self._jobs_per_process or not self._process.alive):
            self.close()
        if self._process is None:
            self._process, self._jobs = RecognitionProcess(self._limits), 0
        return self._process

    def _request(self, job: RecognitionJob) -> dict[str, Any]:
        return {
            "images": [str(image.absolute()) for image in job.images],
            "settings": job.settings.to_query(),
            "output": str(job.output.absolute()),
            "tessdata": str(self._tessdata.absolute()),
        }

    def _listen(
        self, process: RecognitionProcess, job: RecognitionJob, on_page: OnPage
    ) -> RecognitionSummary:
        """Follow one job's events until it is done."""
        page = 1
        try:
            process.send(self._request(job))
            while True:
                event = _event(process.next_event(within=self._seconds_per_page))
                if not isinstance(event, _PageDone):
                    break
                page = event.page + 1
                on_page(event.page, event.pages)
        except ProcessHungError:
            message = f"Page {page} took longer than {self._seconds_per_page:g} seconds to recognise."
        except (ProcessDiedError, ProcessBrokenError):
            message = f"Recognition stopped unexpectedly on page {page}."
        else:
            if isinstance(event, RecognitionSummary):
                return event
            message = event
        if self._killed.is_set():
            message = "Recognition was cancelled."
        raise RecognitionFailed(message, log=process.log)


@dataclass(frozen=True, slots=True)
class _PageDone:
    page: int
    pages: int


def _event(event: dict[str, Any]) -> _PageDone | RecognitionSummary | str:
    """What the process said: a page, the end, or the sentence that says why there is none.

    :raises ProcessBrokenError: if it is none of these.
    """
    values = dict(event)
    try:
        match values.pop("event"):
            case "page":
                return _PageDone(**values)
            case "failed":
                return str(values["error"])
            case "done":
                files = (
                    ResultFile(ExportFormat(item["format"]), Path(item["path"]), item["size"])
                    for item in values.pop("files")
                )
                return RecognitionSummary(files=tuple(files), **values)
    except (KeyError, TypeError, ValueError):
        raise ProcessBrokenError from None
    raise ProcessBrokenError
