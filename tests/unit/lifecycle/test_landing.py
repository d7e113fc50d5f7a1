# SPDX-License-Identifier: Apache-2.0
"""Result files land under their names, whole, or nothing is created."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fsspec.implementations.local import LocalFileSystem

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.landing import LandedFile, land
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

if TYPE_CHECKING:
    from tests.unit.conftest import Received, ScriptedServer

ID = "a1"
TXT, PDF, PDFA, XML = (ExportFormat(name) for name in ("txt", "pdfSearchable", "pdfa", "xml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where to land; it does not exist yet."""
    return tmp_path / "landed"


@pytest.fixture
def landed() -> list[LandedFile]:
    """The files that were announced."""
    return []


@pytest.fixture
def bring(
    client: CloudOcrClient, folder: Path, landed: list[LandedFile]
) -> Callable[..., tuple[OcrTask, list[LandedFile]]]:
    """Lands the task's files."""

    def run(*formats: ExportFormat, stem: str = "scan") -> tuple[OcrTask, list[LandedFile]]:
        return land(
            client=client,
            ocr_task_id=ID,
            export_formats=formats,
            filesystem=LocalFileSystem(),
            folder=f"{folder}/",
            stem=stem,
            on_file=landed.append,
        )

    return run


Bring = Callable[..., tuple[OcrTask, list[LandedFile]]]


def _completed(server: ScriptedServer, *names: str) -> None:
    """The task's next answer has results under these names."""
    urls = tuple(f"{server.url}/{name}?sig=SECRET" for name in names)
    server.reply(
        "getTaskStatus", render_tasks([OcrTask(id=ID, status="Completed", credits=5, result_urls=urls)])
    )


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_each_piece_is_told_of_while_it_comes(
    server: ScriptedServer, client: CloudOcrClient, folder: Path
) -> None:
    _completed(server, "1.result", "2.result")
    server.reply("1.result", b"x" * 1_500_000)
    server.reply("2.result", b"%PDF")
    pieces: list[tuple[ExportFormat, int]] = []
    land(
        client=client,
        ocr_task_id=ID,
        export_formats=(TXT, PDF),
        filesystem=LocalFileSystem(),
        folder=str(folder),
        stem="scan",
        on_file=lambda file: None,
        on_bytes=lambda export_format, count: pieces.append((export_format, count)),
    )
    assert sum(count for export_format, count in pieces if export_format == TXT) == 1_500_000
    assert [count for export_format, count in pieces if export_format == PDF] == [4]
    assert len(pieces) > 2


def test_every_result_lands_in_the_order_of_the_formats(
    server: ScriptedServer, bring: Bring, folder: Path, landed: list[LandedFile]
) -> None:
    _completed(server, "1.result", "2.result", "3.result")
    contents = [b"\xef\xbb\xbftext", b"%PDF searchable", b"%PDF archive"]
    for number, content in enumerate(contents, start=1):
        server.reply(f"{number}.result", content)
    task, files = bring(TXT, PDF, PDFA)
    names = ["scan.txt", "scan.pdfSearchable.pdf", "scan.pdfa.pdf"]
    assert _files(folder) == dict(zip(names, contents, strict=True))
    assert task.credits == 5
    assert sorted(files, key=str) == sorted(landed, key=str)
    assert files == [
        LandedFile(export_format, name, len(content), hashlib.sha256(content).hexdigest())
        for export_format, name, content in zip((TXT, PDF, PDFA), names, contents, strict=True)
    ]


def test_landing_again_replaces_what_has_landed(server: ScriptedServer, bring: Bring, folder: Path) -> None:
    _completed(server, "1.result")
    server.reply("1.result", b"first")
    server.reply("1.result", b"second")
    bring(TXT)
    bring(TXT)
    assert _files(folder) == {"scan.txt": b"second"}


@pytest.mark.parametrize("formats", [(TXT,), (TXT, PDF, XML)])
def test_a_wrong_number_of_formats_lands_nothing(
    server: ScriptedServer, bring: Bring, folder: Path, formats: tuple[ExportFormat, ...]
) -> None:
    _completed(server, "1.result", "2.result")
    with pytest.raises(
        errors.ResultIntegrityError, match=r"2 result files.*name those of the submission"
    ) as caught:
        bring(*formats)
    assert caught.value.ocr_task_id == ID
    assert not folder.exists()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("Submitted", errors.TaskNotFinishedError),
        ("Queued", errors.TaskNotFinishedError),
        ("InProgress", errors.TaskNotFinishedError),
        ("Hibernating", errors.TaskNotFinishedError),
        ("ProcessingFailed", errors.TaskFailedError),
        ("NotEnoughCredits", errors.NotEnoughCreditsError),
        ("Deleted", errors.TaskDeletedError),
    ],
)
def test_a_task_without_results_creates_nothing_at_the_destination(
    *,
    server: ScriptedServer,
    bring: Bring,
    folder: Path,
    tasks_body: Callable[..., bytes],
    status: str,
    kind: type[errors.OcrError],
) -> None:
    server.reply("getTaskStatus", tasks_body(id=ID, status=status))
    with pytest.raises(kind) as caught:
        bring(TXT)
    assert caught.value.ocr_task_id == ID
    assert not folder.exists()


def test_a_stem_with_a_path_in_it_asks_nobody(server: ScriptedServer, bring: Bring) -> None:
    with pytest.raises(errors.InvalidParameterError):
        bring(TXT, stem="../scan")
    assert server.received == []


@pytest.mark.parametrize("status", [403, 404])
def test_a_url_that_has_expired_is_renewed(
    server: ScriptedServer, bring: Bring, folder: Path, status: int
) -> None:
    _completed(server, "1.result", "expired.result")
    _completed(server, "1.result", "renewed.result")
    server.reply("1.result", b"text")
    server.reply("expired.result", status=status)
    server.reply("renewed.result", b"%PDF")
    bring(TXT, PDF)
    assert _files(folder) == {"scan.txt": b"text", "scan.pdf": b"%PDF"}


def test_a_url_is_renewed_only_once(server: ScriptedServer, bring: Bring, folder: Path) -> None:
    _completed(server, "1.result")
    server.reply("1.result", status=403)
    with pytest.raises(errors.ResultUnavailableError) as caught:
        bring(TXT)
    assert caught.value.ocr_task_id == ID
    assert (len(server.asked("getTaskStatus")), len(server.asked("1.result"))) == (2, 2)
    assert _files(folder) == {}


def test_a_task_that_was_deleted_meanwhile_is_said_to_be_deleted(
    server: ScriptedServer, bring: Bring, folder: Path
) -> None:
    _completed(server, "1.result")
    server.refuse("getTaskStatus", 450, "No such task.")
    server.reply("1.result", status=404)
    with pytest.raises(errors.TaskDeletedError):
        bring(TXT)
    assert _files(folder) == {}


def test_a_task_that_has_fewer_results_when_its_urls_are_renewed_is_an_error(
    server: ScriptedServer, bring: Bring
) -> None:
    _completed(server, "1.result", "2.result")
    _completed(server, "1.result")
    server.reply("1.result", b"text")
    server.reply("2.result", status=403)
    with pytest.raises(errors.ResultIntegrityError):
        bring(TXT, PDF)


@pytest.mark.parametrize(
    "second",
    [{"status": 206, "body": b"x", "headers": {"Content-Range": "bytes 1048576-1/9"}}, {"status": 403}],
)
def test_a_download_that_breaks_leaves_no_torso_and_names_the_task(
    *,
    server: ScriptedServer,
    bring: Bring,
    folder: Path,
    landed: list[LandedFile],
    second: dict[str, Any],
    shown: Callable[[BaseException], str],
) -> None:
    _completed(server, "1.result")
    server.reply("1.result", bytes(3 * 1024 * 1024), cut=1024 * 1024)
    server.reply("1.result", **second)
    with pytest.raises((errors.ResultIntegrityError, errors.ResultUnavailableError)) as caught:
        bring(TXT)
    assert caught.value.ocr_task_id == ID
    assert "SECRET" not in shown(caught.value)
    assert (_files(folder), landed) == ({}, [])


def test_what_has_landed_before_a_later_file_fails_stays(
    server: ScriptedServer, bring: Bring, folder: Path, landed: list[LandedFile]
) -> None:
    _completed(server, "1.result", "2.result")
    server.reply("1.result", b"text")
    server.reply("2.result", status=404)
    with pytest.raises(errors.ResultUnavailableError):
        bring(TXT, PDF)
    assert _files(folder) == {"scan.txt": b"text"}
    assert [file.name for file in landed] == ["scan.txt"]


def test_the_service_is_asked_for_fresh_urls_first(server: ScriptedServer, bring: Bring) -> None:
    _completed(server, "1.result")
    server.reply("1.result", b"text")

    def paths(received: list[Received]) -> list[str]:
        return [request.path for request in received]

    bring(TXT)
    assert paths(server.received) == ["getTaskStatus", "1.result"]
