# SPDX-License-Identifier: Apache-2.0
"""Images that clients send along, one or several to a document, recognised by the real server for real."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import requests

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import (
    ParameterRejectedError,
    RequestRejectedError,
    UnsupportedImageError,
)
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer

AUTH = (APPLICATION_ID, PASSWORD)
TEXT = ProcessingSettings.parse(export_format="txt")
WaitFor = Callable[..., OcrTask]


def result(task: OcrTask, position: int = 1) -> str:
    assert task.status == "Completed", task.error
    answer = requests.get(task.result_urls[position - 1], timeout=20)
    assert answer.status_code == 200
    return answer.content.decode("utf-8-sig")


def the_task(answer: requests.Response) -> str:
    assert answer.status_code == 200, answer.text
    (ocr_task_id,) = re.findall('<task id="([0-9a-f-]{36})"', answer.text)
    return str(ocr_task_id)


def test_an_image_that_is_sent_along_is_recognised(
    client: CloudOcrClient, samples: Path, wait_for: WaitFor
) -> None:
    first = client.process_image((samples / "letter.jpg").read_bytes(), TEXT)
    assert first.status == "Queued"
    assert (first.estimated_processing_time or 0) >= 1
    task = wait_for(client, first.id)
    assert "Harrow & Pell" in result(task)
    assert (task.files_count, task.credits) == (1, 5)


def test_several_images_become_one_document(client: CloudOcrClient, samples: Path, wait_for: WaitFor) -> None:
    task = client.submit_image((samples / "minutes.tif").read_bytes())
    added = client.submit_image((samples / "receipt.png").read_bytes(), task.id)
    assert (added.id, added.status, added.files_count) == (task.id, "Submitted", 2)
    settings = ProcessingSettings.parse(export_format="txt,xml,pdfSearchable", description="two")
    started = client.process_document(task.id, settings)
    assert (started.status, started.description) == ("Queued", "two")
    done = wait_for(client, task.id)
    pages = result(done).split("\f")
    assert len(pages) == 4
    assert "Rye bread" in pages[3]
    assert len(ET.fromstring(result(done, 2)).findall("{*}page")) == 4
    assert (done.files_count, done.credits) == (2, 20)
    headers = requests.head(done.result_urls[0], timeout=20).headers
    assert headers["X-Ocr-Pages"] == "4"


def test_a_bad_image_among_several_fails_the_document_and_is_named(
    client: CloudOcrClient, samples: Path, wait_for: WaitFor
) -> None:
    letter = (samples / "letter.jpg").read_bytes()
    task = client.submit_image(letter)
    with pytest.raises(UnsupportedImageError, match="Page 1 is damaged"):
        client.submit_image(letter[:3000], task.id)  # that can be seen at once
    client.submit_image(letter[: len(letter) // 2], task.id)
    client.process_document(task.id, TEXT)
    failed = wait_for(client, task.id)
    assert failed.status == "ProcessingFailed"
    assert (failed.error or "").startswith("Image 2: Page 1 is damaged")
    with pytest.raises(ParameterRejectedError, match="ProcessingFailed"):
        client.process_document(task.id, TEXT)


def test_a_completed_document_is_exported_to_another_format(
    client: CloudOcrClient, samples: Path, wait_for: WaitFor
) -> None:
    settings = ProcessingSettings.parse(export_format="txt,xml", description="kept")
    first = wait_for(client, client.process_image((samples / "receipt.png").read_bytes(), settings).id)
    again = client.process_document(first.id, ProcessingSettings.parse(export_format="xml"))
    assert (again.status, again.result_urls, again.credits) == ("Queued", (), 5)
    second = wait_for(client, first.id)
    assert (second.status, len(second.result_urls), second.credits) == ("Completed", 1, 5)
    assert second.description == "kept"
    assert len(ET.fromstring(result(second)).findall("{*}page")) == 1
    assert requests.get(first.result_urls[1], timeout=20).status_code == 404


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize(
    "sends", [("-F", "upload=@{}"), ("--data-binary", "@{}"), ("-X", "POST", "-T", "{}")]
)
def test_curl_sends_an_image_in_each_of_its_ways(
    sends: tuple[str, ...],
    ocr_server: OcrServer,
    client: CloudOcrClient,
    samples: Path,
    wait_for: WaitFor,
) -> None:
    options = [option.format(samples / "receipt.png") for option in sends]
    url = f"{ocr_server.url}/processImage?exportformat=TXT&language=english"
    command = ["curl", "-sS", "--noproxy", "*", "--max-time", "30", "-u", ":".join(AUTH), *options, url]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    (ocr_task_id,) = re.findall('<task id="([0-9a-f-]{36})"', run.stdout)
    assert "Rye bread" in result(wait_for(client, ocr_task_id))


def test_multipart_is_taken_as_other_clients_send_it(
    ocr_server: OcrServer, client: CloudOcrClient, samples: Path, wait_for: WaitFor
) -> None:
    scan = (samples / "receipt.png").read_bytes()
    files = {"my_file": ("receipt.png", scan, "image/png")}
    url = f"{ocr_server.url}/submitimage"
    first = the_task(requests.post(url, files=files, auth=AUTH, timeout=20))
    second = the_task(requests.post(f"{url}?TASKID={first.upper()}", files=files, auth=AUTH, timeout=20))
    assert first == second
    form = {"taskId": first, "exportFormat": "txt", "xml:writeRecognitionVariants": "false"}
    answer = requests.post(f"{ocr_server.url}/processDocument", data=form, auth=AUTH, timeout=20)
    assert the_task(answer) == first
    assert result(wait_for(client, first)).count("Rye bread") == 2


def test_what_is_no_image_or_too_large_is_refused(client: CloudOcrClient, samples: Path) -> None:
    with pytest.raises(UnsupportedImageError, match="no type that can be read"):
        client.process_image(b"<html></html>", TEXT)
    letter = (samples / "letter.jpg").read_bytes()
    with pytest.raises(RequestRejectedError, match="larger than 30 MB") as refused:
        client.process_image(letter + bytes(31 * 1024**2), TEXT)
    assert refused.value.http_status == 450
    with pytest.raises(ParameterRejectedError, match="profile"):
        client.process_image(letter, ProcessingSettings.parse(profile="fieldLevelRecognition"))


def test_the_application_has_no_limit(client: CloudOcrClient) -> None:
    info = client.get_application_info()
    assert (info.name, info.type) == (APPLICATION_ID, "Normal")
    assert (info.fields or 0) == 5 * (info.pages or 0) > 0


def test_the_server_starts_with_the_choices_that_it_is_told(
    new_ocr_server: Callable[..., OcrServer],
    connect: Callable[[OcrServer], CloudOcrClient],
    samples: Path,
) -> None:
    choices = ("--list-order", "newest", "--list-filter", "registered", "--deleted-task", "status")
    own = connect(new_ocr_server(workers=1, options=choices))
    tasks = [own.submit_image((samples / "receipt.png").read_bytes()).id for _ in range(2)]
    own.delete_task(tasks[0])
    assert own.get_task_status(tasks[0]).status == "Deleted"
    assert [task.id for task in own.list_tasks()] == tasks
    own.delete_task(tasks[1])
    assert [task.id for task in own.list_tasks()] == tasks[::-1]
