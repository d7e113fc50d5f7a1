# SPDX-License-Identifier: Apache-2.0
"""The child's jobs, run without a process of their own, and what it says for what it could not do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from airflow_provider_ocr.server.recognition.child import run
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.errors import RecognitionError


def job(image: Path, output: Path, formats: str) -> dict[str, Any]:
    return {"images": [str(image)], "settings": {"exportFormat": formats}, "output": str(output)}


def test_result_files_come_in_the_order_of_the_formats(
    engine: Engine, draw: Callable[..., Any], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    drawing = draw()
    drawing.image.rotate(90, expand=True).save(tmp_path / "a.png", dpi=(300, 300))
    *pages, done = run(job(tmp_path / "a.png", output, "xml,txt,pdfSearchable"), engine)
    assert pages == [{"event": "page", "page": 1, "pages": 1}]
    assert (done["event"], done["rotated_pages"], done["blank_pages"]) == ("done", 1, 0)
    assert [Path(file["path"]).name for file in done["files"]] == [
        "result1.xml",
        "result2.txt",
        "result3.pdf",
    ]
    assert {path.name: path.stat().st_size for path in output.iterdir()} == {
        Path(file["path"]).name: file["size"] for file in done["files"]
    }
    assert " ".join((output / "result2.txt").read_text("utf-8-sig").split()) == drawing.text
    document = pypdfium2.PdfDocument(output / "result3.pdf")
    assert " ".join(document[0].get_textpage().get_text_range().split()) == drawing.text
    document.close()


def test_a_document_that_cannot_be_read_leaves_no_page_images(engine: Engine, tmp_path: Path) -> None:
    output = tmp_path / "out"
    output.mkdir()
    (tmp_path / "a").write_bytes(b"no image")
    with pytest.raises(RecognitionError, match="not an image"):
        list(run(job(tmp_path / "a", output, "pdfSearchable"), engine))
    assert list(output.iterdir()) == []


def test_a_process_whose_parent_is_another_ends_at_once() -> None:
    limits = ["--memory-bytes", str(2**32), "--file-bytes", str(2**32), "--parent", str(os.getpid() + 1)]
    ended = subprocess.run(
        [sys.executable, "-m", "airflow_provider_ocr.server.recognition.child", *limits],
        capture_output=True,
        input=json.dumps({}),
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "is gone" in ended.stderr
    assert ended.stdout == ""
