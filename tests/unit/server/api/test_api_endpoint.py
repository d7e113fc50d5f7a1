# SPDX-License-Identifier: Apache-2.0
"""Nothing is received before it is clear who sends it and that there is room; a key makes one task."""

from __future__ import annotations

import base64
import errno
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa

from airflow_provider_ocr.server.accounts.login_delay import TooManyAttemptsError
from airflow_provider_ocr.server.accounts.passwords import hash_password
from airflow_provider_ocr.server.api.admission import Admission
from airflow_provider_ocr.server.api.answers import try_again
from airflow_provider_ocr.server.api.api_endpoint import _refused
from airflow_provider_ocr.server.api.upload import _Image
from airflow_provider_ocr.server.files.spool import Spool
from airflow_provider_ocr.server.records.database import tasks as tasks_table
from airflow_provider_ocr.server.workers.children import Measurement
from tests.unit.server.scans import pdf, png

if TYPE_CHECKING:
    from tests.unit.server.conftest import Site

AUTH = ("my app", "pass:word")
REMOTE = {"source": "https://example.com/x.png", "exportFormat": "txt"}
LARGE = 25 * 2**20


def ids(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return re.findall('<task id="([0-9a-f-]{36})"', answer.text)


def head_of_upload(site: Site, *, password: str = AUTH[1], expect: str = "") -> bytes:
    """The answer to a large upload of which only the head is sent."""
    address = urlsplit(site.url)
    credentials = base64.b64encode(f"{AUTH[0]}:{password}".encode()).decode()
    lines = [
        "POST /processImage?exportFormat=txt HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: Basic {credentials}",
        f"Content-Length: {LARGE}",
        *([f"Expect: {expect}"] if expect else []),
    ]
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b""
        while b"</error>" not in received:
            piece = connection.recv(65536)
            assert piece, received
            received += piece
        return received


@contextmanager
def full_spool(site: Site) -> Iterator[None]:
    """An image is waiting that leaves no room for another, as of a second ago."""
    (ocr_task_id,) = ids(requests.post(f"{site.url}/submitImage", data=png(), auth=AUTH, timeout=10))
    update = sa.update(tasks_table).where(tasks_table.c.id == ocr_task_id)
    with site.backend.tasks.database.write() as connection:
        connection.execute(update.values(image_bytes=2**41))
    time.sleep(1.1)
    yield
    site.get("deleteTask", taskId=ocr_task_id)
    time.sleep(1.1)


def test_without_room_nothing_is_received_or_accepted_and_what_needs_none_is_answered(site: Site) -> None:
    ocr_task_id = site.submit()
    with full_spool(site):
        listed = site.get("listTasks").content
        answers = [
            site.get("processRemoteImage", "my app", "", **REMOTE),
            requests.post(f"{site.url}/processImage?exportFormat=txt", data=png(), auth=AUTH, timeout=10),
            requests.post(f"{site.url}/submitImage", data=png(), auth=AUTH, timeout=10),
        ]
        for answer in answers:
            site.check_error(answer, 503, "try again later")
            assert int(answer.headers["Retry-After"]) >= 1
        for expect in ("", "100-continue"):
            received = head_of_upload(site, expect=expect)
            assert received.startswith(b"HTTP/1.1 503 ")
            assert b"100 Continue" not in received
        assert site.get("listTasks").content == listed
        assert site.get("getTaskStatus", taskId=ocr_task_id).status_code == 200
        assert site.get("getApplicationInfo").status_code == 200
        # Who does not say who he is, does not learn about the spool.
        site.check_error(site.get("processRemoteImage", None, "", **REMOTE), 401)
    assert ids(site.get("processRemoteImage", "my app", "", **REMOTE))


@pytest.mark.parametrize("path", ["submitImage", "processImage?exportFormat=txt"])
def test_a_disk_that_is_full_while_an_image_arrives_is_told_as_a_full_spool(
    path: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    listed = site.get("listTasks").content
    monkeypatch.setattr(_Image, "write", full)
    answer = requests.post(f"{site.url}/{path}", data=png(), auth=AUTH, timeout=10)
    site.check_error(answer, 503, "disk of the server is nearly full")
    assert int(answer.headers["Retry-After"]) >= 1
    assert not list(site.backend.files._incoming.iterdir())
    assert site.get("listTasks").content == listed


def test_an_upload_for_which_there_is_no_room_as_long_as_it_says_to_be_is_not_received(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, asked = Spool.room, []

    def narrow(spool: Spool, *, expected_bytes: int = 0) -> None:
        asked.append(expected_bytes)
        room(spool, expected_bytes=expected_bytes * 2**20)

    monkeypatch.setattr(Spool, "room", narrow)
    received = head_of_upload(site, expect="100-continue")
    assert received.startswith(b"HTTP/1.1 503 ")
    assert b"100 Continue" not in received
    assert ids(site.get("processRemoteImage", "my app", "", **REMOTE))
    assert asked == [LARGE, 0]


def test_without_the_password_nothing_is_received(site: Site) -> None:
    for expect in ("", "100-continue"):
        received = head_of_upload(site, password="wrong", expect=expect)
        assert received.startswith(b"HTTP/1.1 401 ")
        assert b"100 Continue" not in received
        assert b'www-authenticate: basic realm="cloud ocr"' in received.lower()
        assert b'<error><message language="english">' in received


def test_unknown_names_wrong_passwords_and_disabled_applications_get_the_same_answer(site: Site) -> None:
    site.backend.applications.add("closed", hash_password("x"))
    site.backend.applications.set_disabled("closed", True)
    credentials = [("my app", "wrong"), ("nobody", "pass:word"), ("closed", "x"), ("", ""), None]
    answers = [requests.get(f"{site.url}/listTasks", auth=auth, timeout=10) for auth in credentials]
    for answer in answers:
        site.check_error(answer, 401)
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["WWW-Authenticate"] for answer in answers}) == 1


def test_an_application_that_is_disabled_is_shut_out_at_once_and_its_tasks_stay(site: Site) -> None:
    assert site.get("listTasks", application="other").status_code == 200
    site.backend.applications.set_disabled("other", True)
    site.check_error(site.get("listTasks", application="other"), 401)
    site.backend.applications.set_disabled("other", False)
    assert site.get("listTasks", application="other").status_code == 200


def test_an_upload_that_breaks_off_leaves_nothing(site: Site) -> None:
    before = site.get("listTasks").content
    address = urlsplit(site.url)
    credentials = base64.b64encode(":".join(AUTH).encode()).decode()
    head = (
        f"POST /processImage?exportFormat=txt HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Basic {credentials}\r\nContent-Length: 100000\r\n\r\n"
    )
    incoming = site.backend.files._incoming
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode() + png()[:500])
        deadline = time.monotonic() + 10
        while not list(incoming.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    while list(incoming.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert site.get("listTasks").content == before


@pytest.mark.parametrize("method", ["processRemoteImage", "processImage", "submitImage", "processDocument"])
@pytest.mark.parametrize("header", ["Idempotency-Key", "idempotency-key"])
def test_a_key_makes_one_task_however_often_it_comes(method: str, header: str, site: Site) -> None:
    url = f"{site.url}/{method}"
    query = REMOTE if method == "processRemoteImage" else {"exportFormat": "txt"}
    if method == "processDocument":
        query = {**query, "taskId": site.upload()}
    if method == "submitImage":
        query = {}
    image = png() if method in ("processImage", "submitImage") else b""
    key = f"{method} {header}"

    def ask(value: str, auth: tuple[str, str] = AUTH) -> requests.Response:
        headers = {header: value}
        return requests.post(url, params=query, data=image, headers=headers, auth=auth, timeout=10)

    (made,) = ids(ask(key))
    assert ids(ask(key)) == ids(ask(f"{key}  ")) == [made]
    if method == "processDocument":
        site.check_error(ask(f"{key} another"), 450, "taskId: ", "cannot be started now")
    else:
        assert ids(ask(f"{key} another")) != [made]
        assert ids(ask(key, ("other", "secret"))) != [made]
        assert ids(ask("")) != ids(ask(""))
    site.check_error(ask("k" * 256), 450, "Idempotency-Key: ")


def test_an_image_is_refused_by_what_is_wrong_with_it(site: Site) -> None:
    table = [
        (b"", 450, "image: "),
        (b"<html>", 551, "of no type that can be read"),
        (pdf(password="open"), 450, "pdfPassword: "),
        (pdf(printable=False), 551, "print"),
    ]
    for path in ("processImage?exportFormat=txt", "submitImage"):
        for image, status, said in table:
            answer = requests.post(f"{site.url}/{path}", data=image, auth=AUTH, timeout=10)
            site.check_error(answer, status, said)


def test_an_image_that_cannot_be_paid_for_is_a_success_with_its_status(site: Site) -> None:
    site.backend.applications.add("thrifty", hash_password("secret"), credits=4)
    url = f"{site.url}/processImage?exportFormat=txt"
    answer = requests.post(url, data=png(), auth=("thrifty", "secret"), timeout=10)
    assert answer.status_code == 200
    assert 'status="NotEnoughCredits" filesCount="1" credits="5"' in answer.text
    assert "estimatedProcessingTime" not in answer.text
    told = site.get("getApplicationInfo", application="thrifty", password="secret").text
    assert "<pages>0</pages><fields>4</fields>" in told


def test_images_that_are_slow_to_open_hold_no_other_request_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocr_task_id, measure = site.submit(), Admission._measure_admitted
    begun, go_on = threading.Semaphore(0), threading.Event()
    opening: list[str] = []

    def slow(admission: Admission, images: Sequence[Path], **options: Any) -> Measurement:
        opening.append(options["application"])
        begun.release()
        assert go_on.wait(30)
        return measure(admission, images, **options)

    def upload(auth: tuple[str, str]) -> int:
        return requests.post(f"{site.url}/submitImage", data=png(), auth=auth, timeout=60).status_code

    monkeypatch.setattr(Admission, "_measure_admitted", slow)
    with ThreadPoolExecutor(46) as threads:
        uploads = [threads.submit(upload, AUTH) for _ in range(45)]
        try:
            for _ in range(4):
                assert begun.acquire(timeout=10)
            begin = time.monotonic()
            assert site.get("getTaskStatus", taskId=ocr_task_id).status_code == 200
            uploads.append(threads.submit(upload, ("other", "secret")))
            assert begun.acquire(timeout=10)
            assert time.monotonic() - begin < 5
            assert sorted(opening) == ["my app"] * 4 + ["other"]
        finally:
            go_on.set()
        assert [ended.result() for ended in uploads] == [200] * 46


def test_too_many_log_ins_are_told_to_come_back() -> None:
    answer = _refused(TooManyAttemptsError(8))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "8")
    assert answer.body == try_again(429, str(TooManyAttemptsError(8)), after_seconds=8).body
