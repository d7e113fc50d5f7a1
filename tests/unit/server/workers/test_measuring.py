# SPDX-License-Identifier: Apache-2.0
"""Images are measured at once and several at a time; whatever one does to its child, the next is measured."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.workers.children import (
    Measurement,
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
        assert measuring.measure(written(tmp_path, *images)) == measured
    protected = written(tmp_path, pdf(password="open"))
    assert measuring.measure(protected, pdf_password="open") == Measurement(1, 1)


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
            measuring.measure(written(tmp_path, image))
        assert measuring.measure(good) == Measurement(1, 1)


def test_many_may_measure_at_the_same_time(tmp_path: Path, measuring: Measuring) -> None:
    images = written(tmp_path, *(tiff(*["Page"] * pages) for pages in range(1, 9)))
    barrier = threading.Barrier(8)

    def measure(image: Path) -> int:
        barrier.wait()
        return measuring.measure([image]).pages

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(measure, images)) == list(range(1, 9))


def test_a_child_that_dies_is_replaced_and_none_is_left_after_the_stop(
    tmp_path: Path, tessdata: Tessdata
) -> None:
    measuring = Measuring(tessdata.folder)
    image = written(tmp_path, png())
    measuring.measure(image)
    (child,) = [child.process_id for child in measuring._children if child.process_id]
    assert child is not None
    os.kill(child, signal.SIGKILL)
    assert measuring.measure(image) == Measurement(1, 1)
    children = [child.process_id for child in measuring._children if child.process_id]
    begin = time.monotonic()
    measuring.stop()
    assert time.monotonic() - begin < 5
    for process_id in children:
        with pytest.raises(ProcessLookupError):
            os.kill(process_id, 0)
