# SPDX-License-Identifier: Apache-2.0
"""Real recognition processes that work, die, hang and are replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.children import RecognitionChild, RecognitionFailed, RecognitionJob
from airflow_provider_ocr.server.recognition.tessdata import Tessdata

TXT = ProcessingSettings.parse(export_format="txt")


@pytest.fixture
def child(tessdata: Tessdata) -> Iterator[RecognitionChild]:
    made = RecognitionChild(tessdata=tessdata.folder)
    yield made
    made.close()


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., RecognitionJob]:
    """A job for an image, each with an output folder of its own."""
    numbers = iter(range(1000))

    def made(*pages: Image.Image, content: bytes | None = None) -> RecognitionJob:
        number = next(numbers)
        output, image = tmp_path / f"out{number}", tmp_path / f"image{number}"
        output.mkdir()
        if content is None:
            pages[0].save(image, "TIFF", save_all=True, append_images=pages[1:], dpi=(300, 300))
        else:
            image.write_bytes(content)
        return RecognitionJob(images=(image,), settings=TXT, output=output)

    return made


def process_of(child: RecognitionChild) -> int:
    assert child.process_id is not None
    return child.process_id


def test_a_document_is_recognised_page_by_page(
    child: RecognitionChild, draw: Callable[..., Any], make_job: Callable[..., RecognitionJob]
) -> None:
    job = make_job(draw(("The first page",)).image, Image.new("L", (800, 600), 255))
    pages: list[tuple[int, int]] = []
    summary = child.run(job, lambda page, count: pages.append((page, count)))
    assert pages == [(1, 2), (2, 2)]
    assert (summary.pages, summary.blank_pages, summary.words) == (2, 1, 3)
    assert summary.engine.startswith("tesseract")
    (file,) = summary.files
    assert (file.format, file.path, file.size) == (
        ExportFormat.TXT,
        job.output / "result1.txt",
        file.path.stat().st_size,
    )
    assert file.path.read_text("utf-8-sig") == "The first page\n"


def test_a_documents_own_fault_is_told_and_the_next_job_works(
    child: RecognitionChild, draw: Callable[..., Any], make_job: Callable[..., RecognitionJob]
) -> None:
    with pytest.raises(RecognitionFailed, match="not an image that can be read"):
        child.run(make_job(content=b"<html>"))
    assert child.run(make_job(draw().image)).words > 20


def test_a_process_that_dies_mid_job_fails_one_job(
    child: RecognitionChild, draw: Callable[..., Any], make_job: Callable[..., RecognitionJob]
) -> None:
    job = make_job(*[draw().image] * 5)
    with pytest.raises(RecognitionFailed, match=r"Recognition stopped unexpectedly on page 2\."):
        child.run(job, lambda *_: os.kill(process_of(child), signal.SIGKILL))
    assert child.run(make_job(draw().image)).words > 20


def test_a_process_that_hangs_is_ended(
    tessdata: Tessdata, draw: Callable[..., Any], make_job: Callable[..., RecognitionJob]
) -> None:
    child = RecognitionChild(tessdata=tessdata.folder, seconds_per_page=5.0)
    child.run(make_job(draw().image))
    hung = process_of(child)
    os.kill(hung, signal.SIGSTOP)
    with pytest.raises(RecognitionFailed, match="Page 1 took longer than 5 seconds"):
        child.run(make_job(draw().image))
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    child.close()


def test_a_job_that_needs_too_much_memory_fails(
    tessdata: Tessdata, draw: Callable[..., Any], make_job: Callable[..., RecognitionJob]
) -> None:
    child = RecognitionChild(tessdata=tessdata.folder, memory_bytes=700 * 2**20)
    with pytest.raises(RecognitionFailed) as failed:
        child.run(make_job(draw(size=60, width=9000, height=9000).image))
    assert "memory" in str(failed.value) or "unexpectedly" in str(failed.value)
    child.close()


def test_kill_from_another_thread_cancels_the_job(
    child: RecognitionChild, draw: Callable[..., Any], make_job: Callable[..., RecognitionJob]
) -> None:
    job = make_job(*[draw().image] * 20)
    with pytest.raises(RecognitionFailed, match="cancelled"):
        child.run(job, lambda *_: threading.Thread(target=child.kill).start())
    assert child.run(make_job(draw().image)).words > 20


def test_a_failing_listener_does_not_leave_a_half_done_job_behind(
    child: RecognitionChild, draw: Callable[..., Any], make_job: Callable[..., RecognitionJob]
) -> None:
    def fail(*_: int) -> None:
        raise KeyError("listener")

    with pytest.raises(KeyError, match="listener"):
        child.run(make_job(*[draw().image] * 2), fail)
    assert child.run(make_job(draw().image)).pages == 1


def test_a_process_is_used_again_and_replaced_in_time(
    tessdata: Tessdata, make_job: Callable[..., RecognitionJob]
) -> None:
    child = RecognitionChild(tessdata=tessdata.folder, jobs_per_process=2)
    processes = []
    for _ in range(3):
        child.run(make_job(Image.new("L", (300, 200), 255)))
        processes.append(process_of(child))
    child.close()
    assert processes[0] == processes[1] != processes[2]


def test_a_process_outlives_the_thread_that_used_it_first(
    child: RecognitionChild, make_job: Callable[..., RecognitionJob]
) -> None:
    jobs = [make_job(Image.new("L", (300, 200), 255)) for _ in range(2)]
    thread = threading.Thread(target=child.run, args=(jobs[0],))
    thread.start()
    thread.join()
    first = process_of(child)
    child.run(jobs[1])
    assert process_of(child) == first


def test_the_process_knows_nothing_of_the_servers_environment(
    child: RecognitionChild, make_job: Callable[..., RecognitionJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_SECRET", "do-not-tell")
    child.run(make_job(Image.new("L", (300, 200), 255)))
    environment = Path(f"/proc/{process_of(child)}/environ").read_bytes()
    assert b"do-not-tell" not in environment
    assert {entry.partition(b"=")[0] for entry in environment.split(b"\0") if entry} == {
        b"PYTHONPATH",
        b"OMP_THREAD_LIMIT",
        b"LANG",
    }


def test_a_process_dies_with_its_parent(tessdata: Tessdata, tmp_path: Path) -> None:
    Image.new("L", (300, 200), 255).save(tmp_path / "a.png")
    program = f"""
        from pathlib import Path
        from airflow_provider_ocr.protocol.settings import ProcessingSettings
        from airflow_provider_ocr.server.children import RecognitionChild, RecognitionJob
        child = RecognitionChild(tessdata=Path({str(tessdata.folder)!r}))
        folder = Path({str(tmp_path)!r})
        job = RecognitionJob((folder / "a.png",), ProcessingSettings.parse(export_format="txt"), folder)
        child.run(job)
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
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and is_running(orphan):
        time.sleep(0.05)
    assert not is_running(orphan)


def is_running(process: int) -> bool:
    """Whether the process exists and is more than an entry that nobody has collected."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
