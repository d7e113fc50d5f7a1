# SPDX-License-Identifier: Apache-2.0
"""What becomes of a document of which single pages fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.kept_pages import KeptPages
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.workers.children import (
    PageFailure,
    Progress,
    RecognitionChild,
    RecognitionFailed,
    RecognitionJob,
)

FAULTY_CHILD = Path(__file__).with_name("faulty_child.py")
TXT = ProcessingSettings.parse(export_format="txt", correct_orientation=False)
STOPPED = "Recognition stopped unexpectedly on page 2."
STARVED = "Page 2 needs more memory than is allowed."


@pytest.fixture
def document(draw: Callable[..., Any], tmp_path: Path) -> Path:
    """Four pages."""
    pages = [draw((f"This is page number {number}",), height=300).image for number in (1, 2, 3, 4)]
    path = tmp_path / "document"
    pages[0].save(path, "TIFF", save_all=True, append_images=pages[1:], dpi=(300, 300))
    return path


@pytest.fixture
def child(tessdata: Tessdata, tmp_path: Path) -> Iterator[RecognitionChild]:
    """Has the faults of ``tmp_path / "faults"``."""
    made = RecognitionChild(
        tessdata=tessdata.folder,
        memory_bytes=500 * 2**20,
        seconds_per_page=4.0,
        program=(str(FAULTY_CHILD), str(tmp_path / "faults")),
    )
    yield made
    made.close()


class Run:
    """A document recognised with faults on pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pages: list[int] = []
        self.failed: list[tuple[int, str]] = []
        (folder / "pages").mkdir()

    @property
    def kept(self) -> KeptPages:
        return KeptPages(self.folder / "pages")

    def recognise(
        self, child: RecognitionChild, faults: dict[int, str], page_failure: PageFailure, **options: Any
    ) -> Progress:
        (self.folder / "faults").write_text(json.dumps(faults))
        job = RecognitionJob(
            images=(self.folder / "document",),
            settings=TXT,
            pages=self.folder / "pages",
            page_failure=page_failure,
            **options,
        )
        return child.recognise(
            job, lambda page, _: self.pages.append(page), lambda *failed: self.failed.append(failed)
        )

    def texts(self) -> list[str]:
        pages = (self.kept.read(number)[0] for number in sorted(self.kept.numbers()))
        return [" ".join(word.text for word in page.words) for page in pages]


@pytest.fixture
def run(tmp_path: Path, document: Path) -> Run:
    return Run(tmp_path)


@pytest.mark.parametrize(
    ("fault", "page_failure"),
    [
        ("crash once", PageFailure.FAIL),
        pytest.param("crash once", PageFailure.KEEP, marks=pytest.mark.long),
        pytest.param("error once", PageFailure.FAIL, marks=pytest.mark.long),
        pytest.param("error once", PageFailure.KEEP, marks=pytest.mark.long),
        pytest.param("nonsense once", PageFailure.FAIL, marks=pytest.mark.long),
        ("nonsense once", PageFailure.KEEP),
    ],
)
def test_a_page_on_which_a_process_died_is_tried_once_more(
    run: Run, child: RecognitionChild, fault: str, page_failure: PageFailure
) -> None:
    assert run.recognise(child, {2: fault, 4: fault}, page_failure) == Progress(4, 4)
    assert run.texts() == [f"This is page number {number}" for number in (1, 2, 3, 4)]
    assert (run.pages, run.failed, run.kept.failures()) == ([1, 2, 3, 4], [], frozenset())


LASTING = [
    ("crash", {STOPPED}),
    ("error", {"Page 2 could not be worked on (RuntimeError)."}),
    ("nonsense", {STOPPED}),
    ("hang", {"Page 2 took longer than 4 seconds."}),
    ("memory", {STARVED}),
    ("tight", {STARVED, STOPPED}),
]


@pytest.mark.parametrize(("fault", "said"), LASTING)
def test_a_page_that_fails_fails_the_document_by_number_and_reason(
    run: Run, child: RecognitionChild, fault: str, said: set[str]
) -> None:
    with pytest.raises(RecognitionFailed) as failed:
        run.recognise(child, {2: fault}, PageFailure.FAIL)
    assert str(failed.value) in said
    assert failed.value.page == 2
    assert run.texts() == ["This is page number 1"]
    assert run.recognise(child, {}, PageFailure.FAIL) == Progress(4, 4)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        *LASTING[:2],
        # What is done with the page does not depend on what it failed of.
        *(pytest.param(*lasting, marks=pytest.mark.long) for lasting in LASTING[2:]),
    ],
)
def test_a_page_that_fails_is_kept_as_an_image_where_that_is_wanted(
    run: Run, child: RecognitionChild, fault: str, said: set[str]
) -> None:
    assert run.recognise(child, {2: fault}, PageFailure.KEEP) == Progress(4, 4)
    assert run.texts() == ["This is page number 1", "", "This is page number 3", "This is page number 4"]
    ((page, reason),) = run.failed
    assert page == 2
    assert reason in said
    assert run.kept.read(2)[0].failed


def test_a_page_that_failed_stays_failed_while_such_pages_are_kept(run: Run, child: RecognitionChild) -> None:
    run.recognise(child, {2: "crash"}, PageFailure.KEEP)
    assert run.recognise(child, {}, PageFailure.KEEP) == Progress(4, 4)
    assert run.kept.read(2)[0].failed
    assert run.recognise(child, {}, PageFailure.FAIL) == Progress(4, 4)
    assert not run.kept.read(2)[0].failed
    assert run.texts()[1] == "This is page number 2"


def test_a_slice_that_ends_with_a_failed_page_goes_on_with_the_next(
    run: Run, child: RecognitionChild
) -> None:
    done = [run.recognise(child, {2: "crash"}, PageFailure.KEEP, seconds=0.0).done for _ in range(4)]
    assert done == [1, 2, 3, 4]
    assert run.pages == [1, 2, 3, 4]
    assert [page for page, _ in run.failed] == [2]


def test_a_page_of_which_there_is_no_image_fails_the_document(
    run: Run, child: RecognitionChild, document: Path
) -> None:
    Image.effect_noise((500, 500), 90).save(document, "JPEG")
    document.write_bytes(document.read_bytes()[:5000])
    with pytest.raises(RecognitionFailed) as failed:
        run.recognise(child, {}, PageFailure.KEEP)
    damaged = "Page 1 is damaged and cannot be read."
    assert str(failed.value) == (
        f"Page 1 could not be recognised, and not be kept as an image either. {damaged}"
    )
    assert failed.value.page == 1
    assert run.failed == [(1, damaged)]
