# SPDX-License-Identifier: Apache-2.0
"""How exactly tables come through: drawn, recognised, written as docx and xlsx, and opened by LibreOffice.

``python -m benchmarks.tables --tables 30 --prose 50 --seed 1``. A cell counts as exact if its place, what it
covers and all of its text are right. Pages of prose show how many tables are found where there are none.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice, repeat
from pathlib import Path

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import Page, Table
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.registry import exporter_for
from airflow_provider_ocr.server.paragraph_text import paragraph_text
from airflow_provider_ocr.server.recognition.engine import Engine, engine_name
from airflow_provider_ocr.server.recognition.input import Document as InputDocument
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from benchmarks.drawn_pages.page_classes import PAGE_CLASSES, draw_document
from benchmarks.libreoffice import convert, grids_of
from benchmarks.report import aligned_table, machine, write_between_markers
from benchmarks.table_score import Cells, Score, placed, score, tables_of_sheet, total

_TARGETS = {"ruled table": (0.98, 0.001), "unruled table": (0.90, 1.0)}  # F1 at least, wrong digits at most
KINDS = tuple(_TARGETS)
FORMATS = (ExportFormat.DOCX, ExportFormat.XLSX)
_PROCESSES = 2
_PAGE = Path(__file__).parents[1] / "docs" / "tables.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """How all tables of a kind came through.

    :param source: what they were read from.
    :param tables: how many were drawn.
    """

    kind: str
    source: str
    tables: int
    score: Score

    @property
    def is_met(self) -> bool:
        """Whether enough cells are exact, and few enough digits wrong."""
        least, most = _TARGETS[self.kind]
        return self.score.f1 >= least and self.score.wrong_digit_share <= most


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A drawn document and what became of it.

    :param drawn: its tables.
    :param recognised: the tables on its pages.
    :param pages: how many it has.
    :param files: what was written of it, in the order of ``FORMATS``.
    """

    page_class: str
    drawn: list[Cells]
    recognised: list[Cells]
    pages: int
    files: list[Path]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print what was found; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--tables", type=int, default=30, help="of each kind (default: %(default)s)")
    parser.add_argument("--prose", type=int, default=50, help="documents without any (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help=f"put the figures into {_PAGE.name}, too")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        found = list(_cases(Path(name), tables=asked.tables, prose=asked.prose, seed=asked.seed))
        figures = list(_figures(found, Path(name)))
    command = f"python -m benchmarks.tables --tables {asked.tables} --prose {asked.prose} --seed {asked.seed}"
    prose = [case for case in found if case.page_class not in KINDS]
    invented, pages = sum(len(case.recognised) for case in prose), sum(case.pages for case in prose)
    text = (
        f"{_table(figures)}\n\nTables found on {pages} pages without any: {invented} (target: 0).\n\n"
        f"`{command}` on {machine()}, with {engine_name()}."
    )
    print(text)  # noqa: T201 - this is what the command is for
    if asked.write:
        write_between_markers(_PAGE, "tables", text)
    return 0 if all(figure.is_met for figure in figures) and not invented else 1


def _figures(cases: Sequence[Case], folder: Path) -> Iterator[Figure]:
    """The tables of each kind, as they were recognised and as LibreOffice reads them.

    :param folder: where LibreOffice may write.
    """
    of_tables = [case for case in cases if case.page_class in KINDS]
    if not of_tables:
        return
    for number, export_format in enumerate(FORMATS):
        convert([case.files[number] for case in of_tables], "html", folder / export_format)
    for kind in KINDS:
        of_kind = [case for case in of_tables if case.page_class == kind]
        for source in ("recognition", *FORMATS):
            scores = [score(case.drawn[0], _tables(case, source, folder)) for case in of_kind]
            yield Figure(kind=kind, source=str(source), tables=len(of_kind), score=total(scores))


def _table(figures: Sequence[Figure]) -> str:
    lines: list[tuple[str, ...]] = [
        ("kind", "read from", "tables", "cells", "precision", "recall", "F1", "wrong digits", "verdict")
    ]
    for figure in figures:
        of_all = figure.score
        wrong = f"{of_all.wrong_digits} of {of_all.digits} ({of_all.wrong_digit_share:.2%})"
        shares = (f"{share:.3f}" for share in (of_all.precision, of_all.recall, of_all.f1))
        verdict = "met" if figure.is_met else "MISSED"
        row = (figure.kind, figure.source, str(figure.tables), str(of_all.expected), *shares, wrong, verdict)
        lines.append(row)
    return aligned_table(lines)


def _tables(case: Case, source: str, folder: Path) -> list[Cells]:
    if source not in FORMATS:
        return case.recognised
    file = case.files[FORMATS.index(ExportFormat(source))]
    grids = grids_of(folder / source / "converted" / f"{file.stem}.html")
    if source == ExportFormat.XLSX:
        return [cells for grid in grids for cells in tables_of_sheet(grid)]
    return [placed(grid) for grid in grids]


def _cases(folder: Path, *, tables: int, prose: int, seed: int) -> Iterator[Case]:
    """Tables of each kind, and documents of all other classes that can be read with the data at hand."""
    tessdata = gather_tessdata(_made(folder / "tessdata"))
    readable = [
        name
        for name, one in PAGE_CLASSES.items()
        if name not in KINDS and one.password is None and not tessdata.unreadable(one.languages)
    ]
    wanted = [(kind, 1000 * seed + number) for kind in KINDS for number in range(tables)]
    wanted += [(name, 1000 * seed + number) for number, name in enumerate(islice(cycle(readable), prose))]
    with ProcessPoolExecutor(_PROCESSES) as pool:
        yield from pool.map(_case, wanted, repeat(folder))


def _case(wanted: tuple[str, int], folder: Path) -> Case:
    document = draw_document(*wanted, folder)
    settings = ProcessingSettings.parse(language=",".join(document.languages), text_type=document.text_type)
    with InputDocument([document.file]) as opened:
        numbers = range(1, opened.pages + 1)
        pages = [
            recognise_page(opened.page(n), settings, engine=_engine(folder / "tessdata")) for n in numbers
        ]
    files = [_written(pages, settings, one, document.file) for one in FORMATS if wanted[0] in KINDS]
    document.file.unlink()
    return Case(
        page_class=document.page_class,
        drawn=[
            {(cell.row, cell.column, cell.row_span, cell.column_span): cell.text for cell in cells}
            for page in document.pages
            for cells in page.tables
        ],
        recognised=[
            _cells(block.table) for page in pages for block in page.blocks if block.table is not None
        ],
        pages=len(pages),
        files=files,
    )


def _cells(table: Table) -> Cells:
    cells = {}
    for cell in table.cells:
        place = cell.row, cell.column, cell.row_span, cell.column_span
        cells[place] = " ".join(map(paragraph_text, cell.paragraphs))
    return cells


def _written(
    pages: Sequence[Page], settings: ProcessingSettings, export_format: ExportFormat, source: Path
) -> Path:
    path = _made(source.parent / export_format) / f"{source.stem}.{export_format}"
    exporter = exporter_for(export_format, path)
    exporter.start(DocumentSummary(len(pages), settings))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path


@cache
def _engine(tessdata: Path) -> Engine:
    """One for each process."""
    return Engine(tessdata)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
