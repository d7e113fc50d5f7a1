# SPDX-License-Identifier: Apache-2.0
"""How well each text type is read when it is asked for, against the same pages read as normal text.

`python -m benchmarks.text_types [--pages N] [--seed S]` draws the pages and prints a table.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.errors import PageError
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from benchmarks.drawn_pages.scanning import DrawnPage
from benchmarks.drawn_pages.text_types import TEXT_TYPES, draw_page
from benchmarks.report import aligned_table

_RESOLUTIONS = (200, 300)
_HEADING = ("text type", "dpi", "pages", "normal: median", "worst", "the type: median", "worst")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=5, help="of each text type and resolution")
    parser.add_argument("--seed", type=int, default=0, help="of the first page")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.pages)
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(gather_tessdata(Path(folder) / "tessdata").folder)
        rows = [
            _row(text_type, dpi, seeds, engine, Path(folder) / "page.png")
            for text_type in TEXT_TYPES
            for dpi in _RESOLUTIONS
        ]
    print(aligned_table([_HEADING, *rows]))  # noqa: T201 - this is what the command is for


def _row(text_type: str, dpi: int, seeds: range, engine: Engine, file: Path) -> tuple[str, ...]:
    pages = [draw_page(text_type, seed, dpi=dpi) for seed in seeds]
    cells = [text_type, str(dpi), str(len(pages))]
    for asked in ("normal", text_type):
        errors = [_errors(page, asked, engine, file) for page in pages]
        cells += [f"{statistics.median(errors):.1%}", f"{max(errors):.1%}"]
    return tuple(cells)


def _errors(drawn: DrawnPage, text_type: str, engine: Engine, file: Path) -> float:
    """Wrong characters for each that stands on the page; a page that fails counts as nothing read."""
    drawn.image.save(file, dpi=(drawn.dpi, drawn.dpi))
    settings = ProcessingSettings.parse(export_format="txt", text_type=text_type)
    try:
        with Document([file]) as document:
            page = recognise_page(document.page(1), settings, engine=engine)
    except PageError:
        return 1.0
    read = "\n".join(" ".join(word.text for word in line.words) for line in page.lines)
    return Levenshtein.distance(drawn.truth.text, read) / len(drawn.truth.text)


if __name__ == "__main__":
    main()
