# SPDX-License-Identifier: Apache-2.0
"""Images arrive whole from clients of all kinds, are counted as they come, and leave nothing if refused."""

from __future__ import annotations

import http.client
import re
import socket
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import requests

from airflow_provider_ocr.server.api import upload as upload_module
from tests.unit.server import scans

if TYPE_CHECKING:
    from tests.unit.server.conftest import Site

AUTH = ("my app", "pass:word")
PNG = scans.png() + bytes(range(256)) * 400 + b"\r\n--\r\n"
PATH = "processImage?exportFormat=txt"
LIMIT = 100_000


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_module, "MAX_IMAGE_BYTES", LIMIT)
    monkeypatch.setattr(upload_module, "_ENVELOPE_BYTES", 1000)


@pytest.fixture(autouse=True)
def _nothing_left(site: Site) -> Iterator[None]:
    """However an upload ends, nothing of it stays where it came in."""
    yield
    deadline = time.monotonic() + 5
    while list(site.backend.files._incoming.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def held(site: Site, answer: requests.Response) -> bytes:
    """The image of the task that an answer tells of."""
    assert answer.status_code == 200, answer.text
    (ocr_task_id,) = re.findall('<task id="([0-9a-f-]{36})"', answer.text)
    with site.backend.files.local_images(str(ocr_task_id), 1) as (image,):
        return image.read_bytes()


def post(site: Site, body: object = None, path: str = PATH, **options: object) -> requests.Response:
    return requests.post(f"{site.url}/{path}", data=body, auth=AUTH, timeout=20, **options)  # type: ignore[arg-type]  # as the caller has them


def form(*parts: tuple[str, bytes], end: bytes = b"--B--\r\n") -> bytes:
    """A multipart form: the Content-Disposition and the content of each part."""
    return (
        b"".join(
            b"--B\r\nContent-Disposition: " + head.encode() + b"\r\n\r\n" + body + b"\r\n"
            for head, body in parts
        )
        + end
    )


FORM = {"Content-Type": "multipart/form-data; boundary=B"}
FILE = 'form-data; name="file"; filename="a.png"'


@pytest.mark.parametrize("kind", [None, "application/octet-stream", "image/png", "text/xml", "nonsense;;"])
@pytest.mark.parametrize("path", [PATH, "SUBMITIMAGE"])
def test_a_raw_body_is_the_image_whatever_its_type(path: str, kind: str | None, site: Site) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    assert held(site, post(site, PNG, path, headers=headers)) == PNG


def test_a_raw_body_under_the_type_of_a_form_is_the_image_as_python_and_curl_send_it(site: Site) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert held(site, post(site, PNG, headers=headers)) == PNG


def test_a_body_may_come_in_chunks_without_a_length(site: Site) -> None:
    assert held(site, post(site, iter([PNG[:10], PNG[10:70_000], PNG[70_000:]]))) == PNG


def test_the_file_of_a_multipart_form_is_the_image(site: Site) -> None:
    assert held(site, post(site, files={"file": ("a b.png", PNG, "image/png")})) == PNG
    fields = {"upload": "Upload"}
    assert held(site, post(site, fields, files={"my_file": ("M\u00e4rz.png", PNG)})) == PNG


@pytest.mark.parametrize(
    "head",
    [
        FILE,
        'form-data; filename="a.png"',
        "form-data; name=x; FileName=a.png",
        "form-data; name=\"f\"; filename*=utf-8''M%C3%A4rz.png",
        'attachment; filename="..\\..\\etc\\passwd"',
    ],
)
def test_the_part_with_a_filename_is_taken_however_it_is_spelled(head: str, site: Site) -> None:
    body = form(('form-data; name="a"', b"text"), (head, PNG), ('form-data; name="b"', b"text"))
    assert held(site, post(site, body, headers=FORM)) == PNG
    site.check_error(
        post(site, form((FILE, PNG), (head, b"another")), headers=FORM), 450, "more than one file; send one"
    )


def test_a_second_file_field_that_was_left_empty_is_no_file(site: Site) -> None:
    body = form((FILE, PNG), ('form-data; name="b"; filename=""', b""))
    assert held(site, post(site, body, headers=FORM)) == PNG


@pytest.mark.parametrize("path", [PATH, "submitImage"])
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_without_a_body_there_is_no_image(verb: str, path: str, site: Site) -> None:
    answer = requests.request(verb, f"{site.url}/{path}", auth=AUTH, timeout=10)
    site.check_error(answer, 450, "image: there is no image")


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (form(), "multipart/form-data; boundary=B", "image: "),
        (form((FILE, b"")), "multipart/form-data; boundary=B", "there is no image"),
        (form(('form-data; name="a"', PNG)), "multipart/form-data; boundary=B", "no part"),
        (form((FILE, PNG), end=b""), "multipart/form-data; boundary=B", "ends before"),
        (form((FILE, PNG)), "multipart/form-data; boundary=other", "cannot be read"),
        (form((FILE, PNG)), "multipart/form-data", "boundary"),
        (form((FILE, PNG)), f"multipart/form-data; boundary={'B' * 500}", "cannot be read"),
        (PNG, "multipart/form-data; boundary=B", "cannot be read"),
        (b"--B\r\n" + b"X" * 100_000, "multipart/form-data; boundary=B", "cannot be read"),
    ],
)
def test_a_damaged_form_is_refused(body: bytes, kind: str, said: str, site: Site) -> None:
    site.check_error(post(site, body, headers={"Content-Type": kind}), 450, said)


def test_what_is_no_image_is_a_551(site: Site) -> None:
    for path in (PATH, "submitImage"):
        site.check_error(post(site, b"<html></html>", path), 551, "no type that can be read")


@pytest.mark.usefixtures("small_limit")
def test_the_limit_is_on_the_bytes_that_come(site: Site) -> None:
    exactly, more = PNG[:LIMIT], PNG[: LIMIT + 1]
    assert held(site, post(site, exactly)) == exactly
    assert held(site, post(site, form((FILE, exactly)), headers=FORM)) == exactly
    for answer in (
        post(site, more),
        post(site, iter([more[:50_000], more[50_000:]])),
        post(site, form((FILE, more)), headers=FORM),
        post(site, form((FILE, b"x"), ('form-data; name="a"', PNG)), headers=FORM),
    ):
        site.check_error(answer, 450, "larger than 0 MB")


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(site: Site) -> None:
    host, _, port = site.url.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("POST", f"/{PATH}")
    connection.putheader("Authorization", requests.auth._basic_auth_str(*AUTH))
    connection.putheader("Content-Length", str(30 * 1024 * 1024 + 1))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 450
    assert b"larger than 30 MB" in answer.read()
    connection.close()


def test_credentials_are_asked_for_before_a_body_is(site: Site) -> None:
    answer = requests.post(f"{site.url}/{PATH}", data=PNG, timeout=10)
    site.check_error(answer, 401)


def test_a_body_that_breaks_off_makes_no_task(site: Site) -> None:
    before = site.get("listTasks").text.count("<task ")
    host, _, port = site.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST /{PATH} HTTP/1.1\r\nHost: h\r\nContent-Length: 99999\r\n"
        token = requests.auth._basic_auth_str(*AUTH)
        connection.sendall(f"{head}Authorization: {token}\r\n\r\n".encode() + PNG[:5000])
        deadline = time.monotonic() + 5
        while not list(site.backend.files._incoming.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert site.get("listTasks").text.count("<task ") == before
