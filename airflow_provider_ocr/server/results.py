# SPDX-License-Identifier: Apache-2.0
"""Images and result files in the data folder, and the signed URLs that lead to the results.

An image and a result folder are complete or absent: each is filled under another name and moved into place
whole. A signature names one file and one expiry time and is good for nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import shutil
import uuid
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

import pendulum

from airflow_provider_ocr.protocol.vocabulary import ExportFormat

URL_LIFETIME_HOURS = 10


class ResultFiles:
    """The files of all tasks.

    :param folder: the server's data folder.
    """

    def __init__(self, folder: Path) -> None:
        self._incoming = folder / "incoming"
        self._images = folder / "images"
        self._work = folder / "work"
        self._results = folder / "results"
        for directory in (self._incoming, self._images, self._work, self._results):
            directory.mkdir(parents=True, exist_ok=True)
        self._key = _load_or_make_key(folder / "url.key")

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Where an image may be written to until `keep` takes it; gone afterwards if that did not happen."""
        path = self._incoming / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def keep(self, incoming: Path, ocr_task_id: str, number: int = 1) -> None:
        """Make a file that came in a task's image, for good when this returns.

        :param number: which of the task's images it is, counted from 1; one that is there is replaced.
        """
        target = self.image(ocr_task_id, number)
        target.parent.mkdir(exist_ok=True)
        _force_to_disk(incoming)
        incoming.replace(target)
        for folder in (target.parent, self._images):
            _force_to_disk(folder)

    def image(self, ocr_task_id: str, number: int = 1) -> Path:
        """Where an image of a task lies, or will."""
        return self._images / ocr_task_id / str(number)

    def new_work_folder(self, ocr_task_id: str) -> Path:
        """An empty folder to recognise into; what an earlier attempt left there is gone."""
        folder = self._work / ocr_task_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def publish(self, ocr_task_id: str) -> None:
        """Make the content of a task's work folder its results."""
        target = self._results / ocr_task_id
        shutil.rmtree(target, ignore_errors=True)
        (self._work / ocr_task_id).rename(target)

    def discard_work(self, ocr_task_id: str) -> None:
        """Remove what an unsuccessful attempt wrote."""
        shutil.rmtree(self._work / ocr_task_id, ignore_errors=True)

    def result(self, ocr_task_id: str, position: int, export_format: ExportFormat) -> Path:
        """Where a task's result file lies; ``position`` counts the export formats from 1."""
        return self._results / ocr_task_id / f"result{position}.{export_format.file_type.extension}"

    def delete(self, ocr_task_id: str) -> None:
        """Remove everything that belongs to a task."""
        for parent in (self._images, self._work, self._results):
            shutil.rmtree(parent / ocr_task_id, ignore_errors=True)

    def clear_up(self, owners: Set[str]) -> None:
        """Remove what a stopped server left half done.

        :param owners: the IDs of the tasks whose images and results are to stay.
        """
        for parent in (self._incoming, self._work):
            for leftover in parent.iterdir():
                _remove(leftover)
        for parent in (self._images, self._results):
            for found in parent.iterdir():
                if found.name not in owners:
                    _remove(found)

    def signed_path(self, ocr_task_id: str, position: int, *, now: pendulum.DateTime) -> str:
        """Path and query that lead to a result for the next 10 hours."""
        expires = int(now.add(hours=URL_LIFETIME_HOURS).timestamp())
        signature = self._signature(ocr_task_id, str(position), str(expires)).decode()
        return f"/results/{ocr_task_id}/{position}?expires={expires}&signature={signature}"

    def is_valid(
        self, ocr_task_id: str, position: str, *, expires: str, signature: str, now: pendulum.DateTime
    ) -> bool:
        """Whether expiry time and signature, as they stand in a URL, open this result now."""
        expected = self._signature(ocr_task_id, position, expires)
        # Only a number that was signed here is read as one.
        return hmac.compare_digest(expected, signature.encode()) and now.timestamp() <= int(expires)

    def was_signed_before(self, time: pendulum.DateTime, *, expires: str) -> bool:
        """Whether a valid URL with this expiry time was made before ``time``, in whole seconds."""
        return int(expires) - URL_LIFETIME_HOURS * 3600 < int(time.timestamp())

    def _signature(self, ocr_task_id: str, position: str, expires: str) -> bytes:
        message = f"{ocr_task_id}/{position}/{expires}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest().encode()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load_or_make_key(path: Path) -> bytes:
    if not path.exists():
        path.touch(mode=0o600)
    key = path.read_bytes()
    if not key:
        key = secrets.token_bytes(32)
        path.write_bytes(key)
    return key
