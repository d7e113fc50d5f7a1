# SPDX-License-Identifier: Apache-2.0
"""Where files lie for good, under keys like ``images/<task>/1``.

What was put is there after a power failure, whole; what was deleted is gone. Nothing that lies under a key is
followed anywhere else: whatever is no plain file is not there.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Protocol, Self

import pendulum

_KEY_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_ATTEMPTS = 10
# What removing meets where somebody else changes the same place.
_CHANGES = frozenset({errno.ENOENT, errno.ENOTEMPTY, errno.EISDIR, errno.ENOTDIR})
# A link is not followed, and a pipe does not make its opener wait.
_OPEN_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file that can be read; to be closed. Reading may wait for a disk or a network.

    :param key: where it lies.
    :param size: in bytes.
    :param modified: when it was put; None where the storage does not say.
    :param read: gives at most so many bytes (second argument) from an offset (first argument).
    :param close: ends the reading; may be called twice.
    """

    key: str
    size: int
    modified: pendulum.DateTime | None
    read: Callable[[int, int], bytes]
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Storage(Protocol):
    """Files under keys, whose parts are separated by ``/``. It is for threads: every method may wait."""

    def __str__(self) -> str:
        """Its name for people, without passwords."""

    def local(self, key: str) -> Path | None:
        """Where the file or folder of a key lies on this machine; None if it does not."""

    def put(self, files: Mapping[str, Path]) -> None:
        """Keep the content of local files, for good when this returns. They may be gone then.

        :param files: the local file for each key.
        """

    def fetch(self, files: Mapping[str, Path]) -> None:
        """Copy files to local ones.

        :param files: the local file for each key.
        :raises FileNotFoundError: if one is not there.
        """

    def open(self, key: str) -> StoredFile:
        """Open a file to read any part of it.

        :raises FileNotFoundError: if there is none.
        """

    def files(self, folder: str) -> dict[str, int]:
        """Names and sizes in bytes of the finished files directly in a folder."""

    def names(self, folder: str) -> list[str]:
        """The names of whatever lies directly in a folder; none if it is not there."""

    def changed(self, folder: str) -> pendulum.DateTime | None:
        """When the newest of all below a folder was put; None if there is nothing, or nobody can say."""

    def delete(self, key: str) -> None:
        """Remove a file, or a folder with all below it, if it is there."""


class FolderStorage:
    """A folder of this machine, or one that it has mounted.

    :param root: the folder; it is made if it is not there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def __str__(self) -> str:
        return str(self._root)

    def local(self, key: str) -> Path | None:
        """Every key lies on this machine."""
        return self._path(key)

    def put(self, files: Mapping[str, Path]) -> None:
        """Move files to their places; nobody sees a part of one there."""
        changed = {}
        for key, source in files.items():
            target = self._path(key)
            force_to_disk(source)
            self._move(source, target)
            changed.update(dict.fromkeys(self._folders(target)))
        for folder in changed:
            force_to_disk(folder)

    def fetch(self, files: Mapping[str, Path]) -> None:
        """Copy files."""
        for key, target in files.items():
            with open_plain(self._path(key)) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)

    def open(self, key: str) -> StoredFile:
        """Open a file; it stays readable when it is deleted meanwhile."""
        path = self._path(key)
        file = open_plain(path)
        status = os.fstat(file.fileno())
        return StoredFile(
            key=key,
            size=status.st_size,
            modified=pendulum.from_timestamp(status.st_mtime),
            read=lambda start, length: os.pread(file.fileno(), length, start),
            close=file.close,
        )

    def files(self, folder: str) -> dict[str, int]:
        """The plain files; a name that begins with a dot is that of an unfinished one."""
        return {path.name: path.lstat().st_size for path in plain_files(self._path(folder))}

    def names(self, folder: str) -> list[str]:
        """Also those that begin with a dot."""
        try:
            return [path.name for path in self._path(folder).iterdir()]
        except FileNotFoundError:
            return []

    def changed(self, folder: str) -> pendulum.DateTime | None:
        """Folders count too, and what is being written."""
        path = self._path(folder)
        found = (Path(top, name) for top, _, files in os.walk(path) for name in (".", *files))
        times = [time for entry in found if (time := _modified(entry)) is not None]
        return pendulum.from_timestamp(max(times)) if times else None

    def delete(self, key: str) -> None:
        """Remove what is there, also what is being written there."""
        if {"", ".", ".."}.intersection(key.split("/")):
            raise ValueError(f"{key!r} is not a key of a stored file.")
        remove(self._root / key)
        # No empty folder with a task's name is left either; those of all tasks stay.
        for folder in self._folders(self._root / key)[:-2]:
            remove_empty(folder)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _folders(self, path: Path) -> list[Path]:
        """The folders that lead to a path, the root being the last."""
        return [folder for folder in path.parents if folder.is_relative_to(self._root)]

    def _move(self, source: Path, target: Path) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    _copy_in(source, target)
                # Or somebody else has removed a folder that was still empty.
                elif error.errno != errno.ENOENT or attempt == _ATTEMPTS:
                    raise
                else:
                    continue
            return


def _modified(path: Path) -> float | None:
    """When a local file or folder changed, in seconds since 1970; None if somebody has just removed it."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return None


def _copy_in(source: Path, target: Path) -> None:
    """Move a file to another disk."""
    # What a crash leaves of the copy lies with the task's other files, and goes with them.
    new = target.with_name(f".{uuid.uuid4().hex}")
    try:
        with open_plain(source) as file, new.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        force_to_disk(new)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    source.unlink()


def open_storage(url: str) -> Storage:
    """The storage that a URL names.

    :param url: ``s3://bucket/prefix`` or any other that fsspec knows; ``file://`` and paths are folders.
    :raises ValueError: if nothing can be kept there; says why.
    """
    protocol, separator, path = url.partition("://")
    if not separator or protocol in {"file", "local"}:
        try:
            return FolderStorage(Path(path or url).absolute())
        except OSError as error:
            raise ValueError(f"{url} cannot be a storage: {error}") from error
    from airflow_provider_ocr.server.files.object_storage import ObjectStorage

    return ObjectStorage(url)


def checked_key(key: str) -> str:
    """The key itself.

    :raises ValueError: if a part of it could lead out of the storage or is not a plain name.
    """
    if not is_key(key):
        raise ValueError(f"{key!r} is not a key of a stored file.")
    return key


def is_key(text: str) -> bool:
    """Whether a text is made of plain names, none of which begins with a dot."""
    return all(_KEY_PART.fullmatch(part) for part in text.split("/"))


def plain_files(folder: Path) -> Iterator[Path]:
    """The finished files directly in a local folder: no links, no pipes, no names that are no key's."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_file(follow_symlinks=False) and is_key(entry.name):
            yield Path(entry.path)


def open_plain(path: Path) -> FileIO:
    """Open a local file to read it.

    :raises FileNotFoundError: if it is not there, or is a link, a pipe or a folder.
    """
    try:
        file = FileIO(path, opener=lambda name, _: os.open(name, _OPEN_PLAIN))
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENXIO}:
            raise
        raise FileNotFoundError(errno.ENOENT, "No plain file", str(path)) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileNotFoundError(errno.ENOENT, "No plain file", str(path))
    return file


def force_to_disk(path: Path) -> None:
    """Return when a file's content, or a folder's list of names, would outlive a power failure."""
    descriptor = os.open(path, _OPEN_PLAIN)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a local file or folder with all below it, if it is there.

    :raises OSError: if it cannot be removed, or is filled faster than it is emptied.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            # Somebody else is removing it too, has just made it a folder, or is still writing into it.
            if error.errno not in _CHANGES or attempt == _ATTEMPTS:
                raise
        else:
            return


def remove_empty(folder: Path) -> None:
    """Remove a local folder if there is nothing in it."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTEMPTY}:
            raise
