# SPDX-License-Identifier: Apache-2.0
"""How much memory ``cloud-ocr-server`` and its children take for a document of many pages, by format.

    python -m benchmarks.recognition_memory                 a quarter of an hour; renews docs/benchmarks.md
    python -m benchmarks.recognition_memory --pages 5 20    a first look; writes nothing

A document is recognised once, and then exported from its kept pages, each time by a server that has just
started. Memory that processes share is counted once. The kernel keeps each process's peak, so none is missed
however short it is. The exit status is 1 if a promise is not kept.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from benchmarks.report import Row, machine, markdown_table, versions, write_between_markers
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer, ScanServer

_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_PAGES = (50, 500)
_RATIO = 1.15
_JOBS: Sequence[tuple[ExportFormat, ...]] = (
    (ExportFormat.TXT, ExportFormat.TXT_UNSTRUCTURED, ExportFormat.ALTO),
    (ExportFormat.RTF,),
    (ExportFormat.DOCX,),
    (ExportFormat.XLSX,),
    (ExportFormat.PPTX,),
    (ExportFormat.PDF_SEARCHABLE,),
    (ExportFormat.PDF_TEXT_AND_IMAGES,),
    (ExportFormat.PDFA,),
    (ExportFormat.XML,),
)
_SIZE, _DPI = (870, 1240), 150  # A5
_LINES = 12
_LOOK_SECONDS = 0.2
_POLL_SECONDS = 0.2


def _drawn(pages: int, file: Path) -> Path:
    """A document of so many pages, no two of which are alike."""
    font = ImageFont.load_default(size=26)

    def page(number: int) -> Image.Image:
        image = Image.new("L", _SIZE, 255)
        draw = ImageDraw.Draw(image)
        for line in range(_LINES):
            text = f"Line {line + 1} of page {number} tells of {number * 37 + line} ships in the harbour."
            draw.text((90, 120 + 44 * line), text, font=font, fill=0)
        draw.rectangle((90, 800, 500, 1000 + number % 100), fill=120)
        return image

    first = page(1)
    others = (page(number) for number in range(2, pages + 1))
    first.save(file, save_all=True, append_images=others, dpi=(_DPI, _DPI), compression="tiff_lzw")
    return file


@contextmanager
def _peak_of(server: OcrServer, found: list[float]) -> Iterator[None]:
    """Puts the most megabytes that the server and all its children took meanwhile into ``found``."""
    ended = threading.Event()
    peak = 0.0

    def watch() -> None:
        nonlocal peak
        last = False
        while not last:
            last = ended.wait(_LOOK_SECONDS)
            peak = max(peak, _megabytes(server.pid))

    _megabytes(server.pid)  # what it took to start is none of the job's
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        found.append(peak)


def _megabytes(pid: int) -> float:
    """The most that the server and its children have taken since the last look, were it at the same time.

    Not the sum of what Linux calls proportional: that grows when a program without any part in this ends.
    """
    server = psutil.Process(pid)
    taken = 0
    files: dict[str, int] = {}
    for process in (server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):  # it has just ended
            if process != server and process.cmdline() == server.cmdline():
                continue  # it is about to become another program, and until then has the server's memory
            taken += _peak_since_last_look(process.pid)
            for mapped in process.memory_maps():
                held = mapped.rss - mapped.anonymous
                taken -= min(held, files.get(mapped.path, 0))
                files[mapped.path] = max(held, files.get(mapped.path, 0))
    return taken / 1024**2


def _peak_since_last_look(pid: int) -> int:
    """Bytes of memory."""
    files = Path("/proc") / str(pid)
    lines = dict(line.split(":", 1) for line in (files / "status").read_text("ascii", "replace").splitlines())
    (files / "clear_refs").write_text("5")  # the peak begins anew
    return int(lines.get("VmHWM", "0 kB").split()[0]) * 1024


def _waited_for(client: CloudOcrClient, task: OcrTask) -> OcrTask:
    while task.is_running:
        time.sleep(_POLL_SECONDS)
        task = client.get_task_status(task.id)
    if task.status != TaskStatus.COMPLETED:
        raise RuntimeError(f"Task {task.id} is {task.status}: {task.error}")
    return task


def _peaks(pages: int, folder: Path) -> list[float]:
    """The peak of recognition with the first job's formats, and of each other job's export."""
    scans = folder / "scans"
    scans.mkdir(parents=True)
    file = _drawn(pages, scans / "document.tif")
    found: list[float] = []
    first, *others = (ProcessingSettings.parse(export_format=",".join(job)) for job in _JOBS)
    with ScanServer(scans) as site, _running(folder) as (server, client), _peak_of(server, found):
        task = _waited_for(client, client.process_remote_image(f"{site.url}/{file.name}", first))
    for settings in others:
        _say(f"{pages} pages: {','.join(settings.export_format)}")
        # A server that has just started: its children have nothing left of other jobs.
        with _running(folder) as (server, client), _peak_of(server, found):
            task = _waited_for(client, client.process_document(task.id, settings))
    return found


@contextmanager
def _running(folder: Path) -> Iterator[tuple[OcrServer, CloudOcrClient]]:
    """A server on what the last one has left, and a client of it."""
    with (
        OcrServer(data=folder / "data", logs=folder / "logs", workers=1) as server,
        CloudOcrClient(base_url=server.url, application_id=APPLICATION_ID, password=PASSWORD) as client,
    ):
        yield server, client


def _rows(few: Sequence[float], many: Sequence[float]) -> list[Row]:
    return [
        Row(
            what=f"{'recognition, ' if number == 0 else ''}{', '.join(job)}",
            measured=f"{small:.0f} and {large:.0f} MB, ratio {large / small:.2f}",
            target=f"<= {_RATIO}",
            met=large <= _RATIO * small,
        )
        for number, (job, small, large) in enumerate(zip(_JOBS, few, many, strict=True))
    ]


def _report(rows: Sequence[Row], pages: Sequence[int]) -> str:
    sentences = [
        f"`python -m benchmarks.recognition_memory` on {machine()};",
        f"{versions('airflow-provider-ocr', 'tesserocr')}.",
        "Peak of the server and its children, kept by the kernel, what they share counted once, in one run;",
        f"{pages[0]} and {pages[1]} pages of A5 at 150 dpi with a picture each.",
    ]
    return "\n\n".join(["\n".join(textwrap.wrap(" ".join(sentences), 120)), markdown_table(rows)])


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - it talks to whoever waits for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recognition_memory", description=__doc__)
    parser.add_argument(
        "--pages", type=int, nargs=2, default=_PAGES, metavar="N", help="of the two documents"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_peaks(pages, Path(folder) / str(pages)) for pages in options.pages)
    rows = _rows(few, many)
    report = _report(rows, options.pages)
    print(report)  # noqa: T201 - this is what the command is for
    if tuple(options.pages) == _PAGES:
        write_between_markers(_PAGE, "recognition_memory", report)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
