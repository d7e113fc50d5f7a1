# SPDX-License-Identifier: Apache-2.0
"""Images are measured at once and several at a time; whatever one does to its child, the next is measured."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.workers.children import (
    Measurement,
    RecognitionChild,
    RecognitionFailed,
    UnsupportedDocumentError,
    WrongPasswordError,
)
from airflow_provider_ocr.server.workers.measuring import Measuring
from tests.unit.server.scans import large_png, pdf, png, tiff


def written(folder: Path, *images: bytes) -> list[Path]:
    paths = []
    for number, image in enumerate(images):
        path = folder / f"{len(list(folder.iterdir()))}-{number}"
        path.write_bytes(image)
        paths.append(path)
    return paths


def test_pages_are_counted_and_billed_by_their_area(tmp_path: Path, measuring: Measuring) -> None:
    table = [
        ([png()], Measurement(1, 1)),
        ([large_png()], Measurement(1, 4)),
        ([tiff("One", "Two", "Three")], Measurement(3, 3)),
        ([tiff("One", "Two"), large_png(), pdf()], Measurement(4, 7)),
    ]
    for images, measured in table:
        assert measuring.measure(written(tmp_path, *images), application="app") == measured
    protected = written(tmp_path, pdf(password="open"))
    assert measuring.measure(protected, application="app", pdf_password="open") == Measurement(1, 1)


def test_what_cannot_be_measured_says_why_and_the_next_is_measured(
    tmp_path: Path, measuring: Measuring
) -> None:
    table = [
        (pdf(password="open"), WrongPasswordError),
        (pdf(printable=False), UnsupportedDocumentError),
        (b"<html>", UnsupportedDocumentError),
        (png()[:20], RecognitionFailed),
    ]
    good = written(tmp_path, png())
    for image, error in table:
        with pytest.raises(error):
            measuring.measure(written(tmp_path, image), application="app")
        assert measuring.measure(good, application="app") == Measurement(1, 1)


def test_many_may_measure_at_the_same_time(tmp_path: Path, measuring: Measuring) -> None:
    images = written(tmp_path, *(tiff(*["Page"] * pages) for pages in range(1, 9)))
    barrier = threading.Barrier(8)

    def measure(image: Path) -> int:
        barrier.wait()
        return measuring.measure([image], application=image.name).pages

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(measure, images)) == list(range(1, 9))


def test_an_application_has_one_child_at_a_time_and_leaves_the_other(
    tmp_path: Path, tessdata: Tessdata, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Semaphore(0), threading.Event()
    under_way: list[Path] = []
    measure = RecognitionChild.measure

    def slow(child: RecognitionChild, images: Sequence[Path], *, pdf_password: str) -> Measurement:
        if images[0].name.startswith("slow"):
            under_way.append(images[0])
            begun.release()
            assert go_on.wait(20)
        return measure(child, images, pdf_password=pdf_password)

    monkeypatch.setattr(RecognitionChild, "measure", slow)
    (image,) = written(tmp_path, png())
    slow_images = [tmp_path / f"slow{number}" for number in range(4)]
    for path in slow_images:
        path.write_bytes(png())
    measuring = Measuring(partial(RecognitionChild, tessdata=tessdata.folder))
    with ThreadPoolExecutor(4) as threads:
        slow_ones = [threads.submit(measuring.measure, [path], application="app") for path in slow_images]
        try:
            assert begun.acquire(timeout=10)
            for _ in range(3):
                assert measuring.measure([image], application="other") == Measurement(1, 1)
            assert len(under_way) == 1
        finally:
            go_on.set()
        assert [ended.result(20) for ended in slow_ones] == [Measurement(1, 1)] * 4
    measuring.stop()


def test_a_child_that_dies_is_replaced_and_none_is_left_after_the_stop(
    tmp_path: Path, tessdata: Tessdata
) -> None:
    measuring = Measuring(partial(RecognitionChild, tessdata=tessdata.folder))
    image = written(tmp_path, png())
    measuring.measure(image, application="app")
    (child,) = [child.process_id for child in measuring._children if child.process_id]
    assert child is not None
    os.kill(child, signal.SIGKILL)
    assert measuring.measure(image, application="app") == Measurement(1, 1)
    children = [child.process_id for child in measuring._children if child.process_id]
    begin = time.monotonic()
    measuring.stop()
    assert time.monotonic() - begin < 5
    for process_id in children:
        with pytest.raises(ProcessLookupError):
            os.kill(process_id, 0)
