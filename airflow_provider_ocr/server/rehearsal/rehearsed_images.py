# SPDX-License-Identifier: Apache-2.0
"""Images that are not there: in the place of each stands a note that names its source."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.rehearsal.script import Script
from airflow_provider_ocr.server.sources.source import FetchStoppedError

# Like no image's first bytes, so that nobody can send a note.
_MARK = b"instead of the image at "
_LONGEST_NOTE = 64 * 1024


class RehearsedFetcher:
    """Notes where an image would come from, and goes nowhere.

    :param script: tells how long tasks stay Submitted.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self._closed = False

    def fetch(self, url: str, target: Path) -> None:
        """Write the note.

        :raises FetchStoppedError: if the fetcher is closed.
        """
        self._script.stay(TaskStatus.SUBMITTED, seconds=0, cancelled=lambda: self._closed)
        if self._closed:
            raise FetchStoppedError
        target.write_bytes(_MARK + bare(url).encode())

    def close(self) -> None:
        """End all fetches."""
        self._closed = True
        self._script.wake()


def source_of(image: Path) -> str:
    """The source that a file was noted for, without its secrets; empty for an image that was sent."""
    with image.open("rb") as file:
        start = file.read(_LONGEST_NOTE)
    return start.removeprefix(_MARK).decode() if start.startswith(_MARK) else ""


def bare(url: str) -> str:
    """A URL without what may be secret: user, password, query and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
