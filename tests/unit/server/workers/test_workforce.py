# SPDX-License-Identifier: Apache-2.0
"""Accepted tasks are carried out to their ends, through stops and starts and by several servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.records.database import Database, now_ms
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.workers import workforce as workforce_module
from airflow_provider_ocr.server.workers.measuring import Measuring
from tests.unit.server.scans import png, tiff
from tests.unit.server.shop import SECONDS, Shop, wait_until

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


class Gate:
    """Serves an image when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.opened = threading.Event()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked += 1
        self.opened.wait(SECONDS)
        image = png("Rye bread")
        request.send_response(200)
        request.send_header("Content-Length", str(len(image)))
        request.end_headers()
        request.wfile.write(image)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def new_shop(
    tmp_path: Path, tessdata: Tessdata, measuring: Measuring, database: Database
) -> Iterator[Callable[..., Shop]]:
    """Servers on one database and one folder, each with its name, for the test to open."""
    with ExitStack() as stack:

        def made(server: str = "here") -> Shop:
            shop = Shop(tmp_path, database, tessdata=tessdata, measuring=measuring, server=server)
            stack.callback(shop.close)
            return shop

        yield made


def test_a_remote_image_is_fetched_recognised_published_and_charged(
    new_shop: Callable[..., Shop], serve: Serve, gate: Gate
) -> None:
    shop = new_shop()
    shop.open()
    ocr_task_id = shop.fetch(f"{serve(gate.answer)}/x.png?signature=x")
    assert shop.see(ocr_task_id).status == "Submitted"
    gate.opened.set()
    task = shop.wait_for(ocr_task_id)
    assert (task.status, task.error, task.credits, task.source) == ("Completed", None, 5, None)
    assert shop.words(ocr_task_id) == ["Rye", "bread"]
    assert [entry.credits for entry in shop.applications.ledger("app")] == [-5]


def test_a_stop_is_quick_and_what_was_under_way_is_finished_after_the_next_start(
    new_shop: Callable[..., Shop], serve: Serve, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="cloud_ocr_server")
    shop = new_shop()
    fetched = shop.fetch(serve(gate.answer))
    running, waiting = shop.process(tiff(*["Plum jam"] * 40)), shop.process(png("Tea time"))
    uploaded = shop.call("submitImage", image=png()).id
    shop.open()
    wait_until(lambda: gate.asked == 1 and f"task {running}: page 2" in caplog.text)
    begin = time.monotonic()
    shop.close()
    assert time.monotonic() - begin < 5
    stopped = [shop.see(ocr_task_id) for ocr_task_id in (fetched, running, waiting)]
    assert [task.status for task in stopped] == ["Submitted", "InProgress", "Queued"]
    assert [task.lease for task in stopped] == [None] * 3
    gate.opened.set()
    shop.open()
    tasks = [shop.wait_for(ocr_task_id) for ocr_task_id in (fetched, running, waiting)]
    assert [(task.status, task.error) for task in tasks] == [("Completed", None)] * 3
    assert gate.asked == 2
    assert [shop.words(task.id)[:2] for task in tasks] == [["Rye", "bread"], ["Plum", "jam"], ["Tea", "time"]]
    assert sorted(entry.credits for entry in shop.applications.ledger("app")) == [-200, -5, -5]
    # Nobody has asked for it yet.
    assert shop.see(uploaded).status == "Submitted"


def test_a_start_takes_up_what_a_crash_of_this_server_left_and_not_what_another_server_does(
    new_shop: Callable[..., Shop], serve: Serve, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="cloud_ocr_server")
    gate.opened.set()
    here, elsewhere = new_shop(), new_shop("elsewhere")
    mine, theirs = here.process(png()), here.process(png())
    for shop, ocr_task_id in ((here, mine), (elsewhere, theirs)):
        claimed = shop.work.claim()
        assert claimed is not None
        assert claimed.id == ocr_task_id
    fetching = here.fetch(serve(gate.answer))
    assert here.work.claim_source(fetching)
    here.open()
    assert here.wait_for(mine).status == here.wait_for(fetching).status == "Completed"
    assert "taking up 2 interrupted and 1 unfetched tasks" in caplog.text
    task = here.see(theirs)
    assert (task.status, (task.lease or "").partition("-")[0]) == ("InProgress", "elsewhere")
    # It has died, and its lease ends.
    here.set_columns(theirs, lease_until_ms=now_ms() - 1)
    assert here.wait_for(theirs).status == "Completed"


def test_tasks_whose_fetch_was_given_up_are_found_by_looking_again(
    new_shop: Callable[..., Shop],
    serve: Serve,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(workforce_module, "_LOOK_SECONDS", 0.02)
    gate.opened.set()
    shop, refusals = new_shop(), threading.Semaphore(2)
    unfetched = shop.work.unfetched

    def refuse_twice() -> list[StoredTask]:
        if refusals.acquire(blocking=False):
            raise sa.exc.OperationalError("the database is away", None, Exception())
        return unfetched()

    shop.open()
    monkeypatch.setattr(shop.work, "unfetched", refuse_twice)
    # As another server leaves it that dies before it has its order.
    ocr_task_id = shop.store.add_remote(
        application="app", source=serve(gate.answer), settings=shop.see(shop.process(png())).settings
    ).id
    assert shop.wait_for(ocr_task_id).status == "Completed"
    assert caplog.text.count("could not be read") == 2


def test_the_estimate_grows_with_the_pages_that_wait_and_is_never_nothing(
    new_shop: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workforce_module, "_COUNT_SECONDS", -1.0)
    shop = new_shop()
    first = shop.see(shop.process(png()))
    alone = shop.workforce.seconds_until_done(first)
    assert alone >= 1
    shop.process(tiff(*["Tea"] * 9), "other")
    last = shop.see(shop.process(png()))
    assert shop.workforce.seconds_until_done(last) == 11 * alone
    running = shop.work.claim()
    assert running is not None
    # What is recognised now waits for nobody.
    assert shop.workforce.seconds_until_done(running) == alone
    assert shop.call("getTaskStatus", taskId=last.id).estimated_processing_time == 11 * alone


def test_two_servers_on_one_database_share_the_work_and_no_document_is_done_twice(
    new_shop: Callable[..., Shop], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="cloud_ocr_server")
    here, elsewhere = new_shop(), new_shop("elsewhere")
    tasks = [here.process(tiff("Rye bread", "Plum jam")) for _ in range(8)]
    here.open()
    elsewhere.open()
    assert {here.wait_for(ocr_task_id).status for ocr_task_id in tasks} == {"Completed"}
    here.close()
    elsewhere.close()  # a task is seen to be completed a moment before that is logged
    messages = [record.getMessage() for record in caplog.records]
    assert all(messages.count(f"task {ocr_task_id}: completed") == 1 for ocr_task_id in tasks)
    assert all(messages.count(f"task {ocr_task_id}: page 1 of 2") == 1 for ocr_task_id in tasks)
    assert sorted(entry.ocr_task_id or "" for entry in here.applications.ledger("app")) == sorted(tasks)
