# SPDX-License-Identifier: Apache-2.0
"""Real recognition processes that measure, recognise, export, and end with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import psutil
import pytest
import zxingcpp
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.recognition.kept_pages import KeptPages
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.workers.children import (
    ExportJob,
    Measurement,
    Progress,
    RecognitionCancelled,
    RecognitionChild,
    RecognitionFailed,
    RecognitionJob,
    UnsupportedDocumentError,
    WrongPasswordError,
)

TXT = ProcessingSettings.parse(export_format="txt")


@pytest.fixture(scope="module")
def child(tessdata: Tessdata) -> Iterator[RecognitionChild]:
    made = RecognitionChild(tessdata=tessdata.folder)
    yield made
    made.close()


@pytest.fixture
def document(draw: Callable[..., Any], tmp_path: Path) -> Path:
    """Three pages of A4 at 100 dpi: text, nothing, text."""
    pages = [
        draw(("The first page",), size=24, width=827, height=1169).image,
        Image.new("L", (827, 1169), 255),
        draw(("The third page",), size=24, width=827, height=1169).image,
    ]
    path = tmp_path / "document"
    pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:], dpi=(100, 100))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    """An empty folder."""

    def made(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    return made


def job(document: Path, pages: Path, **options: Any) -> RecognitionJob:
    return RecognitionJob(**{"images": (document,), "settings": TXT, "pages": pages, **options})


def test_a_document_is_measured_recognised_and_exported(
    child: RecognitionChild, document: Path, folder: Callable[[str], Path]
) -> None:
    assert child.measure([document]) == Measurement(pages=3, billed_pages=3)
    done: list[tuple[int, int]] = []
    pages, output = folder("pages"), folder("output")
    progress = child.recognise(job(document, pages), lambda *page: done.append(page))
    assert (progress, progress.complete, done) == (Progress(3, 3), True, [(1, 3), (2, 3), (3, 3)])
    summary = child.export(ExportJob(images=(document,), settings=TXT, pages=pages, output=output))
    assert (summary.pages, summary.blank_pages, summary.words, summary.failed_pages) == (3, 1, 6, 0)
    assert summary.engine.startswith("tesseract")
    (file,) = summary.files
    assert (file.format, file.path) == (ExportFormat.TXT, output / "result1.txt")
    assert file.size == file.path.stat().st_size
    assert file.path.read_text("utf-8-sig") == "The first page\n\f\fThe third page\n"


def test_a_document_is_recognised_in_slices_by_whoever_is_there(
    child: RecognitionChild, tessdata: Tessdata, document: Path, folder: Callable[[str], Path]
) -> None:
    pages = folder("pages")
    assert child.recognise(job(document, pages, seconds=0.0)) == Progress(1, 3)
    other = RecognitionChild(tessdata=tessdata.folder)
    progress = other.recognise(job(document, pages, seconds=0.0))
    other.close()
    assert (progress, progress.complete) == (Progress(2, 3), False)
    assert child.recognise(job(document, pages, seconds=60.0)) == Progress(3, 3)
    assert child.recognise(job(document, pages, seconds=0.0)) == Progress(3, 3)


def test_other_formats_need_no_more_recognition_and_text_not_even_the_image(
    child: RecognitionChild, document: Path, folder: Callable[[str], Path]
) -> None:
    pages = folder("pages")
    child.recognise(job(document, pages))
    names = []
    for place, formats in enumerate(("pdfSearchable,txt", "pdfTextAndImages,pdfa,docx", "xml")):
        if formats == "xml":
            document.unlink()
        settings = ProcessingSettings.parse(export_format=formats, read_barcodes=False)
        output = folder(f"output{place}")
        summary = child.export(ExportJob(images=(document,), settings=settings, pages=pages, output=output))
        names.append([file.path.name for file in summary.files])
    assert names == [
        ["result1.pdf", "result2.txt"],
        ["result1.pdf", "result2.pdf", "result3.docx"],
        ["result1.xml"],
    ]


def test_barcodes_are_exported_where_they_are_wanted_and_recognised_but_once(
    child: RecognitionChild, tmp_path: Path, folder: Callable[[str], Path]
) -> None:
    code = zxingcpp.create_barcode("parcel 42", zxingcpp.BarcodeFormat.QRCode)
    image = Image.new("L", (700, 700), 255)
    image.paste(Image.fromarray(np.asarray(code.to_image(scale=10))), (150, 150))
    image.save(tmp_path / "code.png", dpi=(300, 300))
    pages, written = folder("pages"), []
    for wanted in (False, True):
        settings = ProcessingSettings.parse(export_format="xml", read_barcodes=wanted)
        done: list[int] = []
        child.recognise(
            RecognitionJob(images=(tmp_path / "code.png",), settings=settings, pages=pages),
            lambda page, _, done=done: done.append(page),
        )
        written.append(done)
        output = folder(f"output-{wanted}")
        child.export(ExportJob(images=(), settings=settings, pages=pages, output=output))
        assert ("parcel 42" in (output / "result1.xml").read_text("utf-8-sig")) is wanted
    assert written == [[1], []]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"<html>", UnsupportedDocumentError, "looks like a web page"),
        (b"%PDF-1.7", RecognitionFailed, "The PDF file is damaged"),
        (b"", RecognitionFailed, "The file is empty"),
    ],
)
def test_a_documents_own_fault_is_told_and_the_process_lives_on(
    *,
    child: RecognitionChild,
    document: Path,
    folder: Callable[[str], Path],
    content: bytes,
    kind: type[RecognitionFailed],
    message: str,
) -> None:
    child.start()
    before, bad = child.process_id, document.with_name("bad")
    bad.write_bytes(content)
    for attempt in (lambda: child.measure([bad]), lambda: child.recognise(job(bad, folder("pages")))):
        with pytest.raises(RecognitionFailed, match=message) as failed:
            attempt()
        assert type(failed.value) is kind
        assert failed.value.page is None
    assert child.measure([document]).pages == 3
    assert child.process_id == before


def test_a_password_opens_a_protected_file_and_no_other_does(
    child: RecognitionChild, tmp_path: Path, folder: Callable[[str], Path]
) -> None:
    protected, pages = tmp_path / "protected", folder("pages")
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(protected, encryption=pikepdf.Encryption(user="right one", owner="owner"))
    assert child.measure([protected], pdf_password="right one").pages == 1
    settings = ProcessingSettings.parse(export_format="pdfSearchable", pdf_password="right one")
    assert child.recognise(job(protected, pages, settings=settings)).complete
    export = ExportJob(images=(protected,), settings=settings, pages=pages, output=folder("output"))
    assert child.export(export).pages == 1
    for password, message in (("", "send it as pdfPassword"), ("wrong one", "does not open the PDF file")):
        with pytest.raises(WrongPasswordError, match=message) as failed:
            child.measure([protected], pdf_password=password)
        assert "one" not in str(failed.value).split()


def test_what_the_system_refuses_is_not_put_down_to_the_document(
    child: RecognitionChild, document: Path, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        child.measure([tmp_path / "absent"])
    with pytest.raises(FileNotFoundError):
        child.recognise(job(document, tmp_path / "absent"))
    assert child.measure([document]).pages == 3


def test_measuring_takes_milliseconds(child: RecognitionChild, document: Path, samples: Path) -> None:
    files = [document, samples / "letter.jpg", samples / "receipt.png", samples / "rechnung.pdf"]
    for file in files:
        child.measure([file])
    seconds = []
    for _ in range(20):
        for file in files:
            begin = time.perf_counter()
            child.measure([file])
            seconds.append(time.perf_counter() - begin)
    assert sorted(seconds)[len(seconds) // 2] < 0.01


def test_only_a_process_that_measures_keeps_its_priority(
    tessdata: Tessdata, document: Path, folder: Callable[[str], Path]
) -> None:
    child = RecognitionChild(tessdata=tessdata.folder)
    child.measure([document])
    process = psutil.Process(child.process_id)
    assert process.nice() == psutil.Process().nice()
    child.recognise(job(document, folder("pages"), seconds=0.0))
    assert psutil.Process(child.process_id) == process
    assert process.nice() == max(10, psutil.Process().nice())
    child.close()


def test_kill_from_another_thread_cancels_the_job_and_keeps_its_pages(
    child: RecognitionChild, document: Path, folder: Callable[[str], Path]
) -> None:
    pages = folder("pages")

    def kill(*_: int) -> None:
        thread = threading.Thread(target=child.kill)
        thread.start()
        thread.join()

    with pytest.raises(RecognitionCancelled):
        child.recognise(job(document, pages), kill)
    assert 1 in KeptPages(pages).numbers()
    assert child.recognise(job(document, pages)).complete


def test_what_an_export_left_that_died_is_gone(
    child: RecognitionChild, document: Path, folder: Callable[[str], Path]
) -> None:
    pages, output = folder("pages"), folder("output")
    child.recognise(job(document, pages))
    (output / "result1.txt").symlink_to(document)
    (output / "work-x").mkdir()
    (output / "work-x" / "page1.jpg").write_bytes(b"")
    child.export(ExportJob(images=(document,), settings=TXT, pages=pages, output=output))
    assert [path.name for path in output.iterdir()] == ["result1.txt"]
    assert document.read_bytes().startswith(b"II")


WRITES_NO_FILES = """
import json, os, sys
print('{"event": "ready"}', flush=True)
for line in sys.stdin:
    output = json.loads(line)["output"]
    if len(sys.argv) % 2 == 0:
        os.symlink("/etc/hostname", output + "/result1.txt")
    print('{"event": "exported", "pages": 1, "failed_pages": 0, "blank_pages": 0, "rotated_pages": 0,'
          '"words": 0, "low_words": 0, "word_confidence": null, "engine": "none"}', flush=True)
"""


@pytest.mark.parametrize("arguments", [(), ("with a link",)])
def test_a_process_that_says_it_has_exported_is_not_believed(
    *, tessdata: Tessdata, document: Path, folder: Callable[[str], Path], arguments: tuple[str, ...]
) -> None:
    program = document.with_name("program.py")
    program.write_text(WRITES_NO_FILES)
    child = RecognitionChild(tessdata=tessdata.folder, program=(str(program), *arguments))
    export = ExportJob(images=(), settings=TXT, pages=folder("pages"), output=folder("output"))
    with pytest.raises(RecognitionFailed, match="The result file of format txt was not written"):
        child.export(export)
    child.close()


def test_a_process_outlives_the_thread_that_used_it_first(child: RecognitionChild, document: Path) -> None:
    thread = threading.Thread(target=child.measure, args=([document],))
    thread.start()
    thread.join()
    first = child.process_id
    child.measure([document])
    assert child.process_id == first


def test_a_process_dies_with_its_parent(tessdata: Tessdata, document: Path) -> None:
    program = f"""
        from pathlib import Path
        from airflow_provider_ocr.server.workers.children import RecognitionChild
        child = RecognitionChild(tessdata=Path({str(tessdata.folder)!r}))
        child.measure([Path({str(document)!r})])
        print(child.process_id, flush=True)
        input()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    orphan = int(parent.stdout.readline())
    assert orphan != os.getpid()
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and is_running(orphan):
        time.sleep(0.05)
    assert not is_running(orphan)


def is_running(process: int) -> bool:
    """Whether the process exists and is more than an entry that nobody has collected."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
