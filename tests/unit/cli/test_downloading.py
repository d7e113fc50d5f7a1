# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import OcrServer, ScanServer

TASK = "7db0c518-44e9-4033-8ab2-e8b1abff990f"


def completed(scripted: Any, *names: str) -> None:
    """A task whose result files have these names."""
    urls = tuple(f"{scripted.url}/{name}?sig=recognisable" for name in names)
    scripted.reply("getTaskStatus", render_tasks([OcrTask(id=TASK, status="Completed", result_urls=urls)]))


def test_results_are_downloaded(
    real: OcrServer, scans: ScanServer, ocr: Callable[..., Any], samples: Path, tmp_path: Path
) -> None:
    source = f"{scans.url}/receipt.png"
    ocr_task_id = ocr("submit", source, "--export-format", "txt,pdfSearchable").out.strip()
    assert ocr("wait", ocr_task_id, "--poll-interval", "2").code == 0
    words = ("--export-format", "txt,pdfSearchable", "--destination", str(tmp_path / "new"), "-o", "json")
    ran = ocr("download", ocr_task_id, *words)
    assert (ran.code, ran.err) == (0, "")
    for row, extension in zip(ran.rows, ["txt", "pdf"], strict=True):
        file = tmp_path / "new" / f"{ocr_task_id}.{extension}"
        content = file.read_bytes()
        assert row["file"] == str(file)
        assert (row["size"], row["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert sorted(path.suffix for path in (tmp_path / "new").iterdir()) == [".pdf", ".txt"]


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_it_goes_to_a_folder_or_a_url_under_a_name(
    scheme: str, scripted: Any, ocr: Callable[..., Any], tmp_path: Path
) -> None:
    completed(scripted, "a")
    scripted.reply("a", b"text")
    words = ("--destination", f"{scheme}{tmp_path}/", "--name", "letter", "-o", "json")
    [row] = ocr("download", TASK, "--export-format", "txt", *words).rows
    assert row["file"] == f"{scheme}{tmp_path}/letter.txt"
    assert (tmp_path / "letter.txt").read_bytes() == b"text"


def test_the_current_folder_is_the_default(
    scripted: Any, ocr: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    completed(scripted, "a")
    scripted.reply("a", b"text")
    assert ocr("download", TASK, "--export-format", "txt").code == 0
    assert (tmp_path / f"{TASK}.txt").read_bytes() == b"text"


def test_a_file_that_does_not_come_whole_is_absent(
    scripted: Any, ocr: Callable[..., Any], tmp_path: Path
) -> None:
    completed(scripted, "a", "b")
    scripted.reply("a", b"text")
    scripted.reply("b", status=404)
    ran = ocr("download", TASK, "--export-format", "txt,xml", "--destination", str(tmp_path))
    assert (ran.code, ran.out) == (1, "")
    assert "recognisable" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == [f"{TASK}.txt"]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        ("Queued", 4, f"`airflow ocr wait {TASK}`"),
        ("ProcessingFailed", 3, "failed"),
        ("Deleted", 3, "is deleted"),
    ],
)
def test_a_task_without_results_gives_the_exit_code(
    *, status: str, code: int, words: str, scripted: Any, ocr: Callable[..., Any], tmp_path: Path
) -> None:
    scripted.reply("getTaskStatus", render_tasks([OcrTask(id=TASK, status=status)]))
    ran = ocr("download", TASK, "--export-format", "txt", "--destination", str(tmp_path / "new"))
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("destination", ["/proc/nowhere", "nostore://bucket/texts"], ids=["folder", "store"])
def test_a_destination_that_cannot_be_written_is_named(
    destination: str, scripted: Any, ocr: Callable[..., Any]
) -> None:
    completed(scripted, "a")
    scripted.reply("a", b"text")
    ran = ocr("download", TASK, "--export-format", "txt", "--destination", destination)
    assert (ran.code, ran.out) == (1, "")
    assert f"cannot be written to {destination}: " in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--export-format", "tx"),
        ("--export-format", "txt", "--name", "../letter"),
        ("--export-format", "txt", "--destination", ""),
        ("--export-format", "txt", "--destination", " "),
    ],
    ids=["format", "name", "destination", "blank destination"],
)
def test_what_cannot_be_meant_is_a_usage_error(
    words: tuple[str, ...], scripted: Any, ocr: Callable[..., Any]
) -> None:
    assert ocr("download", TASK, *words).code == 2
    assert scripted.received == []


def test_a_person_at_a_terminal_sees_how_much_has_come(
    scripted: Any, ocr: Callable[..., Any], on_screen: Callable[[], Any], tmp_path: Path
) -> None:
    screen = on_screen()
    completed(scripted, "a")
    scripted.reply("a", b"x" * 3_000_000)
    assert ocr("download", TASK, "--export-format", "txt", "--destination", str(tmp_path)).code == 0
    assert "3.0/3.0 MB" in screen.getvalue()
