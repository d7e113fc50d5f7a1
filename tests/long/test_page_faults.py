# SPDX-License-Identifier: Apache-2.0
"""Documents whose pages kill, hang and starve the processes that read them: each page is what it is without
that, or it is reported as failed.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.kept_pages import KeptPages
from airflow_provider_ocr.server.recognition.tessdata import Tessdata, gather_tessdata
from airflow_provider_ocr.server.workers.children import (
    ExportJob,
    PageFailure,
    RecognitionChild,
    RecognitionJob,
)

FAULTY_CHILD = Path(__file__).parents[1] / "unit" / "server" / "recognition" / "faulty_child.py"
SETTINGS = ProcessingSettings.parse(export_format="txt", correct_orientation=False, correct_skew=False)
LASTING = ("crash", "memory", "tight", "hang")
PASSING = ("crash once", "error once", "nonsense once")
NAMES = ("Anna Miller", "Bruno Schmidt", "Clara Rossi", "David Novak", "Emma Larsen", "Felix Weber")


@dataclass(frozen=True)
class Document:
    """Small pages, each with a text of its own, and what is to go wrong on some.

    :param faults: by page.
    """

    image: Path
    pages: int
    faults: dict[int, str]

    @property
    def failing(self) -> set[int]:
        """The pages that cannot be recognised."""
        return {page for page, fault in self.faults.items() if fault in LASTING}


@pytest.fixture(scope="module")
def tessdata(tmp_path_factory: pytest.TempPathFactory) -> Tessdata:
    return gather_tessdata(tmp_path_factory.mktemp("tessdata"))


@pytest.fixture
def make_document(tmp_path: Path) -> Callable[..., Document]:
    """Draws a document and deals faults to its pages."""

    def made(pages: int, *, lasting: dict[str, int], passing: int) -> Document:
        chance = random.Random(pages)
        faults = [fault for fault, count in lasting.items() for _ in range(count)]
        faults += [PASSING[number % len(PASSING)] for number in range(passing)]
        struck = chance.sample(range(1, pages + 1), len(faults))
        images = [_page(number, chance) for number in range(1, pages + 1)]
        path = tmp_path / "document.tif"
        images[0].save(
            path, "TIFF", save_all=True, append_images=images[1:], compression="group4", dpi=(200, 200)
        )
        return Document(path, pages, dict(zip(struck, faults, strict=True)))

    return made


def _page(number: int, chance: random.Random) -> Image.Image:
    image = Image.new("1", (700, 150), 1)
    text = f"Page {number} of {chance.choice(NAMES)}: {chance.randint(100, 9999)} euros"
    ImageDraw.Draw(image).text((40, 50), text, font=ImageFont.load_default(size=34), fill=0)
    return image


def recognise(child: RecognitionChild, document: Document, folder: Path) -> dict[int, str]:
    """Recognise all of a document in slices; the pages that failed, with reasons."""
    folder.mkdir()
    failed: dict[int, str] = {}
    job = RecognitionJob(
        images=(document.image,),
        settings=SETTINGS,
        pages=folder,
        seconds=3.0,
        page_failure=PageFailure.KEEP,
    )
    while not child.recognise(job, on_failed_page=failed.setdefault).complete:
        assert len(failed) <= len(document.faults)
    return failed


@pytest.mark.parametrize(
    ("pages", "lasting", "passing"),
    [
        pytest.param(8, {"crash": 1, "memory": 1}, 2, id="8"),
        pytest.param(20, dict.fromkeys(LASTING, 1), 3, id="20", marks=pytest.mark.long),
        pytest.param(
            500,
            {"crash": 12, "memory": 8, "tight": 12, "hang": 4},
            30,
            id="500",
            marks=pytest.mark.long,
        ),
    ],
)
def test_each_page_equals_the_undisturbed_one_or_is_reported_as_failed(
    *,
    make_document: Callable[..., Document],
    tessdata: Tessdata,
    tmp_path: Path,
    pages: int,
    lasting: dict[str, int],
    passing: int,
) -> None:
    document = make_document(pages, lasting=lasting, passing=passing)
    undisturbed = RecognitionChild(tessdata=tessdata.folder)
    assert recognise(undisturbed, document, tmp_path / "undisturbed") == {}
    undisturbed.close()

    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps(document.faults))
    child = RecognitionChild(
        tessdata=tessdata.folder,
        memory_bytes=500 * 2**20,
        seconds_per_page=8.0,
        program=(str(FAULTY_CHILD), str(faults)),
    )
    failed = recognise(child, document, tmp_path / "disturbed")
    assert set(failed) == document.failing
    for page, reason in failed.items():
        stopped = f"Recognition stopped unexpectedly on page {page}."
        starved = f"Page {page} needs more memory than is allowed."
        said = {
            "crash": {stopped},
            "memory": {starved},
            "tight": {stopped, starved},
            "hang": {f"Page {page} took longer than 8 seconds."},
        }
        assert reason in said[document.faults[page]]

    expected, found = KeptPages(tmp_path / "undisturbed"), KeptPages(tmp_path / "disturbed")
    texts = [" ".join(word.text for word in expected.read(n + 1)[0].words) for n in range(pages)]
    right = [text.startswith(f"Page {number} of") for number, text in enumerate(texts, start=1)]
    assert all(texts)
    assert sum(right) >= 0.95 * pages  # the engine misreads a digit here and there, always in the same way
    for number in range(1, pages + 1):
        page, _ = found.read(number)
        if number in failed:
            assert page.failed
            assert list(page.words) == []
        else:
            assert page == expected.read(number)[0]

    (tmp_path / "output").mkdir()
    job = ExportJob(
        images=(document.image,),
        settings=SETTINGS,
        pages=tmp_path / "disturbed",
        output=tmp_path / "output",
    )
    summary = child.export(job)
    child.close()
    assert (summary.pages, summary.failed_pages) == (pages, len(failed))
    exported = summary.files[0].path.read_text("utf-8-sig").split("\f")
    for number, text in enumerate(exported, start=1):
        assert (text == "") == (number in failed)
