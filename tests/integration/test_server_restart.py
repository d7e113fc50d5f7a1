# SPDX-License-Identifier: Apache-2.0
"""Whatever ends the server, the next goes on where it was: nothing accepted is lost, nothing left running."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import ConnectionFailedError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import OcrServer, ScanServer

Start = Callable[..., OcrServer]
Connect = Callable[[OcrServer], CloudOcrClient]
Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]
WaitFor = Callable[..., OcrTask]

SETTINGS = ProcessingSettings.parse(export_format="txt")
SECONDS = 60.0


def wait_until(condition: Callable[[], bool], *, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


def children(parent: int) -> set[int]:
    """The IDs of a process's children, the dead among them left out."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, ppid = status.read_text().rpartition(")")[2].split()[:2]
            if int(ppid) == parent and state != "Z":
                found.add(int(status.parent.name))
    return found


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class HeldScan:
    """Serves one scan, but holds it back until it is released."""

    def __init__(self, scan: bytes) -> None:
        self._scan = scan
        self.asked = threading.Event()
        self.released = threading.Event()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.set()
        self.released.wait(SECONDS)
        with suppress(OSError):  # whoever asked may be dead by now
            request.send_response(200)
            request.send_header("Content-Length", str(len(self._scan)))
            request.end_headers()
            request.wfile.write(self._scan)


@pytest.fixture
def held(samples: Path) -> Iterator[HeldScan]:
    held = HeldScan((samples / "receipt.png").read_bytes())
    yield held
    held.released.set()


@dataclass(frozen=True)
class Busy:
    """A server with a Submitted, an InProgress and two Queued tasks."""

    server: OcrServer
    tasks: list[str]
    children: set[int]
    held: HeldScan


@pytest.fixture
def busy(
    *,
    new_ocr_server: Start,
    connect: Connect,
    scans: ScanServer,
    serve: Serve,
    held: HeldScan,
    wait_for: WaitFor,
) -> Busy:
    server = new_ocr_server(workers=1)
    client = connect(server)
    receipt = f"{scans.url}/receipt.png"
    tasks = []
    for source, status in [
        (serve(held.answer), "Submitted"),
        (f"{scans.url}/letter.jpg", "InProgress"),
        (receipt, "Queued"),
        (receipt, "Queued"),
    ]:
        tasks.append(client.process_remote_image(source, SETTINGS).id)
        wait_for(client, tasks[-1], status)
    assert held.asked.wait(SECONDS)
    assert client.get_task_status(tasks[1]).status == "InProgress"
    wait_until(lambda: len(children(server.pid)) >= 2)  # one recognises, one measures
    return Busy(server, tasks, children(server.pid), held)


def check_that_all_complete(
    busy: Busy, data: Path, new_ocr_server: Start, connect: Connect, wait_for: WaitFor
) -> None:
    """Start a server on the same data and see every task through."""
    busy.held.released.set()
    client = connect(new_ocr_server(workers=2))
    tasks = [wait_for(client, task) for task in busy.tasks]
    assert [(task.status, task.credits) for task in tasks] == [("Completed", 5)] * 4
    texts = [requests.get(task.result_urls[0], timeout=20).text for task in tasks]
    for text, expected in zip(texts, ["Rye bread", "Harrow & Pell", "Rye bread", "Rye bread"], strict=True):
        assert expected in text
    assert {task.id for task in client.list_tasks()} == set(busy.tasks)
    assert list((data / "work").iterdir()) == []
    for folder in ("images", "pages", "results"):
        assert {path.name for path in (data / folder).iterdir()} == set(busy.tasks)


def test_after_a_crash_every_task_completes_and_nothing_of_the_crash_is_left(
    busy: Busy, tmp_path: Path, new_ocr_server: Start, connect: Connect, wait_for: WaitFor
) -> None:
    os.kill(busy.server.pid, signal.SIGKILL)
    # Not its process group: that the recognition process ends with its parent is to be seen.
    wait_until(lambda: not any(lives(child) for child in busy.children), seconds=5)
    busy.server.kill()
    (tmp_path / "data" / "images" / "half.part").write_bytes(b"half an image")
    check_that_all_complete(busy, tmp_path / "data", new_ocr_server, connect, wait_for)


# To the process alone, as a container's runtime; to its whole group, as a terminal's Ctrl-C.
@pytest.mark.parametrize(
    ("send", "number"),
    [
        pytest.param(os.kill, signal.SIGTERM, id="process"),
        pytest.param(os.killpg, signal.SIGTERM, id="group", marks=pytest.mark.long),
        pytest.param(os.killpg, signal.SIGINT, id="ctrl_c", marks=pytest.mark.long),
    ],
)
def test_told_to_stop_it_stops_in_seconds_and_the_next_start_goes_on(
    *,
    send: Callable[[int, int], None],
    number: signal.Signals,
    busy: Busy,
    tmp_path: Path,
    new_ocr_server: Start,
    connect: Connect,
    wait_for: WaitFor,
) -> None:
    begin = time.monotonic()
    send(busy.server.pid, number)
    busy.server.finish(seconds=10)
    assert time.monotonic() - begin < 5
    assert not any(lives(child) for child in busy.children)
    assert busy.server.log.read_text().splitlines()[-1].endswith("cloud_ocr_server stopped")
    check_that_all_complete(busy, tmp_path / "data", new_ocr_server, connect, wait_for)


def test_a_recognition_process_that_is_killed_is_replaced(
    busy: Busy, connect: Connect, wait_for: WaitFor
) -> None:
    client = connect(busy.server)
    for child in busy.children:
        os.kill(child, signal.SIGKILL)
    _, hit, *others = busy.tasks
    assert [wait_for(client, task).status for task in (hit, *others)] == ["Completed"] * 3
    assert client.get_task_status(busy.tasks[0]).status == "Submitted"


def run_another(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("cloud-ocr-server")), "serve", "--application", "a:b"]
    return subprocess.run(
        [*command, "--data", str(data), *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_second_server_on_the_same_data_folder_or_port_says_why_it_does_not_start(
    new_ocr_server: Start, tmp_path: Path
) -> None:
    server = new_ocr_server(workers=1)
    second = run_another(tmp_path / "data", "--port", "0")
    assert (second.returncode, second.stdout) == (1, "")
    assert re.fullmatch(
        rf"cloud-ocr-server: another server is running on .*/data \(process {server.pid}\); .*--data\.\n",
        second.stderr,
    )
    third = run_another(tmp_path / "other", "--port", str(server.port))
    assert third.returncode == 1
    assert f"127.0.0.1:{server.port} cannot be listened on: Address already in use" in third.stderr
    assert requests.get(f"{server.url}/health", timeout=10).ok


@dataclass
class Uploads:
    """What clients that upload without a pause were told before the server died."""

    scan: bytes
    processed: list[str] = field(default_factory=list)
    submitted: dict[str, list[bytes]] = field(default_factory=dict)

    def process(self, client: CloudOcrClient) -> None:
        self.processed.append(client.process_image(self.scan, SETTINGS).id)

    def submit(self, client: CloudOcrClient) -> None:
        contents = [self.scan + os.urandom(200_000) for _ in range(3)]
        task = client.submit_image(contents[0])
        images = self.submitted.setdefault(task.id, [contents[0]])
        for content in contents[1:]:
            client.submit_image(content, task.id)
            images.append(content)

    def go_on(self, client: CloudOcrClient, upload: Callable[[CloudOcrClient], None], most: int) -> None:
        with suppress(ConnectionFailedError):
            for _ in range(most):
                upload(client)


@pytest.mark.parametrize(
    "moment",
    [0.15, pytest.param(0.4, marks=pytest.mark.long), pytest.param(0.7, marks=pytest.mark.long)],
)
def test_whenever_the_server_dies_every_image_that_it_accepted_is_there(
    *,
    moment: float,
    samples: Path,
    tmp_path: Path,
    new_ocr_server: Start,
    connect: Connect,
    wait_for: WaitFor,
) -> None:
    server = new_ocr_server(workers=1)
    uploads = Uploads((samples / "receipt.png").read_bytes())
    ways = [(uploads.process, 4), (uploads.submit, 1000), (uploads.submit, 1000)]
    threads = [threading.Thread(target=uploads.go_on, args=(connect(server), *way)) for way in ways]
    for thread in threads:
        thread.start()
    wait_until(lambda: bool(uploads.processed and uploads.submitted))
    time.sleep(moment)
    os.kill(server.pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    server.kill()
    data = tmp_path / "data"
    (data / "images" / "0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4").mkdir()  # no row came of it
    client = connect(new_ocr_server(workers=2))
    listed = {task.id: task for task in client.list_tasks()}
    assert listed.keys() >= {*uploads.processed, *uploads.submitted}
    for ocr_task_id, images in uploads.submitted.items():
        task = listed[ocr_task_id]
        assert (task.status, task.credits) == ("Submitted", 5 * task.files_count)  # an estimate
        # The last image may have been accepted without that the answer arrived.
        assert len(images) <= (task.files_count or 0) <= len(images) + 1
        held = [(data / "images" / ocr_task_id / str(number + 1)) for number in range(len(images))]
        assert [path.read_bytes() for path in held] == images
    assert {path.name for path in (data / "images").iterdir()} == listed.keys()
    assert list((data / "incoming").iterdir()) == []
    done = [wait_for(client, ocr_task_id) for ocr_task_id in uploads.processed]
    assert [(task.status, task.credits) for task in done] == [("Completed", 5)] * len(done)
    one = next(iter(uploads.submitted))
    client.process_document(one, SETTINGS)
    assert wait_for(client, one).status == "Completed"


@pytest.mark.long
def test_a_second_run_that_a_crash_interrupts_is_finished_with_the_new_settings(
    samples: Path, new_ocr_server: Start, connect: Connect, wait_for: WaitFor
) -> None:
    server = new_ocr_server(workers=1)
    client = connect(server)
    task = wait_for(client, client.process_image((samples / "letter.jpg").read_bytes(), SETTINGS).id)
    # Other languages, because pages that are kept are exported before anybody sees the task in progress.
    again = ProcessingSettings.parse(export_format="xml,txt", language="English,German")
    client.process_document(task.id, again)
    wait_for(client, task.id, "InProgress")
    os.kill(server.pid, signal.SIGKILL)
    server.kill()
    client = connect(new_ocr_server(workers=1))
    assert client.get_task_status(task.id).result_urls == ()
    done = wait_for(client, task.id)
    assert (done.status, done.credits) == ("Completed", 5)
    xml, text = (requests.get(url, timeout=20).text for url in done.result_urls)
    assert "<document" in xml
    assert "Harrow & Pell" in text
