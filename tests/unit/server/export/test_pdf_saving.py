# SPDX-License-Identifier: Apache-2.0
"""The file for archives, judged by a checker of PDF/A-1b and read back by a PDF reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import pdfa
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import Line, Page
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.export.pdf_saving import save_for_archives
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.stored_image import StoredImage

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]


@pytest.fixture(params=["1", "L", "RGB"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> StoredImage:
    """A page image of each kind that recognition gives."""
    drawn = Image.new(request.param, (1000, 1400), 1 if request.param == "1" else "white")
    if request.param == "1":
        path = tmp_path / "page.tif"
        drawn.save(path, compression="group4", strip_size=1000 * 1400)
    else:
        path = tmp_path / "page.jpg"
        drawn.save(path)
    with Image.open(path) as opened:
        found = stored_image(opened, path)
    assert found is not None
    return found


def exported(path: Path, pages: Sequence[Page], export_format: ExportFormat = ExportFormat.PDFA) -> Path:
    exporter = exporter_for(export_format, path)
    exporter.start(DocumentSummary(len(pages), ProcessingSettings()))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path


@pytest.mark.parametrize(
    "words",
    [
        (),
        (("plain", 50), ("words", 300)),
        (("Łódź", 50), ("Ελλάδα", 300), ("Київ", 600)),
        (("東京", 50), ("\U0001d504\U0001f600", 300)),
        (("|" * 200, 100),),
    ],
    ids=lambda words: " ".join(text[:9] for text, _ in words) or "blank",
)
def test_a_file_for_archives_conforms_and_says_what_was_read(
    *,
    tmp_path: Path,
    make_line: MakeLine,
    make_page: MakePage,
    image: StoredImage,
    words: tuple[tuple[str, int], ...],
) -> None:
    lines = [[make_line(*words)]] if words else []
    path = exported(tmp_path / "a.pdf", [make_page(*lines, number=n, stored=image) for n in (1, 2)])
    assert pdfa.validate_written(path, "1b").passed
    with pikepdf.open(path) as pdf, pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("1", "B")
        assert pdf.pdf_version == "1.4"
    with closing(pypdfium2.PdfDocument(path)) as document:
        for page in document:
            with closing(page.get_textpage()) as text:
                assert text.get_text_range() == " ".join(text for text, _ in words)


def test_a_searchable_file_does_not_pass_for_one_for_archives(
    tmp_path: Path, make_page: MakePage, image: StoredImage
) -> None:
    path = exported(tmp_path / "a.pdf", [make_page(stored=image)], ExportFormat.PDF_SEARCHABLE)
    assert not pdfa.validate_written(path, "1b").passed


def test_a_file_that_does_not_conform_is_not_left_behind(tmp_path: Path) -> None:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        inks = b"1 0 0 0 k 0 0 9 9 re f"  # colours that sRGB does not define
        pdf.pages[0].Contents = pdf.make_stream(inks)
        with pytest.raises(pdfa.PdfaError):
            save_for_archives(pdf, tmp_path / "a.pdf")
    assert list(tmp_path.iterdir()) == []
