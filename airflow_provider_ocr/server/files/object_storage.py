# SPDX-License-Identifier: Apache-2.0
"""Files in an object store, or at any other place that fsspec reaches.

Memory holds a few pieces of a file, whatever its size. Whether a file is gone is looked at, because a store's
answer to a deletion may hide what was refused. For threads only: every call waits for the network.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from io import FileIO
from pathlib import Path
from typing import Any

import fsspec
import pendulum
from fsspec.spec import AbstractBufferedFile

from airflow_provider_ocr.server.files.storage import StoredFile, checked_key, is_key, open_plain

# The smallest part of an upload that S3 takes is 5 MiB.
_PIECE_BYTES = 5 * 1024 * 1024
_TRANSFERS_AT_ONCE = 8
_DELETE_ATTEMPTS = 3

_log = logging.getLogger("cloud_ocr_server")


class StorageError(OSError):
    """The storage did not do what was asked; says what, and why."""


class ObjectStorage:
    """Files below an fsspec URL.

    :param url: such as ``s3://bucket/prefix``; credentials and options are those that fsspec finds.
    :raises ValueError: if nothing can be kept there; says why.
    """

    def __init__(self, url: str) -> None:
        # A URL may hold a password.
        self._shown = re.sub(r"//[^/@]*@", "//", url)
        if "::" in url:
            raise ValueError(f"{self._shown} is a chain of file systems; give one that keeps files itself.")
        try:
            # A listing of a moment ago does not show what other servers have done since.
            self._remote, root = fsspec.url_to_fs(url, use_listings_cache=False, skip_instance_cache=True)
        except (ImportError, ValueError) as error:
            raise ValueError(f"{self._shown} cannot be a storage: {error}") from error
        self._root = root.rstrip("/")
        self._try_out()
        self._warn_of_versions()

    def __str__(self) -> str:
        return self._shown

    def local(self, key: str) -> Path | None:  # noqa: ARG002 - the answer is the same for every key
        """Nothing lies on this machine."""
        return None

    def put(self, files: Mapping[str, Path]) -> None:
        """Upload files; when this returns the store has them."""
        self._transfer(self._upload, files)

    def fetch(self, files: Mapping[str, Path]) -> None:
        """Download files."""
        self._transfer(self._download, files)

    def open(self, key: str) -> StoredFile:
        """Look a file up; each reading is a request of its own."""

        def read(start: int, length: int) -> bytes:
            with self._telling("read", key) as path:
                return self._read(path, start, length)

        with self._telling("find", key) as path:
            size, modified = self._size(path), self._modified(path)
        return StoredFile(key=key, size=size, modified=modified, read=read, close=lambda: None)

    def files(self, folder: str) -> dict[str, int]:
        """Names and sizes of the files directly in a folder."""
        with self._telling("list", folder) as path:
            return {name: item["size"] for name, item in self._list(path) if item["type"] == "file"}

    def names(self, folder: str) -> list[str]:
        """The names directly in a folder, but for those that are nobody's key."""
        with self._telling("list", folder) as path:
            return [name for name, _ in self._list(path)]

    def changed(self, folder: str) -> pendulum.DateTime | None:
        """One that the store does not tell of makes it unknown when the newest was put."""
        with self._telling("list", folder) as path:
            times = []
            for name in self._remote.find(path):
                try:
                    times.append(self._modified(name))
                except FileNotFoundError:
                    continue  # somebody else has removed it
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None

    def delete(self, key: str) -> None:
        """Remove what is there, and see that it is gone."""
        with self._telling("delete", key) as path:
            for _ in range(_DELETE_ATTEMPTS):
                if not self._remote.exists(path):
                    return
                try:
                    self._remote.rm(path, recursive=True)
                except FileNotFoundError:
                    continue  # somebody else has removed it
            if self._remote.exists(path):
                raise PermissionError("it is still there")

    def _list(self, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        try:
            found = self._remote.ls(path, detail=True)
        except FileNotFoundError:
            return
        for item in found:
            name = item["name"].rstrip("/").rpartition("/")[2]
            # Some stores list a folder as a part of itself.
            if item["name"].strip("/") != path.strip("/") and is_key(name):
                yield name, item

    def _size(self, path: str) -> int:
        info = self._remote.info(path)
        if info["type"] != "file":
            raise FileNotFoundError(path)
        return int(info["size"])

    def _modified(self, path: str) -> pendulum.DateTime | None:
        try:
            modified: datetime = self._remote.modified(path)
        except NotImplementedError:
            return None
        return pendulum.instance(modified)

    def _read(self, path: str, start: int, length: int) -> bytes:
        content: bytes = self._remote.cat_file(path, start=start, end=start + length)
        return content

    def _transfer(self, one: Callable[[str, Path], None], files: Mapping[str, Path]) -> None:
        _refuse_event_loop()
        with ThreadPoolExecutor(_TRANSFERS_AT_ONCE) as threads:
            for done in [threads.submit(one, key, path) for key, path in files.items()]:
                done.result()

    def _upload(self, key: str, source: Path) -> None:
        with open_plain(source) as file, self._telling("keep", key) as path:
            try:
                self._send(file, path)
            except FileNotFoundError:
                # A place with true folders. But what is to hold them all is not made by mistake.
                if not self._remote.exists(self._root):
                    raise
                self._remote.makedirs(path.rpartition("/")[0], exist_ok=True)
                file.seek(0)
                self._send(file, path)

    def _send(self, file: FileIO, path: str) -> None:
        if os.fstat(file.fileno()).st_size <= _PIECE_BYTES:
            self._remote.pipe_file(path, file.readall())
            return
        # Committed by hand: a file that is closed by an error must not pass for a whole one.
        upload = self._remote.open(path, "wb", block_size=_PIECE_BYTES, autocommit=False)
        try:
            shutil.copyfileobj(file, upload, _PIECE_BYTES)
            upload.close()
        except BaseException:
            if isinstance(upload, AbstractBufferedFile):
                upload.closed = True  # or its finalizer would go on with the upload
            upload.discard()
            raise
        upload.commit()

    def _download(self, key: str, target: Path) -> None:
        with self._telling("give", key) as path, target.open("wb") as file:
            size = self._size(path)
            for start in range(0, size, _PIECE_BYTES):
                file.write(self._read(path, start, min(_PIECE_BYTES, size - start)))
            if file.tell() != size:
                raise EOFError(f"only {file.tell()} of {size} bytes came")

    @contextmanager
    def _telling(self, action: str, key: str) -> Iterator[str]:
        """Give a key's path, and make an error say what could not be done, whatever library raises it."""
        _refuse_event_loop()
        path = f"{self._root}/{checked_key(key)}"
        try:
            yield path
        except FileNotFoundError as error:
            raise FileNotFoundError(errno.ENOENT, "No such file", f"{self._shown}: {key}") from error
        except Exception as error:
            message = f"{self._shown} did not {action} {key}: {type(error).__name__}: {error}"
            raise StorageError(message) from error

    def _try_out(self) -> None:
        """Keep, read and remove a small file now, rather than fail with the first image."""
        key, content = f"trial-{uuid.uuid4().hex}", b"May be removed."
        try:
            with self._telling("keep", key) as path:
                self._remote.pipe_file(path, content)
            with self.open(key) as file:
                if file.read(0, file.size) != content:
                    raise ValueError("it gives back something else than it was given")
            self.delete(key)
        except (OSError, ValueError) as error:
            raise ValueError(f"{self._shown} cannot be a storage: {error}") from error

    def _warn_of_versions(self) -> None:
        ask = getattr(self._remote, "is_bucket_versioned", None)
        if ask is None:
            return
        try:
            versioned = ask(self._root.partition("/")[0])
        except Exception as error:  # noqa: BLE001 - a store that tells nobody is used all the same
            _log.warning("%s does not say whether it keeps old versions: %s", self._shown, error)
            return
        if versioned:
            _log.warning(
                "%s keeps old versions: deleted images and results stay there until a lifecycle rule of the "
                "bucket removes them",
                self._shown,
            )


def _refuse_event_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("A storage was used on the thread of an event loop, which must not wait.")
