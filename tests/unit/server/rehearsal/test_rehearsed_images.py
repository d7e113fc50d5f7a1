# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from pathlib import Path

import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.recognition.file_types import is_known_type
from airflow_provider_ocr.server.rehearsal.rehearsed_images import RehearsedFetcher, source_of
from airflow_provider_ocr.server.rehearsal.script import Script
from airflow_provider_ocr.server.sources.source import FetchStoppedError
from tests.unit.server.scans import png


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://example.com/a.tif", "https://example.com/a.tif"),
        ("https://user:canary@example.com:8080/a.tif?sig=canary#canary", "https://example.com:8080/a.tif"),
        ("http://[::1]/ä%20b.tif", "http://[::1]/ä%20b.tif"),
    ],
)
def test_the_note_names_the_source_without_its_secrets(tmp_path: Path, url: str, source: str) -> None:
    note = tmp_path / "image"
    RehearsedFetcher(Script()).fetch(url, note)
    assert source_of(note) == source
    assert b"canary" not in note.read_bytes()


def test_an_image_that_was_sent_has_no_source_and_no_note_can_be_sent(tmp_path: Path) -> None:
    sent, note = tmp_path / "sent", tmp_path / "note"
    sent.write_bytes(png())
    RehearsedFetcher(Script()).fetch("https://example.com/a.tif", note)
    assert source_of(sent) == ""
    assert not is_known_type(note)


def test_a_stop_ends_a_fetch_that_is_held_and_leaves_nothing(tmp_path: Path) -> None:
    script, stopped = Script(), threading.Event()
    script.hold(TaskStatus.SUBMITTED)
    fetcher = RehearsedFetcher(script)

    def fetch() -> None:
        with pytest.raises(FetchStoppedError):
            fetcher.fetch("https://example.com/a.tif", tmp_path / "image")
        stopped.set()

    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    assert not stopped.wait(0.05)
    fetcher.close()
    assert stopped.wait(5)
    assert not (tmp_path / "image").exists()
