# SPDX-License-Identifier: Apache-2.0
"""How fast pages become text and searchable PDF, beside ``tesseract`` and ``ocrmypdf`` on the same pages.

    python -m benchmarks.recognition            a quarter of an hour; renews docs/benchmarks.md
    python -m benchmarks.recognition --quick    a first look; writes nothing

All three use both cores. The server's time begins with the first submission and ends with the last result
downloaded. The exit status is 1 if a promise is not kept. ``pipx install ocrmypdf`` installs the third.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from benchmarks.drawn_pages.page_classes import Document, draw_document
from benchmarks.other_programs import ocrmypdf, tesseract_files
from benchmarks.recognising import Recogniser, recogniser
from benchmarks.report import Row, aligned_table, machine, markdown_table, versions, write_between_markers
from benchmarks.stages import stage_milliseconds
from benchmarks.text_errors import character_errors, characters

_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_PROCESSES = 2
_ROUNDS, _PAGES_OF_CLASS = 5, 3
_CLASSES = (
    "clean",
    "skewed",
    "turned",
    "two columns",
    "ruled table",
    "100 dpi",
    "photographed",
    "typewriter",
)
_FORMATS = (ExportFormat.TXT, ExportFormat.PDF_SEARCHABLE)
_CODES = ("eng",)
_TARGETS = {"tesseract": 1.0, "ocrmypdf": 2.0}
_OURS = "this server"
_POINTS = 0.05  # error rates that differ by less are alike

Run = tuple[float, str]
"""Seconds, and the text of all pages."""


def _through_the_server(at: Recogniser, documents: Sequence[Document]) -> Run:
    settings = ProcessingSettings.parse(export_format=",".join(_FORMATS))
    begin = time.monotonic()
    found = list(at.recognise([(document.file, settings) for document in documents]))
    seconds = time.monotonic() - begin
    return seconds, "\n".join(one.results[ExportFormat.TXT].decode("utf-8-sig") for one in found)


def _by_tesseract(documents: Sequence[Document], folder: Path) -> Run:
    outputs = [folder / document.file.stem for document in documents]
    begin = time.monotonic()
    with ThreadPoolExecutor(_PROCESSES) as executor:
        pairs = zip(documents, outputs, strict=True)
        list(executor.map(lambda pair: tesseract_files(pair[0].file, pair[1], codes=_CODES), pairs))
    seconds = time.monotonic() - begin
    return seconds, "\n".join(output.with_suffix(".txt").read_text() for output in outputs)


def _by_ocrmypdf(bound: Path, folder: Path) -> Run:
    output = folder / "ocrmypdf.pdf"
    begin = time.monotonic()
    ocrmypdf(bound, output, codes=_CODES, processes=_PROCESSES)
    return time.monotonic() - begin, output.with_suffix(".txt").read_text()


def _bound(documents: Sequence[Document], file: Path) -> Path:
    """All pages in one PDF: ocrmypdf shares out a document's pages among its processes."""
    images = [Image.open(document.file) for document in documents]
    first, *others = images
    first.save(file, save_all=True, append_images=others, resolution=300, quality=95)
    return file


def _interleaved(runs: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {name: [] for name in runs}
    for number in range(rounds):
        for name, run in runs.items():
            _say(f"round {number + 1} of {rounds}: {name}")
            found[name].append(run())
    return found


def _rows(found: Mapping[str, Sequence[Run]], truth: str) -> list[Row]:
    ours = [seconds for seconds, _ in found[_OURS]]
    wrong = {
        name: 100 * character_errors(runs[0][1], truth) / characters(truth) for name, runs in found.items()
    }
    rows = []
    for name, target in _TARGETS.items():
        others = [seconds for seconds, _ in found[name]]
        medians = f"medians {statistics.median(ours):.1f} s, {statistics.median(others):.1f} s"
        ratio = statistics.median(other / our for our, other in zip(ours, others, strict=True))
        rows.append(
            Row(
                what=f"pages a second, {_OURS} / {name}",
                measured=f"{ratio:.2f} ({medians})",
                target=f">= {target}",
                met=ratio >= target,
            )
        )
        rows.append(
            Row(
                what=f"characters wrong, {_OURS} and {name}",
                measured=f"{wrong[_OURS]:.2f} %, {wrong[name]:.2f} %",
                target="no more",
                met=wrong[_OURS] <= wrong[name] + _POINTS,
            )
        )
    return rows


def _stages(documents: Sequence[Document], folder: Path) -> str:
    tessdata = gather_tessdata(folder / "tessdata").folder
    files = [document.file for document in documents]
    spent = stage_milliseconds(files, tessdata=tessdata, formats=",".join(_FORMATS))
    lines = [("stage", "ms a page", "share")]
    lines += [(stage, f"{time:.0f}", f"{100 * time / spent['all']:.0f} %") for stage, time in spent.items()]
    return aligned_table(lines)


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - it talks to whoever waits for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recognition", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round that writes nothing")
    parser.add_argument("--seed", type=int, metavar="N", help="draw the pages of an earlier run again")
    options = parser.parse_args(arguments)
    rounds, pages = (1, 1) if options.quick else (_ROUNDS, _PAGES_OF_CLASS)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scans = folder / "scans"
        scans.mkdir()
        documents = [
            draw_document(kind, seed + number, scans) for number in range(pages) for kind in _CLASSES
        ]
        bound = _bound(documents, folder / "all.pdf")
        with recogniser(folder, scans=scans, workers=_PROCESSES) as at:
            found = _interleaved(
                {
                    _OURS: lambda: _through_the_server(at, documents),
                    "tesseract": lambda: _by_tesseract(documents, folder),
                    "ocrmypdf": lambda: _by_ocrmypdf(bound, folder),
                },
                rounds,
            )
        rows = _rows(found, "\n".join(document.text for document in documents))
        report = _report(rows, _stages(documents, folder), len(documents), rounds, seed)
    print(report)  # noqa: T201 - this is what the command is for
    if not options.quick:
        write_between_markers(_PAGE, "recognition", report)
    return 0 if all(row.met for row in rows) else 1


def _report(rows: Sequence[Row], stages: str, pages: int, rounds: int, seed: int) -> str:
    sentences = [
        f"`python -m benchmarks.recognition --seed {seed}` on {machine()};",
        f"{versions('airflow-provider-ocr', 'tesserocr')}.",
        f"{pages} drawn pages, {rounds} interleaved runs, medians.",
        "Text and searchable PDF of each page; the server also fetches pages by URL, and sends its results.",
        "Below, what a page costs in the server's recognition process, stage by stage, one at a time.",
    ]
    return "\n\n".join(["\n".join(textwrap.wrap(" ".join(sentences), 120)), markdown_table(rows), stages])


if __name__ == "__main__":
    sys.exit(main())
