# SPDX-License-Identifier: Apache-2.0
"""A connection is made and tested where people do it: in Airflow's form, by its API, and on a worker."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.hooks.connection_form import FIELDS
from demo.local_airflow import PASSWORD as UI_PASSWORD
from demo.local_airflow import USER, LocalAirflow
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer
from demo.processes import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

LOCATIONS = list(next(each for each in FIELDS if each.name == "location").choices.values())
ACCEPTED = "accepts the application ID and the password. Left to spend: "


def fields(host: str, **more: Any) -> dict[str, Any]:
    """A connection as the REST API takes it."""
    usual = {"connection_id": "tried", "conn_type": "cloud_ocr", "login": APPLICATION_ID}
    return {**usual, "password": PASSWORD, "host": host, **more}


def on_worker(airflow: LocalAirflow, connection: dict[str, Any]) -> tuple[bool, str]:
    """What a test on a worker comes to."""
    works, words = airflow.test_connection_on_worker(connection, seconds=60)
    if "ServerResponseError" in words:
        # A worker asks Airflow for the connection, may be late because the API server has just started, asks
        # again, and is refused: it may be told only once. That is between the two; the hook was not asked.
        works, words = airflow.test_connection_on_worker(connection, seconds=60)
    return works, words


def test_the_api_tests_a_connection_that_is_not_saved_yet(
    airflow: LocalAirflow, ocr_server: OcrServer
) -> None:
    works, words = airflow.test_connection(fields(ocr_server.url))
    assert works
    assert words.startswith(f"{ocr_server.url} {ACCEPTED}")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"password": "not-the-password"}, "does not accept the application ID and the password"),
        ({"extra": json.dumps({"location": "cloud-eu"})}, "another server's host"),
        ({"extra": json.dumps({"proxy": "http://me:hush-hush@127.0.0.1:1"})}, "The proxy on the way"),
    ],
    ids=["wrong password", "contradiction", "proxy"],
)
def test_the_api_says_what_is_wrong_with_a_connection(
    airflow: LocalAirflow, ocr_server: OcrServer, more: dict[str, Any], words: str
) -> None:
    works, said = airflow.test_connection(fields(ocr_server.url, **more))
    assert not works
    assert words in said
    assert "not-the-password" not in said
    assert "hush-hush" not in said


@pytest.mark.long
def test_a_worker_tests_a_connection(airflow: LocalAirflow, ocr_server: OcrServer) -> None:
    works, words = on_worker(airflow, fields(ocr_server.url))
    assert works, words
    assert ACCEPTED in words
    nobody = f"http://127.0.0.1:{free_port()}"
    works, words = on_worker(airflow, fields(nobody))
    assert not works
    assert f"Cannot connect to {nobody}." in words


@pytest.mark.long
@pytest.mark.parametrize(
    ("conn_id", "status", "words"),
    [("cloud_ocr_default", 0, "Connection success!"), ("cloud_ocr_unreachable", 1, "Cannot connect to")],
)
def test_the_command_line_tests_a_connection(
    airflow: LocalAirflow, conn_id: str, status: int, words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "connections", "test", conn_id],
        env=airflow.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status
    assert words in done.stdout
    assert PASSWORD not in done.stdout + done.stderr


@pytest.fixture(scope="module")
def page(airflow: LocalAirflow) -> Iterator[Page]:
    """Airflow's connections, in a Chromium without a window, after logging in."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("there is no chromium; on Debian: apt install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 1600})
        page.goto(airflow.url)
        page.fill("input[name=username]", USER)
        page.fill("input[name=password]", UI_PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{airflow.url}/connections")
        yield page
        browser.close()


def opened(page: Page, section: str) -> Locator:
    """The form after one of its sections was opened, which closes the others."""
    form = page.get_by_role("dialog")
    form.get_by_role("button", name=section, exact=True).click()
    return form


def test_a_connection_is_made_in_the_form_and_tested_by_its_button(
    page: Page, ocr_server: OcrServer, airflow: LocalAirflow
) -> None:
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox").click()
    page.keyboard.type("Cloud OCR")
    page.keyboard.press("Enter")
    form.get_by_label("Connection ID").fill("made_in_the_form")
    # The port is a field of its own here: the button of Airflow 3.3.2 fails for whoever leaves it empty.
    form.get_by_label("Own server's URL").fill("http://127.0.0.1")
    form.get_by_label("Port").fill(str(ocr_server.port))
    form.get_by_label("Application ID").fill(APPLICATION_ID)
    form.get_by_label("Application password").fill(PASSWORD)
    assert form.get_by_label("Application password").get_attribute("type") == "password"

    form = opened(page, "Extra Fields")
    form.get_by_role("combobox").nth(1).click()
    assert [option.inner_text() for option in page.get_by_role("option").all()] == LOCATIONS
    page.get_by_role("option", name="Own server").click()
    assert form.locator("#element_proxy").get_attribute("type") == "password"
    for each in FIELDS:
        assert form.get_by_text(each.label).is_visible()
        assert form.get_by_text(each.description).is_visible()
    form.get_by_role("button", name="Save").click()

    row = page.get_by_role("row", name=re.compile("made_in_the_form"))
    row.get_by_role("button", name="Test Connection").click()
    page.get_by_text(re.compile(re.escape(ACCEPTED))).wait_for()
