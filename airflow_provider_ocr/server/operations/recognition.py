# SPDX-License-Identifier: Apache-2.0
"""What a server recognises with, as one thing that can be exchanged: the engine, or nothing at all."""

from __future__ import annotations

from typing import Protocol

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.operations.languages import tessdata_folders
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.recognition.support import supported
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from airflow_provider_ocr.server.records.database import Database
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.rehearsal.rehearsal import Rehearsal
from airflow_provider_ocr.server.rehearsal.script import Outcome, Script
from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import SourceFetcher
from airflow_provider_ocr.server.workers.children import RecognitionChild
from airflow_provider_ocr.server.workers.intake import Fetcher
from airflow_provider_ocr.server.workers.recogniser import Recogniser


class Recognition(Protocol):
    """What a server recognises with."""

    def require_supported(self, settings: ProcessingSettings) -> None:
        """Return if it carries out every one of ``settings``.

        :raises InvalidParameterError: for the first that it does not.
        """

    def new_child(self) -> Recogniser:
        """Somebody who recognises one document at a time."""

    def new_fetcher(self) -> Fetcher:
        """Somebody who brings remote images."""

    def work_in(self, database: Database, sealer: Sealer, *, server: str) -> Work:
        """What there is to do for it."""


class EngineRecognition:
    """Recognises for real.

    :param options: where recognition data is, and which networks images may come from.
    """

    def __init__(self, options: ServeOptions) -> None:
        self._tessdata = gather_tessdata(
            options.data / "tessdata", more=tessdata_folders(options.data, options.tessdata)
        )
        self._allowed_sources = options.allowed_sources

    def require_supported(self, settings: ProcessingSettings) -> None:
        """Return if this server carries out every one of ``settings``."""
        supported(settings, self._tessdata)

    def new_child(self) -> Recogniser:
        """A process of its own."""
        return RecognitionChild(tessdata=self._tessdata.folder)

    def new_fetcher(self) -> Fetcher:
        """One that goes out to the network."""
        return SourceFetcher(AddressPolicy(self._allowed_sources))

    def work_in(self, database: Database, sealer: Sealer, *, server: str) -> Work:
        """All that is queued."""
        return Work(database, sealer, server=server)


def recognition_of(options: ServeOptions) -> Recognition:
    """What the options ask for."""
    if options.recognition == "none":
        return Rehearsal(Script(Outcome(seconds=options.recognition_seconds)))
    return EngineRecognition(options)
