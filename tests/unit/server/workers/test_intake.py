# SPDX-License-Identifier: Apache-2.0
"""A remote image is held, measured and queued, or its task says in one sentence why not."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest

from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.records.database import Database, now_ms
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.sources.fetching import FetchOrder
from airflow_provider_ocr.server.workers.measuring import Measuring
from tests.unit.server.scans import pdf, png, tiff
from tests.unit.server.shop import SECONDS, Shop

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(tmp_path: Path, tessdata: Tessdata, measuring: Measuring, database: Database) -> Iterator[Shop]:
    """A server of which only the intake works, when a test lets it."""
    shop = Shop(tmp_path, database, tessdata=tessdata, measuring=measuring)
    yield shop
    shop.close()


class Source:
    """Serves one image.

    :param content: its bytes; None for an answer of HTTP 404.
    """

    def __init__(self, content: bytes | None) -> None:
        self.content = content
        self.asked = 0
        self.before_answer: Callable[[], object] = lambda: None

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked += 1
        self.before_answer()
        request.send_response(404 if self.content is None else 200)
        request.send_header("Content-Length", str(len(self.content or b"")))
        request.end_headers()
        request.wfile.write(self.content or b"")


def fetch(shop: Shop, ocr_task_id: str) -> StoredTask:
    """The task after its image was fetched, or not."""
    order = FetchOrder(ocr_task_id=ocr_task_id, application="app", url="")
    shop.intake.fetch(order)
    return shop.see(ocr_task_id)


def images(shop: Shop, ocr_task_id: str) -> list[bytes]:
    with shop.files.local_images(ocr_task_id, 1) as found:
        return [image.read_bytes() for image in found]


def test_a_remote_image_is_held_measured_and_queued_and_its_source_forgotten(
    shop: Shop, serve: Serve
) -> None:
    shop.applications.credit("app", 10)
    image = tiff("One", "Two")
    ocr_task_id = shop.fetch(f"{serve(Source(image).answer)}/x?signature=secret")
    before = shop.see(ocr_task_id)
    assert (before.status, before.credits, before.files_count) == ("Submitted", 0, 1)
    assert "secret" in (before.source or "")
    task = fetch(shop, ocr_task_id)
    assert (task.status, task.source, task.pages, task.credits) == ("Queued", None, 2, 10)
    assert (task.image_bytes, task.lease) == (len(image), None)
    assert images(shop, ocr_task_id) == [image]
    assert shop.call("getApplicationInfo").fields == 0


def test_a_remote_image_that_cannot_be_paid_for_is_held_and_resumes_after_a_top_up(
    shop: Shop, serve: Serve
) -> None:
    shop.applications.credit("app", 7)
    source = Source(tiff("One", "Two"))
    ocr_task_id = shop.fetch(serve(source.answer))
    task = fetch(shop, ocr_task_id)
    assert (task.status, task.credits, task.source) == ("NotEnoughCredits", 10, None)
    assert images(shop, ocr_task_id) == [source.content]
    shop.applications.credit("app", 3)
    shop.again(ocr_task_id)
    assert shop.see(ocr_task_id).status == "Queued"
    assert source.asked == 1


@one_database
@pytest.mark.parametrize(
    ("content", "password", "said"),
    [
        (None, "", "127.0.0.1 answered with HTTP 404"),
        (b"<html>", "", "image"),
        (b"", "", ""),
        (png()[:20], "", ""),
        (pdf(password="open"), "", "password"),
        (pdf(password="open"), "shut", "pdfPassword"),
        (pdf(printable=False), "", "print"),
    ],
    ids=["missing", "html", "empty", "damaged", "no-password", "wrong-password", "not-printable"],
)
def test_an_image_that_cannot_be_had_or_recognised_fails_its_task_with_one_sentence(
    content: bytes | None, password: str, said: str, *, shop: Shop, serve: Serve
) -> None:
    source = f"{serve(Source(content).answer)}/x?signature=secret"
    query = {"source": source, "exportFormat": "txt", "pdfPassword": password}
    ocr_task_id = shop.call("processRemoteImage", **query).id
    task = fetch(shop, ocr_task_id)
    assert (task.status, task.credits, task.source) == ("ProcessingFailed", 0, None)
    assert shop.pace.failures_total == 1
    assert task.settings.pdf_password == ""
    assert task.error
    assert said in task.error
    assert task.error.endswith(".")
    for word in ("secret", "Traceback", str(shop.folder), "\n"):
        assert word not in task.error
    assert shop.files_of(ocr_task_id) == []
    assert list((shop.folder / "incoming").iterdir()) == []


@one_database
def test_a_protected_pdf_is_queued_with_the_password_that_opens_it(shop: Shop, serve: Serve) -> None:
    source = serve(Source(pdf(password="open")).answer)
    query = {"source": source, "exportFormat": "txt", "pdfPassword": "open"}
    task = fetch(shop, shop.call("processRemoteImage", **query).id)
    assert (task.status, task.settings.pdf_password) == ("Queued", "open")


def test_the_image_of_a_task_that_is_deleted_meanwhile_is_not_kept(shop: Shop, serve: Serve) -> None:
    source = Source(png())
    ocr_task_id = shop.fetch(serve(source.answer))
    refused = []

    def delete() -> None:
        refused.append(shop.call("deleteTask", taskId=ocr_task_id).status)

    source.before_answer = delete
    assert fetch(shop, ocr_task_id).status == "Deleted"
    assert (refused, shop.files_of(ocr_task_id)) == (["Deleted"], [])


def test_no_image_is_fetched_for_a_task_that_is_gone_or_another_servers(shop: Shop, serve: Serve) -> None:
    source = Source(png())
    gone, theirs = shop.fetch(serve(source.answer)), shop.fetch(serve(source.answer))
    shop.call("deleteTask", taskId=gone)
    shop.set_columns(theirs, lease="other-1", lease_until_ms=now_ms() + 60_000)
    assert [fetch(shop, ocr_task_id).status for ocr_task_id in (gone, theirs)] == ["Deleted", "Submitted"]
    assert source.asked == 0


def test_whoever_loses_a_task_while_fetching_changes_nothing(shop: Shop, serve: Serve) -> None:
    source = Source(png())
    ocr_task_id = shop.fetch(serve(source.answer))
    taken = {"lease": "other-1", "lease_until_ms": now_ms() + 60_000}
    source.before_answer = lambda: shop.set_columns(ocr_task_id, **taken)
    task = fetch(shop, ocr_task_id)
    assert (task.status, task.lease, task.source is None) == ("Submitted", "other-1", False)
    source.content = None
    task = fetch(shop, ocr_task_id)
    assert (task.status, task.error) == ("Submitted", None)


def test_a_stop_puts_the_task_back_and_the_image_is_fetched_after_the_next_start(
    shop: Shop, serve: Serve
) -> None:
    source, asked, opened = Source(png()), threading.Event(), threading.Event()

    def wait() -> None:
        asked.set()
        opened.wait(SECONDS)

    source.before_answer = wait
    ocr_task_id = shop.fetch(serve(source.answer))
    fetching = threading.Thread(target=fetch, args=(shop, ocr_task_id))
    fetching.start()
    assert asked.wait(SECONDS)
    shop.fetcher.close()
    fetching.join(SECONDS)
    assert not fetching.is_alive()
    opened.set()
    task = shop.see(ocr_task_id)
    assert (task.status, task.lease, task.error, task.faults) == ("Submitted", None, None, 0)
    assert list((shop.folder / "incoming").iterdir()) == []
    shop.close()  # a new fetcher
    assert fetch(shop, ocr_task_id).status == "Queued"


def test_what_the_disk_refuses_is_tried_again_later(
    shop: Shop, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(png())
    ocr_task_id = shop.fetch(serve(source.answer))

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patch:
        patch.setattr(shop.files, "keep", refuse)
        task = fetch(shop, ocr_task_id)
        assert (task.status, task.lease, task.faults, task.error) == ("Submitted", None, 1, None)
        # Not before some time is over.
        assert shop.work.unfetched() == []
        fetch(shop, ocr_task_id)
        assert source.asked == 1
    shop.set_columns(ocr_task_id, lease_until_ms=0)
    assert [task.id for task in shop.work.unfetched()] == [ocr_task_id]
    assert fetch(shop, ocr_task_id).status == "Queued"


def test_what_the_server_goes_on_failing_at_fails_in_the_end_and_leaves_no_file(
    shop: Shop, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, pauses = Source(png()), []
    ocr_task_id = shop.fetch(f"{serve(source.answer)}/x?signature=secret")

    def refuse(*_: object) -> bool:
        raise OSError(errno.EIO, "the disk of the database is broken")

    monkeypatch.setattr(shop.work, "fetched", refuse)
    while fetch(shop, ocr_task_id).status == "Submitted":
        assert shop.files_of(ocr_task_id) == ["images"]
        pauses.append(shop.column(ocr_task_id, "lease_until_ms") - now_ms())
        shop.set_columns(ocr_task_id, lease_until_ms=0)
    assert len(pauses) == 5
    assert all(later > 1.5 * earlier > 0 for earlier, later in pairwise(pauses))
    task = shop.see(ocr_task_id)
    assert (task.status, task.source) == ("ProcessingFailed", None)
    assert task.error == "Internal error of the server; its log says more."
    assert shop.files_of(ocr_task_id) == []
