# SPDX-License-Identifier: Apache-2.0
"""The package's client and plain HTTP against the real server, which recognises the sample scans for real."""

from __future__ import annotations

import base64
import io
import re
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
import requests

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import (
    AuthenticationError,
    RequestRejectedError,
    TaskDeletedError,
)
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer, ScanServer

AUTH = (APPLICATION_ID, PASSWORD)
WaitFor = Callable[..., OcrTask]
Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@pytest.mark.parametrize(
    ("scan", "language", "pages"),
    [
        ("receipt.png", "English", 1),
        ("rechnung.pdf", "German,English", 1),
        pytest.param("letter.jpg", "English", 1, marks=pytest.mark.long),
        pytest.param("minutes.tif", "English", 3, marks=pytest.mark.long),
    ],
)
def test_a_scan_becomes_text_a_searchable_pdf_and_xml(
    *,
    scan: str,
    language: str,
    pages: int,
    client: CloudOcrClient,
    scans: ScanServer,
    samples: Path,
    wait_for: WaitFor,
) -> None:
    settings = ProcessingSettings.parse(
        language=language, export_format="txt,pdfSearchable,xml", description=f"{scan} & co"
    )
    first = client.process_remote_image(f"{scans.url}/{scan}", settings)
    assert (first.status, first.credits, first.description) == ("Submitted", 0, f"{scan} & co")
    task = wait_for(client, first.id)
    assert (task.status, task.error, task.credits) == ("Completed", None, 5 * pages)
    text, pdf, xml = (requests.get(url, timeout=20) for url in task.result_urls)
    assert text.content.startswith(b"\xef\xbb\xbf")
    expected = words((samples / scan).with_suffix(".txt").read_text(encoding="utf-8"))
    found = words(text.content.decode("utf-8-sig"))
    assert len(set(expected) & set(found)) > 0.95 * len(set(expected))
    with pypdfium2.PdfDocument(io.BytesIO(pdf.content)) as document:
        assert len(document) == pages
        assert expected[0] in document[0].get_textpage().get_text_range().lower()
    assert len(ET.fromstring(xml.content).findall("{*}page")) == pages
    assert text.headers["X-Ocr-Pages"] == pdf.headers["X-Ocr-Pages"] == str(pages)
    assert float(text.headers["X-Ocr-Word-Confidence"]) > 80


def test_the_raw_protocol_is_enough_for_a_client_that_knows_only_queued_and_in_progress(
    ocr_server: OcrServer, scans: ScanServer
) -> None:
    query = f"Source={scans.url}/receipt.png&ExportFormat=TXT&language=english"
    body = requests.post(f"{ocr_server.url}/PROCESSREMOTEIMAGE?{query}", auth=AUTH, timeout=20).text
    (ocr_task_id,) = re.findall('<task id="([0-9a-f-]{36})"', body)
    seen = []
    while not re.search('status="(Completed|ProcessingFailed)"', body):
        status = re.findall(' status="([A-Za-z]+)"', body)[0]
        assert ("estimatedProcessingTime=" in body) == (status in ("Queued", "InProgress"))
        assert "resultUrl" not in body
        seen.append(status)
        time.sleep(0.02)
        body = requests.get(
            f"{ocr_server.url}/gettaskstatus?taskid={ocr_task_id}", auth=AUTH, timeout=20
        ).text
    assert seen[0] == "Submitted"
    assert seen == sorted(seen, key=["Submitted", "Queued", "InProgress"].index)
    assert 'status="Completed"' in body
    listed = requests.get(f"{ocr_server.url}/listFinishedTasks", auth=AUTH, timeout=20).text
    assert f'<task id="{ocr_task_id}"' in listed


def test_a_deleted_task_is_gone_from_disk_and_only_listed(
    scans: ScanServer,
    wait_for: WaitFor,
    new_ocr_server: Callable[..., OcrServer],
    connect: Callable[[OcrServer], CloudOcrClient],
    tmp_path: Path,
) -> None:
    own = connect(new_ocr_server(workers=1))
    settings = ProcessingSettings.parse(export_format="txt")
    task = wait_for(own, own.process_remote_image(f"{scans.url}/receipt.png", settings).id)
    assert len(list((tmp_path / "data").rglob(f"*{task.id}*"))) == 3  # image, pages, results
    for _ in range(2):
        assert own.delete_task(task.id).status == "Deleted"
        assert list((tmp_path / "data").rglob(f"*{task.id}*")) == []
    with pytest.raises(TaskDeletedError, match=task.id):
        own.get_task_status(task.id)
    assert requests.get(task.result_urls[0], timeout=20).status_code == 404
    assert [(found.id, found.status) for found in own.list_tasks()] == [(task.id, "Deleted")]
    assert own.list_tasks(exclude_deleted=True) == own.list_finished_tasks() == []


def test_a_range_and_the_head_of_a_result_are_served_uncompressed(
    client: CloudOcrClient, scans: ScanServer, wait_for: WaitFor
) -> None:
    settings = ProcessingSettings.parse(export_format="txt")
    (url,) = wait_for(
        client, client.process_remote_image(f"{scans.url}/receipt.png", settings).id
    ).result_urls
    headers = {"Accept-Encoding": "gzip"}
    whole = requests.get(url, headers=headers, timeout=20)
    part = requests.get(url, headers={**headers, "Range": "bytes=3-9"}, timeout=20)
    head = requests.head(url, headers=headers, timeout=20)
    assert (part.status_code, part.content) == (206, whole.content[3:10])
    assert int(head.headers["Content-Length"]) == len(whole.content)
    assert not any("Content-Encoding" in answer.headers for answer in (whole, part, head))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing.png", "HTTP 404"),
        ("letter.txt", "not an image"),
    ],
)
def test_what_cannot_be_recognised_ends_as_failed_and_says_why(
    path: str, said: str, client: CloudOcrClient, scans: ScanServer, wait_for: WaitFor
) -> None:
    source = f"{scans.url}/{path}?signature=secret"
    submitted = client.process_remote_image(source, ProcessingSettings.parse(export_format="txt"))
    assert submitted.status == "Submitted"
    task = wait_for(client, submitted.id)
    assert task.status == "ProcessingFailed"
    assert said in (task.error or "")
    assert "secret" not in (task.error or "")
    assert task.result_urls == ()


@pytest.mark.parametrize(
    "source",
    ["http://[::1]:1/x.png", "http://10.0.0.1/x.png", "http://0xA9FEA9FE/latest/meta-data/", "http://0:1/x"],
)
def test_networks_that_were_not_named_are_not_fetched_from(
    source: str, client: CloudOcrClient, wait_for: WaitFor
) -> None:
    task = wait_for(
        client, client.process_remote_image(source, ProcessingSettings.parse(export_format="txt")).id
    )
    assert task.status == "ProcessingFailed"
    assert "not on a public network" in (task.error or "")


def test_a_refused_request_says_which_parameter_is_to_blame(
    client: CloudOcrClient, scans: ScanServer
) -> None:
    settings = ProcessingSettings.parse(profile="fieldLevelRecognition")
    with pytest.raises(RequestRejectedError, match="profile"):
        client.process_remote_image(f"{scans.url}/receipt.png", settings)
    with pytest.raises(RequestRejectedError, match="source"):
        client.process_remote_image("ftp://example.com/x.png", ProcessingSettings.parse(export_format="txt"))


def test_a_wrong_password_is_refused(ocr_server: OcrServer) -> None:
    with (
        CloudOcrClient(base_url=ocr_server.url, application_id=APPLICATION_ID, password="wrong") as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.list_tasks()


def test_the_log_tells_of_every_request_and_of_no_secret(
    ocr_server: OcrServer, client: CloudOcrClient, scans: ScanServer, serve: Serve, wait_for: WaitFor
) -> None:
    def misbehave(request: BaseHTTPRequestHandler) -> None:
        """Sends a header that cannot be parsed, and a redirect into the void."""
        request.wfile.write(
            b"HTTP/1.1 302 Found\r\nX: y\r\nno header at all\r\n"
            b"Location: http://me:canary-5@127.0.0.1:1/?sig=canary-6\r\n\r\n"
        )
        request.close_connection = True

    def call(path: str, auth: tuple[str, str] | None = AUTH, verb: str = "GET") -> requests.Response:
        return requests.request(verb, f"{ocr_server.url}/{path}", auth=auth, timeout=20)

    def submit(source: str) -> str:
        settings = ProcessingSettings.parse(export_format="txt", description="canary-1")
        return client.process_remote_image(source, settings).id

    host = scans.url.removeprefix("http://")
    sources = [
        f"http://canary-2:canary-3@{host}/receipt.png?signature=canary-4",
        f"{serve(misbehave)}/?sig=canary-7",
        f"{scans.url}/missing.png?sig=canary-8",
        f"{scans.url}/letter.txt?sig=canary-9",
        "http://10.0.0.1/?sig=canary-10",
        "http://127.0.0.1:1/?sig=canary-11",
    ]
    tasks = [wait_for(client, submit(source)) for source in sources]
    assert [task.status for task in tasks] == ["Completed", *["ProcessingFailed"] * 5]
    (url,) = tasks[0].result_urls
    assert requests.get(url, timeout=20).status_code == 200
    assert requests.get(f"{url}canary-12", timeout=20).status_code == 403
    assert call("listTasks", auth=("canary-13", "canary-14")).status_code == 401
    assert call("listTasks?fromDate=canary-15&canary-16=1").status_code == 450
    assert (
        call(
            "processRemoteImage?source=http://h:canary-17/&exportFormat=txt&pdfPassword=canary-18"
        ).status_code
        == 450
    )
    assert call("unknown?canary-19").status_code == 404
    assert call("listTasks?canary-20", verb="PUT").status_code == 405
    call("health?canary-21")
    log = ocr_server.log.read_text()
    for line in (
        "GET /processRemoteImage 200",
        f"GET /results/{tasks[0].id}/1 200",
        f"GET /results/{tasks[0].id}/1 403",
        "GET /listTasks 401",
        "GET /listTasks 450",
        "GET /processRemoteImage 450",
        "GET /unknown 404",
        "PUT /listTasks 405",
        *(f"task {task.id}: " for task in tasks),
    ):
        assert line in log
    signature = url.partition("signature=")[2]
    credentials = base64.b64encode(f"{APPLICATION_ID}:{PASSWORD}".encode()).decode()
    for secret in ("canary", "Y2FuYXJ5", signature, PASSWORD, credentials, "?"):
        assert secret not in log
