# SPDX-License-Identifier: Apache-2.0
"""The child's jobs, run without a process of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pypdfium2
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition import child_jobs
from airflow_provider_ocr.server.recognition.child_jobs import ChildJobs
from airflow_provider_ocr.server.recognition.errors import PageError, PageMemoryError, RecognitionError
from airflow_provider_ocr.server.recognition.events import Exported, Measured, PageBegun, PageDone, Recognised
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.kept_pages import KeptPages
from airflow_provider_ocr.server.recognition.page_image import PageImage
from airflow_provider_ocr.server.recognition.tessdata import Tessdata


@pytest.fixture
def jobs(tessdata: Tessdata, monkeypatch: pytest.MonkeyPatch) -> ChildJobs:
    monkeypatch.setattr(child_jobs, "step_back", lambda: None)  # it would be for all tests after this one
    return ChildJobs(tessdata.folder)


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A job for a document in ``tmp_path``."""
    for name in ("pages", "output"):
        (tmp_path / name).mkdir()

    def made(kind: str, *, formats: str = "txt", seconds: float | None = None) -> dict[str, Any]:
        return {
            "job": kind,
            "images": [str(tmp_path / "image")],
            "settings": {"exportFormat": formats},
            "password": "",
            "pages": str(tmp_path / "pages"),
            "output": str(tmp_path / "output"),
            "seconds": seconds,
        }

    return made


@pytest.fixture
def three_pages(draw: Callable[..., Any], tmp_path: Path) -> None:
    """A document of three pages."""
    pages = [draw((f"This is page number {number}",), height=300).image for number in (1, 2, 3)]
    pages[0].save(tmp_path / "image", "TIFF", save_all=True, append_images=pages[1:], dpi=(300, 300))


Job = Callable[..., dict[str, Any]]


def test_result_files_come_in_the_order_of_the_formats(
    jobs: ChildJobs, job: Job, draw: Callable[..., Any], tmp_path: Path
) -> None:
    drawing = draw()
    drawing.image.rotate(90, expand=True).save(tmp_path / "image", "PNG", dpi=(300, 300))
    formats = "xml,txt,pdfSearchable"
    assert list(jobs.run(job("measure"))) == [Measured(1, 1)]
    assert list(jobs.run(job("recognise", formats=formats))) == [
        PageBegun(1, 1),
        PageDone(1, 1),
        Recognised(1),
    ]
    *_, exported = jobs.run(job("export", formats=formats))
    assert isinstance(exported, Exported)
    assert (exported.pages, exported.rotated_pages, exported.blank_pages, exported.failed_pages) == (
        1,
        1,
        0,
        0,
    )
    output = tmp_path / "output"
    assert sorted(path.name for path in output.iterdir()) == ["result1.xml", "result2.txt", "result3.pdf"]
    assert " ".join((output / "result2.txt").read_text("utf-8-sig").split()) == drawing.text
    document = pypdfium2.PdfDocument(output / "result3.pdf")
    assert " ".join(document[0].get_textpage().get_text_range().split()) == drawing.text
    document.close()


@pytest.mark.usefixtures("three_pages")
def test_a_slice_ends_with_the_page_during_which_its_time_is_over(
    jobs: ChildJobs, job: Job, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        events = list(jobs.run(job("recognise", seconds=0.0)))
        assert events == [PageBegun(number, 3), PageDone(number, 3), Recognised(3)]
    assert list(jobs.run(job("recognise", seconds=0.0))) == [Recognised(3)]
    assert KeptPages(tmp_path / "pages").numbers() == {1, 2, 3}


@pytest.mark.usefixtures("three_pages")
def test_pages_that_are_kept_are_not_recognised_again(jobs: ChildJobs, job: Job, tmp_path: Path) -> None:
    list(jobs.run(job("recognise")))
    before = (tmp_path / "pages" / "1.page").stat().st_mtime_ns
    (tmp_path / "pages" / "2.page").unlink()
    assert [event.page for event in jobs.run(job("recognise")) if isinstance(event, PageDone)] == [2]
    assert (tmp_path / "pages" / "1.page").stat().st_mtime_ns == before


@pytest.mark.usefixtures("three_pages")
def test_a_marked_page_is_kept_as_a_picture(jobs: ChildJobs, job: Job, tmp_path: Path) -> None:
    KeptPages(tmp_path / "pages").mark_failed(2)
    list(jobs.run(job("recognise")))
    formats = "txt,xml,pdfSearchable"
    *_, exported = jobs.run(job("export", formats=formats))
    assert isinstance(exported, Exported)
    assert (exported.pages, exported.failed_pages, exported.blank_pages) == (3, 1, 0)
    assert (tmp_path / "output" / "result1.txt").read_text("utf-8-sig").split("\f") == [
        "This is page number 1\n",
        "",
        "This is page number 3\n",
    ]
    assert (tmp_path / "output" / "result2.xml").read_bytes().count(b'blockType="Picture"') == 1
    document = pypdfium2.PdfDocument(tmp_path / "output" / "result3.pdf")
    assert document[1].get_textpage().get_text_range() == ""
    assert document[1].render(scale=1).to_pil().convert("L").getextrema()[0] < 100
    document.close()


@pytest.mark.usefixtures("three_pages")
def test_formats_that_show_pictures_open_the_image_only_for_pages_that_have_any(
    jobs: ChildJobs, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    KeptPages(tmp_path / "pages").mark_failed(2)
    list(jobs.run(job("recognise")))
    opened = []
    decode = Document.page

    def noted(document: Document, number: int) -> PageImage:
        opened.append(number)
        return decode(document, number)

    monkeypatch.setattr(Document, "page", noted)
    list(jobs.run(job("export", formats="docx")))
    assert opened == [2]
    document = docx.Document(str(tmp_path / "output" / "result1.docx"))
    assert len(document.inline_shapes) == 1
    assert [paragraph.text for paragraph in document.paragraphs] == [
        "This is page number 1",
        "",
        "This is page number 3",
    ]


@pytest.mark.usefixtures("three_pages")
@pytest.mark.parametrize("formats", ["txt", "xml", "txt,xml"])
def test_formats_that_show_no_page_do_not_open_the_image(
    jobs: ChildJobs, job: Job, tmp_path: Path, formats: str
) -> None:
    list(jobs.run(job("recognise", formats=formats)))
    (tmp_path / "image").unlink()
    *_, exported = jobs.run(job("export", formats=formats))
    assert isinstance(exported, Exported)
    with pytest.raises(FileNotFoundError):
        list(jobs.run(job("export", formats="pdfSearchable")))


@pytest.mark.usefixtures("three_pages")
def test_a_document_that_is_not_all_recognised_is_not_exported(
    jobs: ChildJobs, job: Job, tmp_path: Path
) -> None:
    with pytest.raises(RecognitionError, match="Page 1 is not recognised yet"):
        list(jobs.run(job("export")))
    list(jobs.run(job("recognise", seconds=0.0)))
    with pytest.raises(RecognitionError, match="Page 2 is not recognised yet"):
        list(jobs.run(job("export")))
    list(jobs.run(job("recognise")))
    (tmp_path / "pages" / "2.page").write_bytes(b"?")
    with pytest.raises(RecognitionError, match="Page 2 was recognised, but what was kept of it is damaged"):
        list(jobs.run(job("export")))


@pytest.mark.usefixtures("three_pages")
def test_a_page_is_not_kept_where_memory_has_been_short(
    jobs: ChildJobs, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, False])
    monkeypatch.setattr(child_jobs, "had_memory_to_spare", lambda: next(answers))
    with pytest.raises(PageMemoryError, match="Page 2 needs more memory"):
        list(jobs.run(job("recognise")))
    assert KeptPages(tmp_path / "pages").numbers() == {1}


@pytest.mark.parametrize(
    ("enough", "raised", "expected"),
    [
        (True, MemoryError(), PageMemoryError),
        (False, RuntimeError("no image set"), PageMemoryError),
        (False, PageError(1, "Page 1 is not blank"), PageMemoryError),
        (True, RuntimeError("no image set"), RuntimeError),
        (True, PageError(1, "Page 1 is not blank"), PageError),
    ],
)
def test_what_fails_where_memory_has_been_short_is_put_down_to_that(
    *,
    jobs: ChildJobs,
    job: Job,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    enough: bool,
    raised: Exception,
    expected: type[Exception],
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise raised

    Image.new("1", (99, 99)).save(tmp_path / "image", "PNG")
    monkeypatch.setattr(child_jobs, "recognise_page", fail)
    monkeypatch.setattr(child_jobs, "had_memory_to_spare", lambda: enough)
    with pytest.raises(expected) as failed:
        list(jobs.run(job("recognise")))
    assert type(failed.value) is expected


def test_there_are_no_other_jobs(jobs: ChildJobs, job: Job) -> None:
    with pytest.raises(ValueError, match="no job is called 'other'"):
        list(jobs.run(job("other")))
