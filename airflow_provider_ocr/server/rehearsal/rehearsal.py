# SPDX-License-Identifier: Apache-2.0
"""Takes the place of recognition: tasks run through all their states, are charged and have result files, and
no image is fetched or opened. What becomes of them is the script's; the results say that nothing was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.jobs import (
    ExportJob,
    Measurement,
    OnFailedPage,
    OnPage,
    Progress,
    RecognitionCancelled,
    RecognitionFailed,
    RecognitionJob,
    RecognitionSummary,
    ResultFile,
    result_path,
)
from airflow_provider_ocr.server.records.database import Database
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.rehearsal.rehearsed_images import RehearsedFetcher, source_of
from airflow_provider_ocr.server.rehearsal.result_files import result_content
from airflow_provider_ocr.server.rehearsal.script import Outcome, Script

ENGINE = "none (nothing was recognised)"


class Rehearsal:
    """What a server recognises with that does not.

    :param script: what becomes of its documents.
    """

    def __init__(self, script: Script) -> None:
        self._script = script

    def require_supported(self, settings: ProcessingSettings) -> None:
        """Return: whatever the API knows is carried out alike."""

    def new_child(self) -> RehearsedChild:
        """Somebody who takes one document at a time."""
        return RehearsedChild(self._script)

    def new_fetcher(self) -> RehearsedFetcher:
        """Somebody who fetches nothing."""
        return RehearsedFetcher(self._script)

    def work_in(self, database: Database, sealer: Sealer, *, server: str) -> Work:
        """What is queued, as far as the script lets it go on."""
        return _ScriptedWork(database, sealer, server=server, script=self._script)


class RehearsedChild:
    """Does with a document what the script says.

    :param script: what becomes of documents.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._running = False
        self._cancelled = False

    def measure(self, images: Sequence[Path], *, pdf_password: str = "") -> Measurement:  # noqa: ARG002 - any password opens what is not there
        """As many pages as the script's texts have."""
        pages = sum(outcome.pages for outcome in self._outcomes(images))
        return Measurement(pages, pages)

    def recognise(
        self,
        job: RecognitionJob,
        on_page: OnPage = lambda *_: None,
        on_failed_page: OnFailedPage = lambda *_: None,  # noqa: ARG002 - the script knows of documents only
    ) -> Progress:
        """Take as long as the script says, and end as it says.

        :raises RecognitionFailed: if that is so.
        :raises RecognitionCancelled: if the job was killed.
        """
        outcomes = self._outcomes(job.images)
        self._stay(sum(outcome.seconds for outcome in outcomes))
        for outcome in outcomes:
            if outcome.error is not None:
                raise RecognitionFailed(outcome.error)
        pages = sum(outcome.pages for outcome in outcomes)
        for page in range(1, pages + 1):
            on_page(page, pages)
        return Progress(pages, pages)

    def export(self, job: ExportJob) -> RecognitionSummary:
        """Write the texts of the script in every format."""
        pages = "\f".join(outcome.text for outcome in self._outcomes(job.images)).split("\f")
        files = []
        for place, export_format in enumerate(job.settings.export_format, start=1):
            path = result_path(job.output, place, export_format)
            path.write_bytes(result_content(export_format, pages))
            files.append(ResultFile(export_format, path, path.stat().st_size))
        return RecognitionSummary(
            pages=len(pages),
            files=tuple(files),
            failed_pages=0,
            blank_pages=0,
            rotated_pages=0,
            words=0,
            low_words=0,
            word_confidence=None,
            engine=ENGINE,
        )

    def kill(self) -> None:
        """End the running job at once."""
        self._cancelled = self._running
        self._script.wake()

    def close(self) -> None:
        """There is nothing to end."""

    def _outcomes(self, images: Sequence[Path]) -> list[Outcome]:
        return [self._script.outcome_of(source_of(image)) for image in images]

    def _stay(self, seconds: float) -> None:
        with self._under_way():
            self._script.stay(TaskStatus.IN_PROGRESS, seconds=seconds, cancelled=lambda: self._cancelled)
            if self._cancelled:
                raise RecognitionCancelled

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        self._running = True
        try:
            yield
        finally:
            self._running = self._cancelled = False


class _ScriptedWork(Work):
    """Hands no task out while the script holds those that are Queued."""

    def __init__(self, database: Database, sealer: Sealer, *, server: str, script: Script) -> None:
        super().__init__(database, sealer, server=server)
        self._script = script

    def claim(self) -> StoredTask | None:
        """Take the task whose turn it is; None if there is none or it has to wait."""
        with self._script.claiming() as may_go_on:
            return super().claim() if may_go_on else None
