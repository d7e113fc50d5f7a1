# SPDX-License-Identifier: Apache-2.0
"""Whatever becomes of one document, it ends in one clear state, is paid for once, and the next is read."""

from __future__ import annotations

import errno
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api.call import RejectedError
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.records import work as work_module
from airflow_provider_ocr.server.records.database import Database, now_ms
from airflow_provider_ocr.server.workers.children import RecognitionSummary
from airflow_provider_ocr.server.workers.measuring import Measuring
from airflow_provider_ocr.server.workers.worker import quality_headers
from tests.unit.server.scans import pdf, png, tiff
from tests.unit.server.shop import Shop, wait_until

PAGES = tuple(f"Page {number}" for number in range(10, 50))
Q, P, C, F = (
    TaskStatus.QUEUED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.COMPLETED,
    TaskStatus.PROCESSING_FAILED,
)


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, tessdata: Tessdata, measuring: Measuring
) -> Iterator[Shop]:
    """A worker that the tests share."""
    folder = tmp_path_factory.mktemp("data")
    database = Database.in_folder(folder)
    shop = Shop(folder, database, tessdata=tessdata, measuring=measuring)
    shop.open()
    yield shop
    shop.close()
    database.close()


@pytest.fixture
def new_shop(
    tmp_path: Path, tessdata: Tessdata, measuring: Measuring, database: Database
) -> Iterator[Callable[..., Shop]]:
    """A worker of the test's own, for it to open."""
    with ExitStack() as stack:

        def made(slice_seconds: float = 10.0) -> Shop:
            shop = Shop(
                tmp_path, database, tessdata=tessdata, measuring=measuring, slice_seconds=slice_seconds
            )
            stack.callback(shop.close)
            return shop

        yield made


def recognition_processes() -> set[int]:
    """The process IDs of this process's recognition children."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and "recognition.child" in command:
            found.add(int(status.parent.name))
    return found


def pages_logged(caplog: pytest.LogCaptureFixture, ocr_task_id: str) -> list[int]:
    """The pages of a task that were recognised, in this order."""
    pattern = re.compile(rf"task {ocr_task_id}: page (\d+) of \d+")
    matches = (pattern.fullmatch(record.getMessage()) for record in list(caplog.records))
    return [int(match[1]) for match in matches if match]


@pytest.fixture(autouse=True)
def _log_everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="cloud_ocr_server")


def test_a_document_is_recognised_published_and_charged(new_shop: Callable[..., Shop]) -> None:
    shop = new_shop()
    shop.applications.credit("app", 12)
    shop.open()
    ocr_task_id = shop.process(tiff("Rye bread", "Apple juice"), exportFormat="txt,xml")
    task = shop.wait_for(ocr_task_id)
    assert (task.status, task.error, task.credits, task.charged) == ("Completed", None, 10, True)
    assert shop.words(ocr_task_id) == ["Rye", "bread", "Apple", "juice"]
    assert b"<page " in shop.result(ocr_task_id, 2)
    assert task.quality["X-Ocr-Pages"] == "2"
    assert shop.files_of(ocr_task_id) == ["images", "pages", "results"]
    _, charge = shop.applications.ledger("app")
    assert (charge.ocr_task_id, charge.pages, charge.credits) == (ocr_task_id, 2, -10)
    left = shop.applications.find("app")
    assert left is not None
    assert (left.credits, left.reserved, left.used) == (2, 0, 10)
    shop.close()
    assert list((shop.folder / "work").iterdir()) == []


def test_all_images_of_a_task_are_one_document_and_paid_for(shop: Shop) -> None:
    ocr_task_id = shop.call("submitImage", image=png("Rye bread")).id
    for image in (tiff("Apple juice", "Plum jam"), png("Tea")):
        shop.call("submitImage", image=image, taskId=ocr_task_id)
    shop.again(ocr_task_id)
    task = shop.wait_for(ocr_task_id)
    assert (task.status, task.error, task.credits) == ("Completed", None, 20)
    assert shop.words(ocr_task_id) == ["Rye", "bread", "Apple", "juice", "Plum", "jam", "Tea"]
    assert task.quality["X-Ocr-Pages"] == "4"


def test_other_formats_of_a_document_are_exported_and_no_page_is_recognised_again(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    ocr_task_id = shop.process(tiff("Rye bread", "Apple juice"))
    first = shop.wait_for(ocr_task_id)
    assert pages_logged(caplog, ocr_task_id) == [1, 2]
    shop.again(ocr_task_id, exportFormat="pdfSearchable,txt")
    again = shop.wait_for(ocr_task_id)
    assert (again.status, again.error) == ("Completed", None)
    assert pages_logged(caplog, ocr_task_id) == [1, 2]
    assert again.run != first.run
    assert shop.result(ocr_task_id).startswith(b"%PDF-")
    assert b"Apple juice" in shop.result(ocr_task_id, 2)
    runs = shop.folder / "results" / ocr_task_id
    wait_until(lambda: {run.name for run in runs.iterdir()} == {again.run})
    # In another language the words may be others.
    shop.again(ocr_task_id, language="German")
    assert shop.wait_for(ocr_task_id).status == "Completed"
    assert pages_logged(caplog, ocr_task_id) == [1, 2, 1, 2]
    charges = [entry for entry in shop.applications.ledger("app") if entry.ocr_task_id == ocr_task_id]
    assert [entry.credits for entry in charges] == [-10]


def test_a_second_run_that_fails_leaves_nothing_of_the_first(shop: Shop) -> None:
    ocr_task_id = shop.process(png())
    assert shop.wait_for(ocr_task_id).status == "Completed"
    with shop.files.incoming() as image:
        image.write_bytes(b"no image any more")
        shop.files.keep(image, ocr_task_id)
    shop.again(ocr_task_id, language="German")
    failed = shop.wait_for(ocr_task_id)
    assert (failed.status, failed.quality, failed.run) == ("ProcessingFailed", {}, None)
    assert failed.error
    wait_until(lambda: shop.files_of(ocr_task_id) == [])


def test_a_damaged_image_fails_its_task_says_so_and_costs_nothing_and_the_next_succeeds(shop: Shop) -> None:
    damaged = shop.process(png()[:-300])
    good = shop.process(png("Rye bread"))
    failed = shop.wait_for(damaged)
    assert (failed.status, failed.credits, failed.charged) == ("ProcessingFailed", 0, False)
    assert failed.error
    for word in ("Traceback", str(shop.folder), "\n"):
        assert word not in failed.error
    wait_until(lambda: shop.files_of(damaged) == [])
    assert shop.wait_for(good).status == "Completed"
    assert shop.words(good) == ["Rye", "bread"]
    assert not any(entry.ocr_task_id == damaged for entry in shop.applications.ledger("app"))


def test_a_document_outlives_a_recognition_process_that_dies(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    others = recognition_processes()
    ocr_task_id = shop.process(tiff(*PAGES))
    wait_until(lambda: len(pages_logged(caplog, ocr_task_id)) > 2)
    started = recognition_processes() - others
    (child,) = started or {max(others)}
    os.kill(child, signal.SIGKILL)
    task = shop.wait_for(ocr_task_id)
    assert (task.status, task.error) == ("Completed", None)
    assert shop.words(ocr_task_id) == " ".join(PAGES).split()
    assert child not in recognition_processes()


def test_a_recognition_that_is_stopped_goes_on_from_the_pages_that_it_kept(
    new_shop: Callable[..., Shop], caplog: pytest.LogCaptureFixture
) -> None:
    shop = new_shop(slice_seconds=0.1)
    ocr_task_id = shop.process(tiff(*PAGES))
    turn, before = shop.column(ocr_task_id, "ready_ms"), recognition_processes()  # what measured it stays
    shop.open()
    wait_until(lambda: len(pages_logged(caplog, ocr_task_id)) >= 5)
    begin = time.monotonic()
    shop.close()
    assert time.monotonic() - begin < 5
    assert recognition_processes() <= before
    done = pages_logged(caplog, ocr_task_id)
    task = shop.see(ocr_task_id)
    assert (task.status, task.lease, len(done) < len(PAGES)) == ("InProgress", None, True)
    shop.open()
    assert shop.wait_for(ocr_task_id).status == "Completed"
    again = pages_logged(caplog, ocr_task_id)[len(done) :]
    # The page that was kept and not told yet when the process ended is not recognised again either.
    assert again[0] in (len(done) + 1, len(done) + 2)
    assert again == list(range(again[0], len(PAGES) + 1))
    assert shop.words(ocr_task_id) == " ".join(PAGES).split()
    # Nobody was waiting for whom it would have given way after a slice.
    assert shop.column(ocr_task_id, "ready_ms") == turn


def test_a_long_document_gives_way_to_another_applications_and_to_a_short_one_of_its_own(
    new_shop: Callable[..., Shop], caplog: pytest.LogCaptureFixture
) -> None:
    shop = new_shop(slice_seconds=0.01)
    long = shop.process(tiff(*PAGES[:20]))
    short, theirs = shop.process(png("Rye bread")), shop.process(png("Plum jam"), "other")
    shop.open()
    for ocr_task_id in (long, short, theirs):
        assert shop.wait_for(ocr_task_id).status == "Completed"
    lines = [record.getMessage() for record in caplog.records]
    order = [
        name
        for line in lines
        for name, ocr_task_id in {"long": long, "short": short, "theirs": theirs}.items()
        if line.startswith(f"task {ocr_task_id}: completed")
    ]
    assert order == ["theirs", "short", "long"]
    until_short = lines[: next(place for place, line in enumerate(lines) if f"{short}: completed" in line)]
    # It began, because nobody was there before it, and has had no more than another turn.
    assert len([line for line in until_short if f"{long}: page" in line]) <= 2
    assert shop.words(long) == " ".join(PAGES[:20]).split()
    assert sorted(pages_logged(caplog, long)) == list(range(1, 21))


def test_a_lost_lease_publishes_nothing_and_charges_nothing_and_its_run_is_removed(
    new_shop: Callable[..., Shop], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = new_shop()
    shop.applications.credit("app", 5)
    new_run, runs = shop.files.new_run, []

    def taken_over(ocr_task_id: str, run: str) -> Path:
        runs.append(run)
        if len(runs) == 1:
            shop.set_columns(ocr_task_id, lease="other-server-1", lease_until_ms=now_ms() + 600_000)
        return new_run(ocr_task_id, run)

    monkeypatch.setattr(shop.files, "new_run", taken_over)
    ocr_task_id = shop.process(png("Rye bread"))
    shop.open()
    wait_until(lambda: "its lease was lost" in caplog.text)
    task = shop.see(ocr_task_id)
    assert (task.status, task.run, task.lease, task.charged) == ("InProgress", None, "other-server-1", False)
    assert len(shop.applications.ledger("app")) == 1
    assert shop.files_of(ocr_task_id) == ["images", "pages"]
    # The other server dies, and its lease ends.
    shop.set_columns(ocr_task_id, lease_until_ms=0)
    shop.workers.wake()
    task = shop.wait_for(ocr_task_id)
    assert (task.status, task.run) == ("Completed", runs[1])
    assert shop.words(ocr_task_id) == ["Rye", "bread"]
    assert [entry.credits for entry in shop.applications.ledger("app")] == [5, -5]


def test_a_failure_under_a_lost_lease_is_not_the_tasks(
    new_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = new_shop()
    pages_folder, tries = shop.files.pages_folder, []

    def taken_over(ocr_task_id: str, recognition: str) -> Path:
        shop.set_columns(ocr_task_id, lease="other-server-1", lease_until_ms=now_ms() + 600_000)
        tries.append(ocr_task_id)
        return pages_folder(ocr_task_id, recognition)

    monkeypatch.setattr(shop.files, "pages_folder", taken_over)
    damaged, good = shop.process(png()[:-300]), shop.process(png(), "other")
    shop.open()
    wait_until(lambda: set(tries) == {damaged, good})
    task = shop.see(damaged)
    assert (task.status, task.error, task.lease) == ("InProgress", None, "other-server-1")
    assert "images" in shop.files_of(damaged)


def wake_until(shop: Shop, condition: Callable[[], bool]) -> None:
    """Wait for something that takes several looks at what waits."""

    def woken() -> bool:
        shop.workers.wake()
        return condition()

    wait_until(woken)


def no_space(*_: object) -> Path:
    raise OSError(errno.ENOSPC, "no space left")


def test_what_the_disk_refuses_is_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(work_module, "_FIRST_PAUSE_MS", 20)
    publish, refusals = shop.files.publish, [1, 2]

    def refuse_twice(ocr_task_id: str, run: str) -> None:
        if refusals:
            refusals.pop()
            no_space()
        publish(ocr_task_id, run)

    monkeypatch.setattr(shop.files, "publish", refuse_twice)
    ocr_task_id = shop.process(png("Rye bread"))
    wake_until(shop, lambda: shop.see(ocr_task_id).status == "Completed")
    assert refusals == []
    assert shop.see(ocr_task_id).faults == 0
    # The fault was not the document's: its page was recognised once.
    assert pages_logged(caplog, ocr_task_id) == [1]
    assert shop.words(ocr_task_id) == ["Rye", "bread"]
    # What the refused runs had written is not left to the next start.
    wait_until(lambda: shop.files_of(ocr_task_id) == ["images", "pages", "results"])


def test_what_the_disk_goes_on_refusing_fails_after_longer_and_longer_pauses(
    new_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_module, "_FIRST_PAUSE_MS", 20)
    shop, tries = new_shop(), []
    shop.applications.credit("app", 5)

    def refuse(*_: object) -> Path:
        tries.append(time.monotonic())
        return no_space()

    monkeypatch.setattr(shop.files, "new_run", refuse)
    ocr_task_id = shop.process(png())
    shop.open()
    wake_until(shop, lambda: shop.see(ocr_task_id).status == "ProcessingFailed")
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert len(pauses) == 5
    assert all(pause >= 0.02 * 2**place for place, pause in enumerate(pauses))
    task = shop.see(ocr_task_id)
    assert (task.error, task.credits) == ("Internal error of the server; its log says more.", 0)
    wait_until(lambda: shop.files_of(ocr_task_id) == [])
    left = shop.applications.find("app")
    assert left is not None
    assert (left.credits, left.reserved) == (5, 0)


def test_a_protected_pdf_is_recognised_with_its_password_which_is_then_forgotten(shop: Shop) -> None:
    image = pdf("Rye bread", password="open sesame")
    ocr_task_id = shop.process(image, pdfPassword="open sesame")
    task = shop.wait_for(ocr_task_id)
    assert (task.status, task.error) == ("Completed", None)
    assert shop.words(ocr_task_id) == ["Rye", "bread"]
    assert (task.settings.pdf_password, task.protected) == ("", True)
    with pytest.raises(RejectedError, match=r"^pdfPassword: .*send it again"):
        shop.again(ocr_task_id, exportFormat="pdfSearchable")
    shop.again(ocr_task_id, exportFormat="pdfSearchable", pdfPassword="open sesame")
    task = shop.wait_for(ocr_task_id)
    assert (task.status, task.error, task.settings.pdf_password) == ("Completed", None, "")
    assert shop.result(ocr_task_id).startswith(b"%PDF-")


@pytest.mark.parametrize(("confidence", "told"), [(91.26, "91.3"), (None, "")])
def test_quality_travels_as_headers(confidence: float | None, told: str) -> None:
    summary = RecognitionSummary(
        pages=3,
        files=(),
        failed_pages=1,
        blank_pages=1,
        rotated_pages=2,
        words=10,
        low_words=4,
        word_confidence=confidence,
        engine="tesseract 5",
    )
    assert quality_headers(summary) == {
        "X-Ocr-Pages": "3",
        "X-Ocr-Blank-Pages": "1",
        "X-Ocr-Failed-Pages": "1",
        "X-Ocr-Word-Confidence": told,
        "X-Ocr-Low-Words": "4",
        "X-Ocr-Rotated-Pages": "2",
        "X-Ocr-Engine": "tesseract 5",
    }
