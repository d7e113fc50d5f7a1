# SPDX-License-Identifier: Apache-2.0
"""Recognised pages on disk, one file each, complete or absent. Loads no engine.

A recognition process writes and reads pages; the process that supervises it only counts them, and marks
those that failed. A marked page is there as a picture of itself once it has a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.recognition.page_encoding import PAGE_FORMAT, decode_page, encode_page

_PAGE, _FAILED = ".page", ".failed"
_KEY_LENGTH = 16


def recognition_key(settings: ProcessingSettings) -> str:
    """A short name for everything in ``settings`` that pages depend on, and for what recognises them.

    Documents recognised under one key differ in nothing but what is exported of them.

    :param settings: what ``support.supported`` has accepted.
    """
    values = {
        "recogniser": [__version__, _engine_version(), PAGE_FORMAT],
        "language": settings.language,
        "profile": settings.profile,
        "textType": settings.text_type,
        "imageSource": settings.image_source,
        "correctOrientation": settings.correct_orientation,
        "correctSkew": settings.correct_skew,
        "variants": settings.write_recognition_variants,
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:_KEY_LENGTH]


@cache
def _engine_version() -> str:
    try:
        return version("tesserocr")
    except PackageNotFoundError:  # nothing is recognised on this machine
        return "none"


class KeptPages:
    """The pages of one document in ``folder``, which exists."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def numbers(self) -> frozenset[int]:
        """The pages that are kept."""
        return self._numbered(_PAGE)

    def failures(self) -> frozenset[int]:
        """The pages that are marked as failed, whether or not they are kept."""
        return self._numbered(_FAILED)

    def keep(self, page: Page, *, pages: int) -> None:
        """Keep a page, for good when this returns.

        :param pages: how many its document has.
        """
        path = self._path(page.number, _PAGE)
        # Another process may be writing the same page, after its parent has lost the task.
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        with temporary.open("wb") as file:
            file.write(encode_page(page, pages=pages))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def read(self, number: int) -> tuple[Page, int]:
        """A page, and how many its document has.

        :raises FileNotFoundError: if it is not kept.
        :raises ValueError: if its file is damaged.
        """
        return decode_page(self._path(number, _PAGE).read_bytes())

    def mark_failed(self, number: int) -> None:
        """Have a page kept as a picture of itself from now on.

        :raises FileExistsError: if it is marked already.
        """
        self._path(number, _FAILED).touch(exist_ok=False)

    def forget_failures(self) -> None:
        """Have the pages that failed recognised again."""
        for number in self.failures():
            self._path(number, _PAGE).unlink(missing_ok=True)
            self._path(number, _FAILED).unlink(missing_ok=True)

    def _path(self, number: int, kind: str) -> Path:
        return self._folder / f"{number}{kind}"

    def _numbered(self, kind: str) -> frozenset[int]:
        with os.scandir(self._folder) as entries:
            stems = [entry.name.removesuffix(kind) for entry in entries if entry.name.endswith(kind)]
        return frozenset(int(stem) for stem in stems if stem.isascii() and stem.isdigit())
