# SPDX-License-Identifier: Apache-2.0
"""Whatever becomes of one document, it ends in one clear state, and the next is recognised."""

from __future__ import annotations

import ipaddress
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.children import RecognitionSummary
from airflow_provider_ocr.server.networks import AddressPolicy
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.source import SourceFetcher
from airflow_provider_ocr.server.store import Store, StoredTask, new_task_id
from airflow_provider_ocr.server.tasks import Move
from airflow_provider_ocr.server.worker import Workers, quality_headers
from demo.ocr_server import ScanServer

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]

SETTINGS = ProcessingSettings.parse(export_format="txt")
SECONDS = 40.0
S, Q, P, C, F, D = (
    TaskStatus.SUBMITTED,
    TaskStatus.QUEUED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.COMPLETED,
    TaskStatus.PROCESSING_FAILED,
    TaskStatus.DELETED,
)


class Shop:
    """A data folder and workers on it, which may be stopped and started again."""

    def __init__(self, folder: Path, tessdata: Tessdata) -> None:
        self.folder = folder
        self.store = Store.in_folder(folder)
        self.files = ResultFiles(folder)
        self._tessdata = tessdata
        self.open()

    def open(self) -> None:
        self.fetcher = SourceFetcher(AddressPolicy([ipaddress.ip_network("127.0.0.0/8")]))
        self.workers = Workers(
            store=self.store, files=self.files, fetcher=self.fetcher, tessdata=self._tessdata.folder, count=1
        )
        self.workers.start()

    def add(self, source: str) -> StoredTask:
        task = self.store.add(application="app", source=source, settings=SETTINGS)
        self.workers.accept(task)
        return task

    def see(self, task: StoredTask) -> StoredTask:
        found = self.store.find(task.id)
        assert found is not None
        return found

    def wait_for(self, task: StoredTask, *statuses: TaskStatus) -> StoredTask:
        wait_until(lambda: self.see(task).status in statuses)
        return self.see(task)

    def text(self, task: StoredTask) -> str:
        return self.files.result(task.id, 1, ExportFormat.TXT).read_text(encoding="utf-8")

    def files_of(self, task: StoredTask) -> list[str]:
        paths = self.folder.rglob(f"*{task.id}*")
        return sorted(str(path.relative_to(self.folder).parent) for path in paths)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, tessdata: Tessdata) -> Iterator[Shop]:
    """Workers that all tests share."""
    shop = Shop(tmp_path_factory.mktemp("data"), tessdata)
    yield shop
    shop.workers.stop()
    shop.store.close()


def recognition_processes() -> list[int]:
    """The process IDs of this process's recognition children."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            command = (status.parent / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and "recognition.child" in command:
            found.append(int(status.parent.name))
    return found


def test_a_scan_is_fetched_recognised_and_published(shop: Shop, scans: ScanServer) -> None:
    task = shop.wait_for(shop.add(f"{scans.url}/receipt.png?signature=x"), C, F)
    assert (task.status, task.error, task.credits, task.source) == ("Completed", None, 5, None)
    assert "Rye bread, sliced" in shop.text(task)
    assert task.quality["X-Ocr-Pages"] == "1"
    assert shop.files_of(task) == ["images", "results"]


def upload(shop: Shop, *scans: Path) -> StoredTask:
    """A new Submitted task with these images."""
    ocr_task_id = new_task_id()
    for number, scan in enumerate(scans, start=1):
        with shop.files.incoming() as image:
            image.write_bytes(scan.read_bytes())
            shop.files.keep(image, ocr_task_id, number)
    task = shop.store.add(application="app", source=None, settings=SETTINGS, ocr_task_id=ocr_task_id)
    for _ in scans[1:]:
        shop.store.add_image(ocr_task_id, lambda _: None)
    return shop.see(task)


def start(shop: Shop, task: StoredTask) -> None:
    assert shop.store.start(shop.see(task), SETTINGS) is not None
    shop.workers.wake()


def test_all_images_of_a_task_are_one_document_and_paid_for(shop: Shop, samples: Path) -> None:
    task = upload(shop, samples / "receipt.png", samples / "letter.jpg")
    start(shop, task)
    done = shop.wait_for(task, C, F)
    assert (done.status, done.error, done.credits) == ("Completed", None, 10)
    first, second = shop.text(task).split("\f")
    assert "Rye bread, sliced" in first
    assert "Harrow & Pell" in second
    assert done.quality["X-Ocr-Pages"] == "2"


def test_a_second_run_that_fails_leaves_nothing_of_the_first(shop: Shop, samples: Path) -> None:
    task = upload(shop, samples / "receipt.png")
    start(shop, task)
    assert shop.wait_for(task, C, F).status == "Completed"
    shop.files.image(task.id).write_bytes(b"no image any more")
    start(shop, task)
    failed = shop.wait_for(task, C, F)
    assert (failed.status, failed.quality) == ("ProcessingFailed", {})
    assert "not an image" in (failed.error or "")
    assert shop.files_of(failed) == []


def test_a_source_that_does_not_exist_fails_its_task_with_one_sentence(shop: Shop, scans: ScanServer) -> None:
    task = shop.wait_for(shop.add(f"{scans.url}/missing.png?signature=secret"), C, F)
    assert task.status == "ProcessingFailed"
    assert task.error == "The source image could not be fetched: 127.0.0.1 answered with HTTP 404."
    assert (task.credits, task.source) == (0, None)
    assert shop.files_of(task) == []


def test_a_source_that_is_no_image_fails_its_task_and_says_so_and_the_next_succeeds(
    shop: Shop, scans: ScanServer
) -> None:
    bad, good = shop.add(f"{scans.url}/letter.txt?signature=secret"), shop.add(f"{scans.url}/receipt.png")
    failed = shop.wait_for(bad, C, F)
    assert failed.status == "ProcessingFailed"
    assert "not an image" in (failed.error or "")
    for word in ("secret", "Traceback", "/", "\n"):
        assert word not in (failed.error or "")
    assert shop.files_of(failed) == []
    assert shop.wait_for(good, C, F).status == "Completed"


def test_a_recognition_process_that_dies_takes_only_its_own_task_along(shop: Shop, scans: ScanServer) -> None:
    doomed = shop.add(f"{scans.url}/minutes.tif")
    shop.wait_for(doomed, P)
    wait_until(lambda: len(recognition_processes()) == 1)
    behind = shop.add(f"{scans.url}/receipt.png")
    (child,) = recognition_processes()
    os.kill(child, signal.SIGKILL)
    failed = shop.wait_for(doomed, C, F)
    assert failed.status == "ProcessingFailed"
    assert "stopped unexpectedly" in (failed.error or "")
    assert shop.files_of(failed) == []
    assert shop.wait_for(behind, C, F).status == "Completed"
    assert child not in recognition_processes()


def test_what_the_disk_refuses_is_tried_again(
    shop: Shop, scans: ScanServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = ["no space left", "no space left"]
    make_folder = shop.files.new_work_folder

    def refuse_twice(ocr_task_id: str) -> Path:
        if refusals:
            raise OSError(refusals.pop())
        return make_folder(ocr_task_id)

    monkeypatch.setattr(shop.files, "new_work_folder", refuse_twice)
    assert shop.wait_for(shop.add(f"{scans.url}/receipt.png"), C, F).status == "Completed"
    assert refusals == []


def test_an_image_that_cannot_be_stored_fails_its_task_without_details(
    shop: Shop, scans: ScanServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str, target: Path) -> None:
        raise OSError(f"no space left for {url} on {target}")

    monkeypatch.setattr(shop.fetcher, "fetch", refuse)
    task = shop.wait_for(shop.add(f"{scans.url}/receipt.png?signature=secret"), C, F)
    assert task.error == "Internal error while the source image was fetched."


class Gate:
    """Answers a request only when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.opened = threading.Event()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.set()
        self.opened.wait(SECONDS)
        request.send_response(200)
        request.send_header("Content-Length", "5")
        request.end_headers()
        request.wfile.write(b"image")


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def test_a_task_that_is_deleted_while_its_image_is_fetched_leaves_nothing_behind(
    shop: Shop, serve: Serve, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_after_deletion: list[list[str]] = []
    delete = shop.files.delete

    def delete_and_look(ocr_task_id: str) -> None:
        assert shop.files.image(ocr_task_id).exists()
        delete(ocr_task_id)
        left_after_deletion.append(shop.files_of(task))

    monkeypatch.setattr(shop.files, "delete", delete_and_look)
    task = shop.add(serve(gate.answer))
    assert gate.asked.wait(SECONDS)
    assert shop.store.move(task.id, Move(S, D), source=None)
    gate.opened.set()
    wait_until(lambda: bool(left_after_deletion))
    assert left_after_deletion == [[]]
    assert shop.see(task).status == "Deleted"


@pytest.fixture
def own_shop(tmp_path: Path, tessdata: Tessdata) -> Iterator[Shop]:
    """Workers that a test may stop."""
    with ExitStack() as stack:
        shop = Shop(tmp_path, tessdata)
        stack.callback(shop.store.close)
        yield shop
        shop.workers.stop()


def test_stopping_is_quick_and_what_was_under_way_is_finished_after_the_next_start(
    own_shop: Shop, scans: ScanServer, serve: Serve, gate: Gate
) -> None:
    held = own_shop.add(serve(gate.answer))
    assert gate.asked.wait(SECONDS)
    running = own_shop.add(f"{scans.url}/receipt.png")
    own_shop.wait_for(running, P)
    waiting = own_shop.add(f"{scans.url}/receipt.png")
    own_shop.wait_for(waiting, Q, P)
    before = set(recognition_processes())
    begin = time.monotonic()
    own_shop.workers.stop()
    assert time.monotonic() - begin < 5
    assert [own_shop.see(task).status for task in (held, running, waiting)] == [S, P, Q]
    # The shared workers' process, if there is one, is the only one left.
    assert len(set(recognition_processes())) < len(before)
    (own_shop.folder / "work" / "leftover").mkdir()
    uploaded = upload(own_shop, own_shop.folder / "tasks.sqlite")
    own_shop.open()
    assert [own_shop.wait_for(task, C, F).status for task in (running, waiting)] == [C, C]
    gate.opened.set()
    # What the gate lets through is no image; that it is looked at shows that it was fetched again.
    assert own_shop.wait_for(held, C, F).status == "ProcessingFailed"
    assert list((own_shop.folder / "work").iterdir()) == []
    # Nobody has asked for it yet.
    assert own_shop.see(uploaded).status == "Submitted"
    assert own_shop.files_of(uploaded) == ["images"]


def test_the_estimate_grows_with_the_queue_and_is_never_nothing(own_shop: Shop) -> None:
    assert own_shop.workers.seconds_until_done() >= 1
    own_shop.workers.stop()
    before = own_shop.workers.seconds_until_done()
    for _ in range(3):
        task = own_shop.store.add(application="app", source="x", settings=SETTINGS)
        own_shop.store.move(task.id, Move(S, Q))
    assert own_shop.workers.seconds_until_done() == 4 * before


@pytest.mark.parametrize(("confidence", "told"), [(91.26, "91.3"), (None, "")])
def test_quality_travels_as_headers(confidence: float | None, told: str) -> None:
    summary = RecognitionSummary(
        pages=3,
        files=(),
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
        "X-Ocr-Word-Confidence": told,
        "X-Ocr-Low-Words": "4",
        "X-Ocr-Rotated-Pages": "2",
        "X-Ocr-Engine": "tesseract 5",
    }
