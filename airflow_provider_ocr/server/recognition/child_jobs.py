# SPDX-License-Identifier: Apache-2.0
"""The three jobs of a recognition process: measure a document, recognise pages of it, export them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.jobs import result_path
from airflow_provider_ocr.server.recognition.engine import Engine, engine_name
from airflow_provider_ocr.server.recognition.errors import PageMemoryError, RecognitionError
from airflow_provider_ocr.server.recognition.events import (
    Event,
    Exported,
    Measured,
    PageBegun,
    PageDone,
    Recognised,
)
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.kept_pages import KeptPages
from airflow_provider_ocr.server.recognition.limits import give_back_memory, had_memory_to_spare, step_back
from airflow_provider_ocr.server.recognition.measurement import measure
from airflow_provider_ocr.server.recognition.page_image import PageImage
from airflow_provider_ocr.server.recognition.page_picture import picture_page, with_images
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.quality import Quality
from airflow_provider_ocr.server.recognition.running_titles import RunningTitles
from airflow_provider_ocr.server.recognition.support import SHOWING_PAGES, SHOWING_PICTURES

_NOT_YET = "Page {} is not recognised yet."


class ChildJobs:
    """Carries out jobs, one after the other.

    :param tessdata: folder made by ``tessdata.gather_tessdata``.
    """

    def __init__(self, tessdata: Path) -> None:
        self._tessdata = tessdata
        self._engine: Engine | None = None

    def run(self, job: dict[str, Any]) -> Iterator[Event]:
        """Carry out a job and yield its events.

        :param job: as ``child`` describes it.
        :raises RecognitionError: if it cannot be carried out through the document's own fault.
        """
        images = [Path(path) for path in job["images"]]
        match job["job"]:
            case "measure":
                yield Measured(*measure(images, password=job["password"]))
            case "recognise":
                step_back()
                yield from self._recognise(images, job)
            case "export":
                step_back()
                yield from _export(images, job)
            case unknown:
                raise ValueError(f"no job is called {unknown!r}")

    def _recognise(self, images: list[Path], job: dict[str, Any]) -> Iterator[Event]:
        """Recognise pages that are not kept, at least one if there is one, until the job's time is over."""
        end = None if job["seconds"] is None else time.monotonic() + job["seconds"]
        settings = ProcessingSettings.from_query(job["settings"])
        kept = KeptPages(Path(job["pages"]))
        done, failed = kept.numbers(), kept.failures()
        with Document(images, password=settings.pdf_password) as document:
            for number in range(1, document.pages + 1):
                if number in done:
                    continue
                yield PageBegun(number, document.pages)
                page = self._page(document, number, settings, picture=number in failed)
                kept.keep(page, pages=document.pages)
                give_back_memory()
                yield PageDone(number, document.pages)
                if end is not None and time.monotonic() >= end:
                    break
            yield Recognised(document.pages)

    def _page(self, document: Document, number: int, settings: ProcessingSettings, *, picture: bool) -> Page:
        try:
            source = document.page(number, colours=False)  # recognition has no use for them
            page = picture_page(source) if picture else self._recognised(source, settings)
        except Exception as error:
            if isinstance(error, MemoryError) or not had_memory_to_spare():
                raise PageMemoryError(number) from error
            raise
        if not had_memory_to_spare():
            raise PageMemoryError(number)
        return page

    def _recognised(self, source: PageImage, settings: ProcessingSettings) -> Page:
        self._engine = self._engine or Engine(self._tessdata)
        return recognise_page(source, settings, engine=self._engine)


def _export(images: list[Path], job: dict[str, Any]) -> Iterator[Event]:
    settings = ProcessingSettings.from_query(job["settings"])
    output = Path(job["output"])
    results = [
        (item, result_path(output, place, item)) for place, item in enumerate(settings.export_format, start=1)
    ]
    exporters = [exporter_for(item, path) for item, path in results]
    kept = KeptPages(Path(job["pages"]))
    pages = _page_count(kept)
    quality = Quality()
    # Only one page is held at a time, so they are read twice: a title is known by the pages behind it.
    titles = RunningTitles(_kept(kept, number)[0] for number in range(1, pages + 1))
    with ExitStack() as opened:
        work = Path(opened.enter_context(TemporaryDirectory(dir=output, prefix="work-")))
        document = None
        if not (SHOWING_PAGES | SHOWING_PICTURES).isdisjoint(settings.export_format):
            document = opened.enter_context(Document(images, password=settings.pdf_password))
        for exporter in exporters:
            exporter.start(DocumentSummary(pages, settings))
        for number in range(1, pages + 1):
            yield PageBegun(number, pages)
            page = titles.marked(_kept(kept, number)[0])
            if document is not None:
                page = with_images(page, document, formats=settings.export_format, folder=work)
            shown = page if settings.reads_barcodes else _without_barcodes(page)
            for exporter in exporters:
                exporter.page(shown)
            if page.image is not None:
                page.image.unlink()
            quality.add(page)
            yield PageDone(number, pages)
        for exporter in exporters:
            exporter.finish()
    yield Exported(engine=engine_name(), **quality.counts())


def _without_barcodes(page: Page) -> Page:
    return replace(page, blocks=tuple(block for block in page.blocks if block.barcode is None))


def _page_count(kept: KeptPages) -> int:
    """How many pages the document has, all of which are kept.

    :raises RecognitionError: if some are not.
    """
    _, pages = _kept(kept, 1)
    missing = set(range(1, pages + 1)) - kept.numbers()
    if missing:
        raise RecognitionError(_NOT_YET.format(min(missing)))
    return pages


def _kept(kept: KeptPages, number: int) -> tuple[Page, int]:
    try:
        return kept.read(number)
    except FileNotFoundError:
        raise RecognitionError(_NOT_YET.format(number)) from None
    except ValueError as error:
        raise RecognitionError(
            f"Page {number} was recognised, but what was kept of it is damaged."
        ) from error
