# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server serve --recognition none``: a whole server, for staging, that reads nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import requests

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from demo.ocr_server import OcrServer

SOURCE = "https://user:canary-user@nowhere.invalid/a.tif?sig=canary-signature"
SETTINGS = ProcessingSettings.parse(export_format="docx")


def test_it_takes_its_time_says_that_it_reads_nothing_and_goes_on_after_a_restart(
    new_ocr_server: Callable[..., OcrServer],
    connect: Callable[[OcrServer], CloudOcrClient],
    wait_for: Callable[..., OcrTask],
    tmp_path: Path,
) -> None:
    rehearsing = ("--recognition", "none", "--recognition-seconds")
    slow = new_ocr_server(options=(*rehearsing, "600"))
    client = connect(slow)
    made = client.process_remote_image(SOURCE, SETTINGS)
    wait_for(client, made.id, "InProgress")
    begin = time.monotonic()
    slow.stop()
    assert time.monotonic() - begin < 10
    assert "nothing is recognised: every result says so, and no source is fetched" in slow.log.read_text()

    client = connect(new_ocr_server(options=(*rehearsing, "0.1")))
    done = wait_for(client, made.id)
    assert (done.status, done.credits) == ("Completed", 5)
    answer = requests.head(done.result_urls[0], timeout=10)
    assert answer.headers["X-Ocr-Engine"] == "none (nothing was recognised)"

    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"canary" in content for content in kept)
