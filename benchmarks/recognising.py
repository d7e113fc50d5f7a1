# SPDX-License-Identifier: Apache-2.0
"""Documents recognised through the API, as a user's are: by URL, waited for, downloaded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.download import Announcement
from airflow_provider_ocr.lifecycle.quality import DocumentQuality
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer, ScanServer

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What came of a document.

    :param results: the file of each format; none if the task failed.
    :param quality: what the server says of it.
    :param error: why the task failed, if it did.
    """

    results: dict[ExportFormat, bytes]
    quality: DocumentQuality | None
    error: str | None


class Recogniser:
    """A server, and the folder whose files it can fetch.

    :param scans: base URL of the folder.
    :param waiting: documents that are at the server at once.
    """

    def __init__(self, client: CloudOcrClient, *, scans: str, waiting: int) -> None:
        self._client = client
        self._scans = scans
        self._waiting = waiting

    def recognise(self, documents: Sequence[tuple[Path, ProcessingSettings]]) -> Iterator[Recognised]:
        """What came of each, in their order.

        :param documents: files of the folder, and how each is to be read.
        """
        with ThreadPoolExecutor(self._waiting) as executor:
            yield from executor.map(lambda document: self._recognise(*document), documents)

    def _recognise(self, file: Path, settings: ProcessingSettings) -> Recognised:
        task = self._client.process_remote_image(f"{self._scans}/{file.name}", settings)
        while task.is_running:
            time.sleep(_POLL_SECONDS)
            task = self._client.get_task_status(task.id)
        return self._fetched(task, settings)

    def _fetched(self, task: OcrTask, settings: ProcessingSettings) -> Recognised:
        told: list[Announcement] = []
        results = {
            export_format: b"".join(self._client.download_result(url, export_format, on_answer=told.append))
            for export_format, url in zip(settings.export_format, task.result_urls, strict=False)
        }
        quality = DocumentQuality.from_headers(told[0].headers) if told else None
        return Recognised(results=results, quality=quality, error=task.error)


@contextmanager
def recogniser(folder: Path, *, scans: Path, workers: int) -> Iterator[Recogniser]:
    """A server of its own that is stopped afterwards.

    :param folder: for its data and logs.
    :param scans: the folder of what is to be recognised.
    :param workers: documents recognised at once.
    """
    with (
        ScanServer(scans) as site,
        OcrServer(data=folder / "data", logs=folder / "logs", workers=workers) as server,
        CloudOcrClient(base_url=server.url, application_id=APPLICATION_ID, password=PASSWORD) as client,
    ):
        # Twice as many as are recognised, so that no worker waits for the next.
        yield Recogniser(client, scans=site.url, waiting=2 * workers)
