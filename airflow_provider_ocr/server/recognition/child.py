# SPDX-License-Identifier: Apache-2.0
"""The process that recognises: one JSON job per line on stdin, JSON events, one per line, on stdout.

A job is ``{"images": [paths], "settings": {query parameters}, "output": folder, "tessdata": folder}``. The
events of a job are ``{"event": "page", "page": 1, "pages": 3}`` for each recognised page, then one of
``{"event": "done", ...}`` and ``{"event": "failed", "error": sentence}``. The process ends with its
input, with its parent, and after a fault that is not the document's.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.export import DocumentSummary, Exporter, exporter_for
from airflow_provider_ocr.server.recognition.engine import Engine, engine_name
from airflow_provider_ocr.server.recognition.errors import RecognitionError
from airflow_provider_ocr.server.recognition.pages import recognise
from airflow_provider_ocr.server.recognition.quality import Quality

Event = dict[str, Any]

_PR_SET_PDEATHSIG = 1
_SHOW_IMAGES = frozenset({ExportFormat.PDF_SEARCHABLE})


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve jobs until the input ends; the exit status is 1 after a fault that is not the document's."""
    parser = argparse.ArgumentParser(description="Recognises documents for the OCR server.")
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--file-bytes", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    options = parser.parse_args(arguments)
    _die_with(options.parent)
    # A service manager that stops the server signals every process of it; the server ends this one in order.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (options.memory_bytes, options.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_bytes, options.file_bytes))
    events = _private_output()
    return 0 if _serve(sys.stdin, events) else 1


def _serve(jobs: TextIO, events: TextIO) -> bool:
    """Whether all jobs were done, or failed through their documents' own fault."""
    engines: dict[str, Engine] = {}
    for line in jobs:
        job = json.loads(line)
        try:
            engine = engines.get(job["tessdata"]) or Engine(Path(job["tessdata"]))
            engines[job["tessdata"]] = engine
            for event in run(job, engine):
                _tell(events, event)
        except RecognitionError as error:
            _tell(events, {"event": "failed", "error": str(error)})
        except Exception as error:  # noqa: BLE001 - a fault of any kind is reported, then ends the process
            print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - stderr is the log here
            _tell(events, {"event": "failed", "error": _fault(error)})
            return False
    return True


def run(job: dict[str, Any], engine: Engine) -> Iterator[Event]:
    """Carry out one job and yield its events up to ``done``.

    :raises RecognitionError: if the document cannot be read.
    """
    settings = ProcessingSettings.from_query(job["settings"])
    output = Path(job["output"])
    results = [
        (item, output / f"result{place}.{item.file_type.extension}")
        for place, item in enumerate(settings.export_format, start=1)
    ]
    exporters = [exporter_for(item, path) for item, path in results]
    quality = Quality()
    with TemporaryDirectory(dir=output, prefix="work-") as work:
        shows_images = not _SHOW_IMAGES.isdisjoint(settings.export_format)
        image_folder = Path(work) if shows_images else None
        images = [Path(path) for path in job["images"]]
        for page, pages in recognise(images, settings, engine=engine, image_folder=image_folder):
            if page.number == 1:
                _start(exporters, DocumentSummary(pages, settings.language))
            _take(exporters, page)
            quality.add(page)
            yield {"event": "page", "page": page.number, "pages": pages}
        for exporter in exporters:
            exporter.finish()
    files = [{"format": item.value, "path": str(path), "size": path.stat().st_size} for item, path in results]
    yield {"event": "done", "files": files, "engine": engine_name(), **quality.counts()}


def _take(exporters: list[Exporter], page: Page) -> None:
    for exporter in exporters:
        exporter.page(page)
    if page.image:
        page.image.unlink()


def _start(exporters: list[Exporter], summary: DocumentSummary) -> None:
    for exporter in exporters:
        exporter.start(summary)


def _fault(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "The document needs more memory than is allowed."
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return "A result file would become larger than is allowed."
    return f"Recognition failed unexpectedly ({type(error).__name__})."


def _tell(events: TextIO, event: Event) -> None:
    events.write(json.dumps(event) + "\n")
    events.flush()


def _private_output() -> TextIO:
    """A stream to the parent that no library writes to: what they print goes to stderr instead."""
    private = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return private


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, which may just have happened."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")


if __name__ == "__main__":
    sys.exit(main())
