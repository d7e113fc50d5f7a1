# SPDX-License-Identifier: Apache-2.0
"""How much of drawn pages is read wrongly, by class, beside the ``tesseract`` command line on the same files.

    python -m benchmarks.accuracy                  half an hour; renews docs/accuracy.md
    python -m benchmarks.accuracy --documents 1    a first look; writes nothing

Pages are drawn from a fresh seed, which is printed; ``--seed`` draws the same again. They go through the
server's API. The exit status is 1 if a promise is not kept.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from airflow_provider_ocr.protocol.languages import tesseract_codes
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from benchmarks.accuracy_report import COLUMNS, PageClassResults, Reading, report, verdicts
from benchmarks.drawn_pages.page_classes import PAGE_CLASSES, Document, draw_document
from benchmarks.other_programs import office_texts, pdftotext, run, tesseract
from benchmarks.recognising import Recognised, recogniser
from benchmarks.report import write_between_markers
from benchmarks.text_errors import character_errors, characters, order_similarity

_PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
_DOCUMENTS = 12
_WORKERS = 2
_BARCODE = b'blockType="Barcode"'
_RENDERED_DPI = "300"


def _measure(page_class: str, documents: Sequence[Document], folder: Path) -> PageClassResults:
    """Both readings of each document."""
    with recogniser(folder, scans=documents[0].file.parent, workers=_WORKERS) as at:
        asked = [(document.file, _settings(document)) for document in documents]
        found = list(at.recognise(asked))
    readings = [_reading(document, one) for document, one in zip(documents, found, strict=True)]
    orders = _orders(documents, found, folder) if page_class in COLUMNS else {}
    return PageClassResults(page_class=page_class, readings=readings, orders=orders)


def _settings(document: Document) -> ProcessingSettings:
    formats = [ExportFormat.TXT, ExportFormat.XML]
    if document.page_class in COLUMNS:
        formats = [ExportFormat.TXT, ExportFormat.DOCX, ExportFormat.PDF_SEARCHABLE]
    return ProcessingSettings.parse(
        language=",".join(document.languages),
        text_type=document.text_type,
        pdf_password=document.password,
        export_format=",".join(formats),
    )


def _reading(document: Document, found: Recognised) -> Reading:
    text = found.results.get(ExportFormat.TXT, b"").decode("utf-8-sig")
    codes = [code for code in tesseract_codes(document.languages) if code]
    other = tesseract(_image_of(document), codes=codes)
    quality = found.quality
    return Reading(
        name=document.file.name,
        characters=characters(document.text),
        errors=character_errors(text, document.text),
        tesseract_errors=character_errors(other, document.text),
        words=len(text.split()),
        confidence=(quality and quality.word_confidence) or 0.0,
        low_words=(quality and quality.low_words) or 0,
        barcodes=found.results.get(ExportFormat.XML, b"").count(_BARCODE),
        error=found.error,
    )


def _image_of(document: Document) -> Path:
    """What tesseract can open: it reads no PDF."""
    if document.password is None:
        return document.file
    image = document.file.with_suffix("")
    arguments = ("-r", _RENDERED_DPI, "-gray", "-png", "-singlefile", "-upw", document.password)
    run("pdftoppm", *arguments, document.file, image)
    return image.with_suffix(".png")


def _orders(
    documents: Sequence[Document], found: Sequence[Recognised], folder: Path
) -> dict[str, list[float]]:
    """Of each format, how much of each document's words is in the right order."""
    files: dict[ExportFormat, list[Path]] = {ExportFormat.DOCX: [], ExportFormat.PDF_SEARCHABLE: []}
    for document, one in zip(documents, found, strict=True):
        for name, kept in files.items():
            kept.append(folder / f"{document.file.stem}{name.file_type.extension}")
            kept[-1].write_bytes(one.results.get(name, b""))
    texts = {
        "txt": [one.results.get(ExportFormat.TXT, b"").decode("utf-8-sig") for one in found],
        "docx": office_texts(files[ExportFormat.DOCX], folder),
        "pdftotext": [pdftotext(file) for file in files[ExportFormat.PDF_SEARCHABLE]],
    }
    return {
        name: [order_similarity(text, document.text) for text, document in zip(read, documents, strict=True)]
        for name, read in texts.items()
    }


def _results(page_classes: Sequence[str], documents: int, seed: int) -> Iterator[PageClassResults]:
    for number, page_class in enumerate(page_classes, start=1):
        _say(f"{number} of {len(page_classes)}: {page_class}")
        with tempfile.TemporaryDirectory() as folder:
            scans = Path(folder) / "scans"
            scans.mkdir()
            drawn = [draw_document(page_class, seed + number, scans) for number in range(documents)]
            yield _measure(page_class, drawn, Path(folder))


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - it talks to whoever waits for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--documents", type=int, default=_DOCUMENTS, metavar="N", help="of each class")
    parser.add_argument("--seed", type=int, metavar="N", help="draw the pages of an earlier run again")
    parser.add_argument(
        "--class", dest="page_classes", action="append", choices=[*PAGE_CLASSES], metavar="CLASS"
    )
    options = parser.parse_args(arguments)
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    _say(f"seed {seed}")
    found = list(_results(options.page_classes or [*PAGE_CLASSES], options.documents, seed))
    text = report(
        found, command=f"python -m benchmarks.accuracy --documents {options.documents} --seed {seed}"
    )
    print(text)  # noqa: T201 - this is what the command is for
    if options.documents >= _DOCUMENTS and not options.page_classes:
        write_between_markers(_PAGE, "accuracy", text)
    return 0 if all(row.met for row in verdicts(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
