# SPDX-License-Identifier: Apache-2.0
"""The child as a program: what it answers line by line, and when it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.tessdata import Tessdata

CHILD = "airflow_provider_ocr.server.recognition.child"


def answers(
    tessdata: Path, *jobs: dict[str, Any], **options: object
) -> tuple[list[dict[str, Any]], int, str]:
    """What the child says to jobs until its input ends, its exit status and what it logs."""
    given = {"tessdata": tessdata, "address_space": 2**33, "file_bytes": 2**32, "parent": os.getpid()}
    words = [
        part
        for name, value in (given | options).items()
        for part in (f"--{name.replace('_', '-')}", str(value))
    ]
    ended = subprocess.run(
        [sys.executable, "-m", CHILD, *words],
        input="".join(json.dumps(job) + "\n" for job in jobs),
        capture_output=True,
        text=True,
        check=False,
    )
    return [json.loads(line) for line in ended.stdout.splitlines()], ended.returncode, ended.stderr


@pytest.fixture
def image(tmp_path: Path) -> Path:
    Image.new("1", (200, 100), 1).save(tmp_path / "image", "PNG", dpi=(100, 100))
    return tmp_path / "image"


def measure(image: Path) -> dict[str, Any]:
    return {"job": "measure", "images": [str(image)], "password": ""}


def recognise(image: Path, pages: Path) -> dict[str, Any]:
    settings = {"exportFormat": "txt"}
    return {
        "job": "recognise",
        "images": [str(image)],
        "settings": settings,
        "pages": str(pages),
        "seconds": None,
    }


def test_jobs_are_answered_until_the_input_ends(tessdata: Tessdata, image: Path, tmp_path: Path) -> None:
    pages, output = tmp_path / "pages", tmp_path / "output"
    pages.mkdir()
    output.mkdir()
    export = {**recognise(image, pages), "job": "export", "output": str(output)}
    said, status, _ = answers(tessdata.folder, measure(image), recognise(image, pages), export)
    assert [line["event"] for line in said] == [
        "ready",
        "measured",
        *("begun", "page", "recognised"),
        *("begun", "page", "exported"),
    ]
    assert said[-1]["pages"] == 1
    assert status == 0


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"", "document"), (b"no image", "unsupported"), (b"II*\0\xff\xff\xff\xff", "document")],
)
def test_a_document_that_is_at_fault_does_not_end_the_process(
    tessdata: Tessdata, image: Path, tmp_path: Path, content: bytes, fault: str
) -> None:
    (tmp_path / "bad").write_bytes(content)
    said, status, _ = answers(tessdata.folder, measure(tmp_path / "bad"), measure(image))
    assert [line["event"] for line in said] == ["ready", "failed", "measured"]
    assert said[1]["fault"] == fault
    assert status == 0


def test_what_nobody_has_foreseen_ends_the_process_and_stays_in_its_log(
    tessdata: Tessdata, image: Path
) -> None:
    job = {**measure(image), "job": "/a/path/of/the/server"}
    said, status, log = answers(tessdata.folder, job, measure(image))
    assert said[1:] == [
        {
            "event": "failed",
            "fault": "unexpected",
            "error": "The document could not be worked on (ValueError).",
            "page": None,
        }
    ]
    assert "/a/path/of/the/server" in log
    assert status == 1


@pytest.mark.parametrize(
    ("image_name", "folder", "error"),
    [
        ("absent", "/", "The document could not be worked on: No such file or directory."),
        ("image", "/proc/self/fdinfo", "Page 1 could not be worked on: Operation not permitted."),
    ],
)
def test_what_the_system_refuses_is_not_put_down_to_the_document(
    *, tessdata: Tessdata, image: Path, image_name: str, folder: str, error: str
) -> None:
    said, status, _ = answers(tessdata.folder, recognise(image.with_name(image_name), Path(folder)))
    assert said[-1]["fault"] == "system"
    assert said[-1]["error"] == error or image_name == "image"
    assert status == 1


def test_a_file_that_grows_too_large_is_named(tessdata: Tessdata, image: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    said, _, _ = answers(tessdata.folder, recognise(image, pages), file_bytes=10)
    assert said[-1]["event"] == "failed"
    assert said[-1]["error"] == "A result file would become larger than is allowed."


def test_little_address_space_is_a_fault_of_memory(tessdata: Tessdata, image: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    said, status, _ = answers(tessdata.folder, recognise(image, pages), address_space=2**30)
    assert said[-1] == {
        "event": "failed",
        "fault": "memory",
        "error": "Page 1 needs more memory than is allowed.",
        "page": 1,
    }
    assert status == 1
    assert list(pages.iterdir()) == []


def test_a_process_whose_parent_is_another_ends_at_once(tessdata: Tessdata, image: Path) -> None:
    said, status, log = answers(tessdata.folder, measure(image), parent=os.getpid() + 1)
    assert (said, status) == ([], 1)
    assert "is gone" in log
