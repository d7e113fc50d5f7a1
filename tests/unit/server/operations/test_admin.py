# SPDX-License-Identifier: Apache-2.0
"""The operator's pages over HTTP, and the status page as a browser shows it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.operations import admin as admin_module
from airflow_provider_ocr.server.operations.admin import AdminServer, create_admin_app
from airflow_provider_ocr.server.operations.statistics import ApplicationCredits, Statistics

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = "<script>document.title='canary'</script>"
BUSY = Statistics(
    tasks={TaskStatus.QUEUED: 1250, TaskStatus.IN_PROGRESS: 2, TaskStatus.COMPLETED: 5000},
    queued_seconds=7500,
    pages_per_minute=7.25,
    pages_total=98765,
    failed_total=3,
    workers=2,
    busy_workers=1,
    spool_bytes=19 * 2**30,
    spool_limit_bytes=20 * 2**30,
    free_bytes=60 * 2**30,
    disk_bytes=100 * 2**30,
    applications=(
        ApplicationCredits(name="invoices", credits=12345, reserved=10, used=90),
        ApplicationCredits(name=HOSTILE, credits=None, reserved=0, used=5),
    ),
)
IDLE = Statistics(
    tasks={},
    queued_seconds=0,
    pages_per_minute=0,
    pages_total=0,
    failed_total=0,
    workers=1,
    busy_workers=0,
    spool_bytes=0,
    spool_limit_bytes=0,
    free_bytes=0,
    disk_bytes=0,
)


class Moment:
    """Statistics that a test changes."""

    def __init__(self, now: Statistics) -> None:
        self.now: Statistics | None = now

    def __call__(self) -> Statistics:
        if self.now is None:
            raise ConnectionError("canary: the database is gone")
        return self.now


@pytest.fixture
def moment() -> Moment:
    return Moment(BUSY)


@pytest.fixture
def url(moment: Moment) -> Iterator[str]:
    """Where the pages are."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = AdminServer(create_admin_app(statistics=moment), listener)
        server.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.stop()


def test_metrics_health_and_status_have_their_types_and_are_not_kept(url: str) -> None:
    for path, kind, part in (
        ("/", "text/html", "<h1>Cloud OCR server</h1>"),
        ("/status.css", "text/css", "body"),
        ("/metrics", "text/plain", 'cloud_ocr_tasks{status="Queued"} 1250.0'),
        ("/health", "text/plain", "ok\n"),
    ):
        answer = requests.get(url + path, timeout=10)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert part in answer.text


def test_nothing_else_is_there_and_nothing_can_be_changed(url: str) -> None:
    assert requests.get(f"{url}/getApplicationInfo", timeout=10).status_code == 404
    assert requests.get(f"{url}/results/x/1", timeout=10).status_code == 404
    for path in ("/", "/metrics", "/health"):
        assert requests.post(url + path, timeout=10).status_code == 405


def test_the_page_has_names_in_it_and_no_markup_of_theirs(url: str) -> None:
    page = requests.get(url, timeout=10).text
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_what_cannot_be_read_is_logged_and_not_shown(
    url: str, moment: Moment, caplog: pytest.LogCaptureFixture
) -> None:
    moment.now = None
    for path in ("/", "/metrics"):
        answer = requests.get(url + path, timeout=10)
        assert answer.status_code == 500
        assert answer.text == "The statistics could not be read; the server's log says why.\n"
        assert "canary: the database is gone" in caplog.text
        caplog.clear()
    assert requests.get(f"{url}/health", timeout=10).status_code == 200


def test_the_server_can_be_stopped_before_anybody_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = AdminServer(create_admin_app(statistics=Moment(IDLE)), listener)
        server.start()
        server.stop()
        server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A Chromium without a window."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("there is no chromium; on Debian: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: object, url: str) -> Iterator[Page]:
    """The status page, in a browser that may run no scripts."""
    from playwright.sync_api import Browser

    assert isinstance(browser, Browser)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def rows(page: Page, table: str) -> list[list[str]]:
    """What a table shows, without its bars."""
    return [
        [cell.inner_text() for cell in row.locator("th, td:not(.bar)").all()]
        for row in page.locator(f"#{table} tbody tr").all()
    ]


def test_a_browser_shows_all_numbers(page: Page) -> None:
    assert page.title() == "1,250 queued · Cloud OCR server"
    for name, text in (
        ("pages-per-minute", "7.2"),
        ("queue-age", "2 h 5 min"),
        ("workers", "1 of 2"),
        ("failed", "3"),
        ("pages", "98,765"),
    ):
        assert page.locator(f"#{name}").inner_text() == text
    assert rows(page, "tasks") == [
        [status, {"Queued": "1,250", "InProgress": "2", "Completed": "5,000"}.get(status, "0")]
        for status in TaskStatus
    ]
    assert rows(page, "credits") == [["invoices", "12,345", "10", "90"], [HOSTILE, "unlimited", "0", "5"]]
    assert rows(page, "space") == [["Spool", "19.0 GB", "20.0 GB"], ["Disk", "40.0 GB", "100.0 GB"]]
    assert page.get_by_text(f"airflow-provider-ocr {__version__}").is_visible()


def test_bars_are_as_long_as_their_numbers_and_drawn(page: Page) -> None:
    for name, value, most in (
        ("Queued", 1250, 5000),
        ("Completed", 5000, 5000),
        ("Spool", 19 * 2**30, 20 * 2**30),
        ("Disk", 40 * 2**30, 100 * 2**30),
    ):
        bar = page.get_by_role("meter", name=name, exact=True)
        assert bar.get_attribute("max") == str(most)
        assert bar.get_attribute("value") == str(value)
        box = bar.bounding_box()
        assert box is not None
        assert box["width"] > 200


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_fits_telephones_and_screens(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    box = page.locator("main").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    for table in ("tasks", "credits", "space"):
        inner = page.locator(f"section:has(#{table})").bounding_box()
        assert inner is not None
        assert inner["x"] + inner["width"] <= width


@pytest.fixture
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh comes sooner."""
    monkeypatch.setattr(admin_module, "_REFRESH_SECONDS", 1)


@pytest.mark.usefixtures("_hurry")
def test_the_page_refreshes_itself_without_scripts(page: Page, moment: Moment) -> None:
    moment.now = replace(BUSY, busy_workers=2)
    page.locator("#workers", has_text="2 of 2").wait_for(timeout=30_000)


def test_an_idle_server_says_so(page: Page, moment: Moment) -> None:
    moment.now = IDLE
    page.reload()
    assert page.locator("#queue-age").inner_text() == "nobody waits"
    assert "applications add NAME" in page.locator("#credits").inner_text()
    assert rows(page, "tasks") == [[status, "0"] for status in TaskStatus]
    assert page.get_by_role("meter").count() == len(TaskStatus) + 2
