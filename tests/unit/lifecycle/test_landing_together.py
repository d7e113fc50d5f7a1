# SPDX-License-Identifier: Apache-2.0
"""The files of a task come at the same time, stay together, and one's trouble is not the others'."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.network import Timeouts
from airflow_provider_ocr.lifecycle.existing import IfExists
from airflow_provider_ocr.lifecycle.landing import LandedFile, Review, land
from airflow_provider_ocr.lifecycle.landing_progress import LandingProgress
from airflow_provider_ocr.lifecycle.quality import QualityLimits
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

if TYPE_CHECKING:
    from tests.unit.conftest import Received, Reply, ScriptedServer

ID = "a1"
TXT, PDF, PDFA = (ExportFormat(name) for name in ("txt", "pdfSearchable", "pdfa"))
WORD_CONFIDENCE = "X-Ocr-Word-Confidence"
UNSTOPPED_SECONDS = 100

Bring = Callable[..., list[LandedFile]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where to land; it does not exist yet."""
    return tmp_path / "landed"


@pytest.fixture
def bring(client: CloudOcrClient, folder: Path) -> Bring:
    """Lands the task's files."""

    def run(*formats: ExportFormat, **options: Any) -> list[LandedFile]:
        given = {"client": client, "stem": "scan", "on_file": lambda file: None, **options}
        _, files = land(
            ocr_task_id=ID,
            export_formats=formats,
            filesystem=LocalFileSystem(),
            folder=str(folder),
            **given,
        )
        return files

    return run


def _completed(server: ScriptedServer, *urls: str) -> None:
    """The task has results at these URLs, or under these names of the server's."""
    whole = tuple(url if "://" in url else f"{server.url}/{url}?sig=SECRET" for url in urls)
    server.reply("getTaskStatus", render_tasks([OcrTask(id=ID, status="Completed", result_urls=whole)]))


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_three_files_come_at_the_same_time(
    server: ScriptedServer, bring: Bring, folder: Path, reply: type[Reply]
) -> None:
    meeting = threading.Barrier(3)

    def meet(received: Received) -> Reply:
        meeting.wait(60)
        return reply(body=received.path.encode())

    _completed(server, "1.result", "2.result", "3.result")
    for number in (1, 2, 3):
        server.on(f"{number}.result", meet)
    assert [file.export_format for file in bring(TXT, PDF, PDFA)] == [TXT, PDF, PDFA]
    assert _files(folder) == {
        "scan.txt": b"1.result",
        "scan.pdfSearchable.pdf": b"2.result",
        "scan.pdfa.pdf": b"3.result",
    }


def test_a_file_that_cannot_be_had_does_not_keep_the_others_away(
    server: ScriptedServer, bring: Bring, folder: Path
) -> None:
    _completed(server, "1.result", "2.result", "3.result")
    server.reply("1.result", status=404)
    server.reply("2.result", b"x" * 3_000_000)
    server.reply("3.result", b"%PDF")
    with pytest.raises(errors.ResultUnavailableError) as caught:
        bring(TXT, PDF, PDFA)
    assert caught.value.ocr_task_id == ID
    assert {name: len(content) for name, content in _files(folder).items()} == {
        "scan.pdfSearchable.pdf": 3_000_000,
        "scan.pdfa.pdf": 4,
    }


def test_files_that_turn_out_to_be_of_other_formats_keep_all_away(
    server: ScriptedServer, bring: Bring, folder: Path
) -> None:
    _completed(server, "1.result", "2.result")
    server.reply("1.result", b"text", headers={"Content-Type": "text/plain"})
    server.reply("2.result", b"text", headers={"Content-Type": "text/plain"})
    with pytest.raises(errors.ResultIntegrityError, match="order of the submission"):
        bring(TXT, PDF)
    assert not folder.exists()


Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


def _drip(serve: Serve, *, pieces: int, pause: float, length: int | None = None) -> str:
    """A host that sends 1,000 bytes now and then, in chunks if it tells no length; gives the result's URL."""
    before, after, end = (b"", b"", b"") if length is not None else (b"3e8\r\n", b"\r\n", b"0\r\n\r\n")

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if length is not None:
            request.send_header("Content-Length", str(length))
        else:
            request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        try:
            for _ in range(pieces):
                request.wfile.write(before + bytes(1000) + after)
                request.wfile.flush()
                time.sleep(pause)
            request.wfile.write(end)
        except OSError:
            """The client has gone, which some tests want."""

    return f"{serve(answer)}/result?sig=SECRET"


# The client counts pieces of 256 KiB, so the host sends three of them, each far longer than a tick.
@pytest.mark.parametrize("length", [800_000, None], ids=["announced", "length_unknown"])
def test_it_is_told_now_and_then_how_far_the_files_have_come(
    server: ScriptedServer, serve: Serve, bring: Bring, length: int | None
) -> None:
    _completed(server, _drip(serve, pieces=800, pause=0.002, length=length))
    readings: list[LandingProgress] = []
    bring(TXT, on_progress=readings.append, progress_seconds=0.1)
    received = [reading.received for reading in readings]
    assert len(readings) >= 3
    assert received == sorted(received)
    assert 0 < received[-1] <= 800_000
    assert readings[-1].announced == length
    assert readings[-1].seconds > 0.2


class KilledError(BaseException):
    """What Airflow raises when a task is killed, or runs into its time-out."""


def _silent(serve: Serve, over: threading.Event) -> str:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "2000000")
        request.end_headers()
        request.wfile.write(bytes(300_000))
        request.wfile.flush()
        over.wait(UNSTOPPED_SECONDS)

    return f"{serve(answer)}/result?sig=SECRET"


def _busy(serve: Serve, over: threading.Event) -> str:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(503)
        request.send_header("Retry-After", str(UNSTOPPED_SECONDS))
        request.send_header("Content-Length", "0")
        request.end_headers()

    return f"{serve(answer)}/result?sig=SECRET"


def _dripping(serve: Serve, over: threading.Event) -> str:
    return _drip(serve, pieces=100 * UNSTOPPED_SECONDS, pause=0.01, length=100_000 * UNSTOPPED_SECONDS)


@pytest.mark.parametrize("host", [_dripping, _silent, _busy])
def test_a_landing_that_is_killed_stops_at_once_and_leaves_nothing(
    server: ScriptedServer,
    serve: Serve,
    bring: Bring,
    folder: Path,
    host: Callable[[Serve, threading.Event], str],
) -> None:
    over = threading.Event()
    _completed(server, host(serve, over))

    def kill(progress: LandingProgress) -> None:
        raise KilledError

    patient = Timeouts(read=UNSTOPPED_SECONDS, total=2 * UNSTOPPED_SECONDS)
    began = time.monotonic()
    with (
        CloudOcrClient(base_url=server.url, application_id="app", password="pw", timeouts=patient) as client,
        pytest.raises(KilledError),
    ):
        bring(TXT, client=client, on_progress=kill, progress_seconds=1.0)
    assert time.monotonic() - began < UNSTOPPED_SECONDS / 2
    over.set()
    assert _files(folder) == {}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("landing")]


@pytest.mark.parametrize(
    ("confidence", "limit", "place", "reasons"),
    [
        ("90.0", 80, "landed", ()),
        ("79.9", 80, "review", ("its word confidence is 79.9, below 80",)),
        ("", 80, "review", ("its word confidence is not known",)),
        (None, 80, "review", ("the server does not tell how well it was read",)),
    ],
    ids=["well_read", "badly_read", "no_words", "not_told"],
)
def test_a_document_that_a_person_should_look_at_goes_elsewhere_as_a_whole(
    *,
    server: ScriptedServer,
    bring: Bring,
    tmp_path: Path,
    confidence: str | None,
    limit: float,
    place: str,
    reasons: tuple[str, ...],
) -> None:
    _completed(server, "1.result", "2.result")
    server.reply("1.result", b"text", headers={} if confidence is None else {WORD_CONFIDENCE: confidence})
    # A proxy may have kept the quality of one file to itself.
    server.reply("2.result", b"%PDF")
    limits = QualityLimits.parse({"word_confidence": limit})
    review = Review(LocalFileSystem(), f"{tmp_path}/review/", limits)
    files = bring(TXT, PDF, review=review)
    assert {path.name: sorted(_files(path)) for path in tmp_path.iterdir()} == {
        place: ["scan.pdf", "scan.txt"]
    }
    assert [file.review for file in files] == [reasons, reasons]


def test_files_that_are_there_already_are_told_from_those_that_were_written(
    server: ScriptedServer, bring: Bring, folder: Path
) -> None:
    _completed(server, "1.result", "2.result")
    server.reply("1.result", b"text")
    server.reply("2.result", b"%PDF")
    folder.mkdir()
    (folder / "scan.txt").write_bytes(b"text")
    (folder / "scan.pdf").write_bytes(b"old")
    files = bring(TXT, PDF, if_exists=IfExists.SKIP_IF_SAME)
    assert [file.written for file in files] == [False, True]
    assert _files(folder) == {"scan.txt": b"text", "scan.pdf": b"%PDF"}
    assert len(server.asked("1.result")) == 1


def test_a_file_that_must_stay_makes_the_landing_fail_and_the_others_land(
    server: ScriptedServer, bring: Bring, folder: Path
) -> None:
    _completed(server, "1.result", "2.result")
    server.reply("1.result", b"text")
    server.reply("2.result", b"%PDF")
    folder.mkdir()
    (folder / "scan.txt").write_bytes(b"somebody else's")
    with pytest.raises(FileExistsError, match=r"scan\.txt is there already"):
        bring(TXT, PDF, if_exists=IfExists.FAIL)
    assert _files(folder) == {"scan.txt": b"somebody else's", "scan.pdf": b"%PDF"}
