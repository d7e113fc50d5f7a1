# SPDX-License-Identifier: Apache-2.0
"""Where the words of PDF results stand, as other programs find them: upright, skewed and turned pages.

    python -m benchmarks.pdf_words               ten pages of each class; renews docs/pdf-formats.md
    python -m benchmarks.pdf_words --pages 2     for a first look; writes nothing

Pages are drawn with known words, recognised, and written as ``pdfSearchable`` and ``pdfTextAndImages``.
pdftotext tells the box of each word; pdfium searches for every two neighbours of a line. Words that were
misread are told apart: where a word stands and what it says are two questions. The exit status is 1 if a
target is missed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pypdfium2
from lxml import etree

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.page_picture import with_images
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from benchmarks.drawn_pages.page_classes import draw_document
from benchmarks.drawn_pages.truth import Box, Matrix, Truth, Word
from benchmarks.report import aligned_table, machine, write_between_markers

CLASSES = ("clean", "skewed", "turned")
FORMATS = (ExportFormat.PDF_SEARCHABLE, ExportFormat.PDF_TEXT_AND_IMAGES)
WORDS_TARGET, PHRASES_TARGET = 0.98, 0.99

_PAGE = Path(__file__).parents[1] / "docs" / "pdf-formats.md"
_PAGES = 10
_OVERLAP = 0.5
_SIDES = ("xMin", "yMin", "xMax", "yMax")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a PDF file has of the words that were drawn.

    :param words: how many were drawn and read right.
    :param placed: those of them whose box overlaps the drawn one by half of what both cover.
    :param phrases: neighbours on a line that were both read right.
    :param searched: those of them that a search finds.
    :param misread: words that were drawn and read otherwise.
    """

    words: int = 0
    placed: int = 0
    phrases: int = 0
    searched: int = 0
    misread: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(
            words=self.words + other.words,
            placed=self.placed + other.placed,
            phrases=self.phrases + other.phrases,
            searched=self.searched + other.searched,
            misread=self.misread + other.misread,
        )

    @property
    def met(self) -> bool:
        """Whether both targets are."""
        return (
            self.placed >= WORDS_TARGET * self.words
            and self.searched >= PHRASES_TARGET * self.phrases
            and self.words > 0
        )


def measure(page_class: str, seed: int, *, engine: Engine, folder: Path) -> dict[ExportFormat, Found]:
    """Draw, recognise and export one document, and look for its words.

    :param page_class: of ``drawn_pages``; of one page, in English.
    :param folder: where files are written.
    """
    drawn = draw_document(page_class, seed, folder)
    settings = ProcessingSettings.parse(language=",".join(drawn.languages), export_format="txt")
    with Document([drawn.file]) as document:
        page = recognise_page(document.page(1, colours=False), settings, engine=engine)
        shown = with_images(page, document, formats=FORMATS, folder=folder)
        files = {name: _exported(name, shown, folder) for name in FORMATS}
    truth = drawn.pages[0].moved(_to_points(page))
    return {name: look_for(truth, page, file) for name, file in files.items()}


def look_for(truth: Truth, page: Page, file: Path) -> Found:
    """What a PDF file of one page has of its words.

    :param truth: its words, in points from the page's upper left corner.
    :param page: as it was recognised.
    """
    drawn = [word for line in truth.lines for word in line]
    read = [word.text for word in page.words]
    right = _read_right([word.text for word in drawn], read)
    boxes = words_of(file)
    placed = sum(_placed(word, boxes) for index, word in enumerate(drawn) if index in right)
    phrases = list(_phrases(truth, right))
    with closing(pypdfium2.PdfDocument(file)) as pdf, closing(pdf[0].get_textpage()) as text:
        searched = sum(_searched(text, phrase) for phrase in phrases)
    return Found(
        words=len(right),
        placed=placed,
        phrases=len(phrases),
        searched=searched,
        misread=len(drawn) - len(right),
    )


def words_of(file: Path) -> list[Word]:
    """The words of a file's pages as pdftotext finds them; boxes in points from the upper left corner.

    :raises FileNotFoundError: if pdftotext is not installed.
    """
    program = shutil.which("pdftotext")
    if program is None:
        raise FileNotFoundError("Install pdftotext, which is part of poppler-utils.")
    command = [program, "-bbox", str(file), "-"]
    read = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - nobody's input
    found = []
    for word in etree.fromstring(read.stdout).iter("{*}word"):
        left, top, right, bottom = (float(word.get(side)) for side in _SIDES)
        found.append(Word(word.text or "", (left, top, right, bottom)))
    return found


def overlap(one: Box, two: Box) -> float:
    """What two boxes have in common, as a share of all that they cover."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    common = max(0.0, width) * max(0.0, height)
    return common / (_area(one) + _area(two) - common) if common else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _exported(name: ExportFormat, page: Page, folder: Path) -> Path:
    path = folder / f"{name}.pdf"
    exporter = exporter_for(name, path)
    exporter.start(DocumentSummary(1, ProcessingSettings.parse(export_format=name)))
    exporter.page(page)
    exporter.finish()
    return path


def _to_points(page: Page) -> Matrix:
    """Takes pixels of the image as it came to points of the corrected page."""
    import numpy as np

    back = page.to_original.inverted()
    rows = [back[:3], back[3:6], (*back[6:], 1.0)]
    scale = 72 / page.dpi
    return np.diag([scale, scale, 1.0]) @ np.array(rows)


def _read_right(drawn: Sequence[str], read: Sequence[str]) -> set[int]:
    """Which of the drawn words were read as they are."""
    matcher = SequenceMatcher(a=drawn, b=read, autojunk=False)
    return {start + step for start, _, size in matcher.get_matching_blocks() for step in range(size)}


def _placed(word: Word, found: Sequence[Word]) -> bool:
    return any(one.text == word.text and overlap(one.box, word.box) >= _OVERLAP for one in found)


def _phrases(truth: Truth, right: set[int]) -> Iterator[str]:
    number = 0
    for line in truth.lines:
        for place, (one, two) in enumerate(pairwise(line), start=number):
            if {place, place + 1} <= right:
                yield f"{one.text} {two.text}"
        number += len(line)


def _searched(text: pypdfium2.PdfTextPage, phrase: str) -> bool:
    return text.search(phrase, match_case=True).get_next() is not None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table of all classes; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(description="Measures where the words of PDF results stand.")
    parser.add_argument("--pages", type=int, help="pages of each class, for a first look")
    options = parser.parse_args(arguments)
    pages = options.pages or _PAGES
    found: dict[tuple[str, ExportFormat], Found] = {}
    with TemporaryDirectory() as folder:
        gather_tessdata(Path(folder) / "tessdata")
        engine = Engine(Path(folder) / "tessdata")
        for page_class in CLASSES:
            for seed in range(1, pages + 1):
                for name, one in measure(page_class, seed, engine=engine, folder=Path(folder)).items():
                    found[page_class, name] = found.get((page_class, name), Found()) + one
    table = _table(found)
    print(table)  # noqa: T201 - the terminal is what it is for
    if options.pages is None:
        made = f"`python -m benchmarks.pdf_words`: {pages} pages of each class, on {machine()}."
        write_between_markers(_PAGE, "pdf words", f"{made}\n\n{table}")
    return 0 if all(one.met for one in found.values()) else 1


def _table(found: dict[tuple[str, ExportFormat], Found]) -> str:
    heading = ("pages", "format", "words", "misread", "box overlaps by half", "phrases", "found by search")
    cells: list[tuple[str, ...]] = [heading]
    for (page_class, name), one in found.items():
        shares = f"{one.placed / one.words:.2%}", f"{one.searched / one.phrases:.2%}"
        cells.append(
            (page_class, name, str(one.words), str(one.misread), shares[0], str(one.phrases), shares[1])
        )
    return aligned_table(cells)


if __name__ == "__main__":
    sys.exit(main())
