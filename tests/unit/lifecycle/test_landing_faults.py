# SPDX-License-Identifier: Apache-2.0
"""Whatever breaks while files land on ``file://``: each is there whole or absent, and a retry lands it."""

from __future__ import annotations

import errno
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.transport import Timeouts
from airflow_provider_ocr.lifecycle.existing import IfExists
from airflow_provider_ocr.lifecycle.landing import LandedFile, land
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from tests.landing_faults import BROKEN_OFF, FAULTS

if TYPE_CHECKING:
    from tests.unit.conftest import Received, Reply, ScriptedServer

ID = "a1"
RESULT = "1.result"
CONTENT = random.Random(3).randbytes(2_000_000)
OLD = b"what was there before"


@pytest.fixture
def service(server: ScriptedServer) -> ScriptedServer:
    """Has one completed task with one result, which a test says how to give."""
    _lead_to(server, f"{server.url}/{RESULT}?sig=SECRET")
    return server


def _lead_to(service: ScriptedServer, *urls: str) -> None:
    """Let the task have these results from now on."""
    service.forget("getTaskStatus")
    service.reply("getTaskStatus", render_tasks([OcrTask(id=ID, status="Completed", result_urls=urls)]))


@pytest.fixture
def stalling_url(serve: Callable[[Callable[[Any], None]], str]) -> Iterator[str]:
    """Leads to half of the result, and then to nothing more."""
    over = threading.Event()

    def stall(request: Any) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(CONTENT)))
        request.end_headers()
        request.wfile.write(CONTENT[: len(CONTENT) // 2])
        request.wfile.flush()
        over.wait(60)

    yield f"{serve(stall)}/{RESULT}"
    over.set()


@pytest.fixture
def client(service: ScriptedServer) -> Iterator[CloudOcrClient]:
    """A client that gives up soon: what matters is that it does, not after how long."""
    with CloudOcrClient(
        base_url=service.url,
        application_id="app",
        password="pass/word",
        timeouts=Timeouts(connect=1.0, read=0.3, total=0.9),
    ) as client:
        yield client


@pytest.fixture
def patient(service: ScriptedServer) -> Iterator[CloudOcrClient]:
    """A client for what has to succeed, however busy the machine is."""
    with CloudOcrClient(base_url=service.url, application_id="app", password="pass/word") as client:
        yield client


@pytest.fixture(params=[None, OLD], ids=["new", "over_old"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where to land; a file of that name may be there."""
    folder = tmp_path / "landed"
    folder.mkdir()
    if request.param is not None:
        (folder / "scan.txt").write_bytes(request.param)
    return folder


def _land(client: CloudOcrClient, folder: Path, **options: Any) -> list[LandedFile]:
    _, files = land(
        client=client,
        ocr_task_id=ID,
        filesystem=LocalFileSystem(),
        folder=str(folder),
        stem="scan",
        on_file=lambda file: None,
        **{"export_formats": [ExportFormat.TXT], **options},
    )
    return files


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_there_is_no_torso_and_the_retry_lands(
    service: ScriptedServer, client: CloudOcrClient, patient: CloudOcrClient, folder: Path, fault: str
) -> None:
    trouble = FAULTS[fault]
    before = _files(folder)
    service.reply(RESULT, CONTENT, **trouble.reply(CONTENT))
    with pytest.raises(trouble.error) as caught:
        _land(client, folder)
    assert caught.value.ocr_task_id == ID
    assert _files(folder) == before
    service.forget(RESULT)
    service.reply(RESULT, CONTENT)
    assert [file.size for file in _land(patient, folder)] == [len(CONTENT)]
    assert _files(folder) == {"scan.txt": CONTENT}


@pytest.mark.parametrize("shares", [(10, 40, 70), (20, 50, 80), (30, 60, 90)], ids=str)
def test_a_host_that_can_send_the_rest_is_asked_for_it_and_no_retry_is_needed(
    service: ScriptedServer, tmp_path: Path, reply: type[Reply], shares: tuple[int, ...]
) -> None:
    def rest(received: Received) -> Reply:
        start = int(received.headers["Range"][6:-1])
        content_range = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        return reply(body=CONTENT[start:], status=206, headers={"Content-Range": content_range})

    _lead_to(service, *(f"{service.url}/{share}.result" for share in shares))
    for share in shares:
        service.reply(f"{share}.result", CONTENT, cut=len(CONTENT) * share // 100)
        service.on(f"{share}.result", rest)
    with CloudOcrClient(base_url=service.url, application_id="app", password="pass/word") as client:
        _land(client, tmp_path, export_formats=[ExportFormat(name) for name in ("txt", "pdfa", "xml")])
    assert _files(tmp_path) == dict.fromkeys(["scan.txt", "scan.pdf", "scan.xml"], CONTENT)
    assert [len(service.asked(f"{share}.result")) for share in shares] == [2, 2, 2]


def test_a_host_that_stalls_in_the_middle_is_given_up(
    *,
    service: ScriptedServer,
    client: CloudOcrClient,
    patient: CloudOcrClient,
    folder: Path,
    stalling_url: str,
) -> None:
    before = _files(folder)
    _lead_to(service, stalling_url)
    with pytest.raises(BROKEN_OFF):
        _land(client, folder)
    assert _files(folder) == before
    _lead_to(service, f"{service.url}/{RESULT}")
    service.reply(RESULT, CONTENT)
    _land(patient, folder)
    assert _files(folder) == {"scan.txt": CONTENT}


# A process of its own, whose limits are its own, and which can be killed.
LANDING = """
import resource, sys
from fsspec.implementations.local import LocalFileSystem
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.landing import land
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from tests.landing_faults import BROKEN_OFF, FAULTS
url, folder, most = sys.argv[1:]
if most != "unlimited":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
client = CloudOcrClient(base_url=url, application_id="app", password="pass/word")
try:
    land(
        client=client, ocr_task_id="a1", export_formats=[ExportFormat("txt")], filesystem=LocalFileSystem(),
        folder=folder, stem="scan", on_file=lambda file: None,
        on_bytes=lambda *_: print("writing", flush=True),
    )
except OSError as error:
    sys.exit(error.errno)
"""


def _start(service: ScriptedServer, folder: Path, most: str = "unlimited") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", LANDING, service.url, str(folder), most], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("most", ["0", "1000000", "1999999"], ids=["at_once", "in_the_middle", "at_the_end"])
def test_a_disk_that_is_full_leaves_no_torso_and_the_retry_lands(
    *, service: ScriptedServer, patient: CloudOcrClient, folder: Path, most: str
) -> None:
    before = _files(folder)
    service.reply(RESULT, CONTENT)
    process = _start(service, folder, most)
    process.communicate(timeout=60)
    assert process.returncode == errno.EFBIG
    assert _files(folder) == before
    _land(patient, folder)
    assert _files(folder) == {"scan.txt": CONTENT}


def test_a_landing_that_is_killed_leaves_no_torso_and_the_retry_clears_up_and_lands(
    *,
    service: ScriptedServer,
    patient: CloudOcrClient,
    folder: Path,
    stalling_url: str,
) -> None:
    before = _files(folder)
    _lead_to(service, stalling_url)
    process = _start(service, folder)
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    found = _files(folder)
    assert {name: found[name] for name in before} == before
    assert ("scan.txt" in found) == ("scan.txt" in before)
    assert len([name for name in found if name.endswith(".part")]) == 1
    _lead_to(service, f"{service.url}/{RESULT}")
    service.reply(RESULT, CONTENT)
    _land(patient, folder)
    assert _files(folder) == {"scan.txt": CONTENT}


def test_a_destination_that_cannot_be_written_to_keeps_what_it_has_and_lands_once_it_can(
    service: ScriptedServer, patient: CloudOcrClient, tmp_path: Path
) -> None:
    service.reply(RESULT, CONTENT)
    obstacle = tmp_path / "landed"
    obstacle.write_bytes(OLD)
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        _land(patient, obstacle)
    assert _files(tmp_path) == {"landed": OLD}
    obstacle.unlink()
    _land(patient, obstacle)
    assert _files(obstacle) == {"scan.txt": CONTENT}


@pytest.mark.parametrize("if_exists", IfExists)
def test_two_landings_at_once_leave_one_whole_file(
    *, service: ScriptedServer, patient: CloudOcrClient, folder: Path, if_exists: IfExists, reply: type[Reply]
) -> None:
    if if_exists is IfExists.FAIL:
        (folder / "scan.txt").unlink(missing_ok=True)
    meeting = threading.Barrier(2)

    def meet(received: Received) -> Reply:
        meeting.wait(60)
        return reply(body=CONTENT)

    service.on(RESULT, meet)
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(_land(patient, folder, if_exists=if_exists)[0].size)
        except BaseException as error:  # noqa: BLE001 - the thread hands it over
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [len(CONTENT)] * 2
    assert _files(folder) == {"scan.txt": CONTENT}
