# SPDX-License-Identifier: Apache-2.0
"""What a document and its request have said is nowhere once it is deleted, and in no log at any time."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import OcrServer
from tests.postgresql import PostgresqlServer

ON_THE_PAGE = "KANARIENVOGEL"
IN_THE_REQUEST = "canary4711"


def page() -> bytes:
    image = Image.new("L", (1600, 600), 255)
    ImageDraw.Draw(image).text((150, 200), ON_THE_PAGE, font=ImageFont.load_default(size=90), fill=0)
    written = io.BytesIO()
    image.save(written, "PNG", dpi=(300, 300))
    return written.getvalue()


def found_in(folder: Path) -> set[str]:
    """The canaries that stand in a file of a folder, the names of files included."""
    words = (ON_THE_PAGE, IN_THE_REQUEST)
    files = [path for path in folder.rglob("*") if path.is_file()]
    texts = [path.name.encode() + path.read_bytes() for path in files]
    return {word for word in words if any(word.encode() in text for text in texts)}


def purge(data: Path, options: list[str]) -> str:
    command = [str(Path(sys.executable).with_name("cloud-ocr-server")), "tasks", "purge", "--yes"]
    done = subprocess.run(
        [*command, "--data", str(data), *options], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("sqlite", "deleteTask"),
        ("postgresql", "purge"),
        pytest.param("sqlite", "purge", marks=pytest.mark.long),
        pytest.param("postgresql", "deleteTask", marks=pytest.mark.long),
    ],
)
def test_after_it_is_deleted_nothing_of_a_document_is_left(
    *,
    kind: str,
    way: str,
    request: pytest.FixtureRequest,
    serve: Callable[[Callable[[BaseHTTPRequestHandler], None]], str],
    new_ocr_server: Callable[..., OcrServer],
    connect: Callable[[OcrServer], CloudOcrClient],
    wait_for: Callable[..., OcrTask],
    tmp_path: Path,
) -> None:
    def send_page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(page())

    postgresql: PostgresqlServer | None = None
    options: list[str] = []
    if kind == "postgresql":
        postgresql = request.getfixturevalue("postgresql")
        options = ["--database", postgresql.new_database()]
    server = new_ocr_server(workers=1, options=options)
    client = connect(server)
    settings = ProcessingSettings.parse(
        export_format="txt,xml,pdfSearchable", description=IN_THE_REQUEST, pdf_password=IN_THE_REQUEST
    )
    source = f"{serve(send_page)}/page?signature={IN_THE_REQUEST}"
    task = wait_for(client, client.process_remote_image(source, settings).id)
    assert task.status == "Completed", task.error
    assert ON_THE_PAGE in requests.get(task.result_urls[0], timeout=20).text
    data = tmp_path / "data"
    assert found_in(data) == {ON_THE_PAGE}  # what a request says is never written in the clear
    if way == "purge":
        assert "1" in purge(data, options)
    else:
        client.delete_task(task.id)
    assert [left.status for left in client.list_tasks()] == ["Deleted"]
    assert found_in(data) == set()
    assert IN_THE_REQUEST not in server.log.read_text()
    if postgresql is not None:
        assert not postgresql.holds(IN_THE_REQUEST.encode())
        assert postgresql.holds(task.id.encode())
