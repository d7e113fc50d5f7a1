# SPDX-License-Identifier: Apache-2.0
"""A stream of bytes becomes a file that is complete or absent, on any fsspec filesystem.

How depends on the store. A local file is written beside its place, synced, and moved into place. S3, GCS
and Azure hold an upload back until it is committed. On any other store the file is written under a temporary
name and then renamed, which is as atomic as that store's rename.

Leaving a plain ``with open(...)`` block on an error would publish the torso; that is why nothing here
uses one. What a store refuses is an `OSError`, whatever its driver makes of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_ocr.lifecycle.existing import Found, IfExists, find, is_wanted
from airflow_provider_ocr.lifecycle.leftovers import (
    abort_dead_uploads,
    locked_temporary,
    remove_dead_temporaries,
    remove_unlocked_temporaries,
    temporary_name,
)
from airflow_provider_ocr.lifecycle.two_hands import write_while_reading

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

BLOCK_BYTES = 8 * 1024 * 1024

_HOLDS_UPLOADS_BACK = frozenset({"s3", "s3a", "gs", "gcs"})
_COMMITS_BY_CLOSING = frozenset({"abfs", "abfss", "adl", "az"})


@dataclass(frozen=True, slots=True)
class Published:
    """What is there now.

    :param size: bytes.
    :param sha256: hexadecimal digest of the content.
    :param written: False if the same content was there already and has been left as it was.
    """

    size: int
    sha256: str
    written: bool = True


def publish(
    filesystem: AbstractFileSystem,
    path: str,
    content: Iterable[bytes],
    *,
    if_exists: IfExists = IfExists.OVERWRITE,
    writer: str = "",
) -> Published:
    """Write ``content`` to ``path`` completely or not at all.

    :param filesystem: where to.
    :param content: the file in pieces.
    :param path: as the filesystem takes it. Missing parents are made where the store has folders.
    :param content: is taken once, whatever is there already.
    :param if_exists: what to do about that.
    :param writer: who writes, by a name that no other has at the same time. What the same writer left when it
        was killed is then removed, wherever it can be told from what is being written.
    :raises FileExistsError: if something else is there, and was not to be replaced.
    :raises Exception: whatever ``content`` or the store raises; then ``path`` is as it was.
    """
    protocols = {filesystem.protocol} if isinstance(filesystem.protocol, str) else set(filesystem.protocol)
    pieces = iter(content)
    # Content that does not even begin leaves no trace, not so much as a folder.
    first = next(pieces, b"")
    counted = _Counted(chain([first], pieces))
    if protocols & {"file", "local"}:
        put = _write_beside_and_move
    elif protocols & _HOLDS_UPLOADS_BACK:
        put = _upload_and_commit
    elif protocols & _COMMITS_BY_CLOSING:
        put = _upload_blocks
    else:
        put = _upload_and_rename
    written = put(_Place(filesystem, path, if_exists, writer), counted)
    return Published(counted.size, counted.sha256, written)


class _Counted:
    """Measures what passes through."""

    def __init__(self, content: Iterable[bytes]) -> None:
        self._content = content
        self.size = 0
        self.digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self.digest.hexdigest()

    def write_to(self, file: Any) -> None:
        def write(piece: bytes) -> None:
            self.size += len(piece)
            self.digest.update(piece)
            file.write(piece)

        write_while_reading(self._content, write)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the content goes, and what to do if something is there."""

    filesystem: AbstractFileSystem
    path: str
    if_exists: IfExists
    writer: str

    def wants(self, content: _Counted) -> bool:
        """Whether the content, all of which has come, is to be put here."""
        size, sha256 = content.size, content.sha256
        return is_wanted(self.filesystem, self.path, size=size, sha256=sha256, if_exists=self.if_exists)

    def has(self, content: _Counted) -> bool:
        """Whether that very content is here."""
        found = find(self.filesystem, self.path, size=content.size, sha256=content.sha256)
        return found is Found.SAME


def _write_beside_and_move(place: _Place, content: _Counted) -> bool:
    path = Path(place.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_unlocked_temporaries(path)
    with locked_temporary(path) as file:
        temporary = Path(file.name)
        try:
            content.write_to(file)
            file.flush()
            os.fsync(file.fileno())
            if not place.wants(content) or not _moved(temporary, place, content):
                return False
        finally:
            temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return True


def _moved(temporary: Path, place: _Place, content: _Counted) -> bool:
    """Move a file into its place, if it is wanted there."""
    if place.if_exists is not IfExists.FAIL:
        temporary.replace(place.path)
        return True
    try:
        # Replacing would take the place of what another writer has put there since we looked.
        os.link(temporary, place.path)
    except FileExistsError:
        return place.wants(content)
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _upload_and_commit(place: _Place, content: _Counted) -> bool:
    with _begun(place, autocommit=False) as upload:
        content.write_to(upload)
        upload.close()
        wanted = place.wants(content)
        if wanted:
            upload.commit()
        else:
            upload.give_up()
    # Now the store is known to answer; before, its silence would have been waited for twice.
    abort_dead_uploads(place.filesystem, place.path)
    return wanted


def _upload_blocks(place: _Place, content: _Counted) -> bool:
    """Azure shows nothing of a blob before the list of its blocks is committed, and closing does that.

    A rename would be a copy that Azure makes when it finds the time, and a copy that is deleted too early.
    """
    with _begun(place) as upload:
        content.write_to(upload)
        wanted = place.wants(content)
        if not wanted:
            upload.give_up()
            return False
        try:
            upload.close()
        except OSError:
            # Who commits first has Azure forget what others have sent for that blob; the content may be ours.
            if not place.has(content):
                raise
    return True


class _Upload:
    """A file of which nothing is seen before it is committed.

    :param file: as the filesystem opened it. Its driver raises errors of its own; here they are `OSError`.
    """

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, piece: bytes) -> None:
        with _store_errors():
            self._file.write(piece)

    def close(self) -> None:
        with _store_errors():
            self._file.close()

    def commit(self) -> None:
        with _store_errors():
            self._file.commit()

    def give_up(self) -> None:
        """Have the store forget it. If it cannot be told, why it was to be told still counts more."""
        # An open file's finaliser closes it, which commits the torso on Azure, and stumbles on S3.
        self._file.closed = True
        with suppress(Exception):
            self._file.discard()


@contextmanager
def _begun(place: _Place, **options: Any) -> Iterator[_Upload]:
    """An upload that is given up if the block is left on an error."""
    with _store_errors():
        file = place.filesystem.open(place.path, "wb", block_size=BLOCK_BYTES, **options)
    upload = _Upload(file)
    try:
        yield upload
    except BaseException:
        upload.give_up()
        raise


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        # Azure's goes on with what only its own support understands.
        words = str(error).partition("\n")[0]
        raise OSError(f"{type(error).__name__}: {words}") from error


def _upload_and_rename(place: _Place, content: _Counted) -> bool:
    filesystem = place.filesystem
    parent, _, name = place.path.rpartition("/")
    filesystem.makedirs(parent, exist_ok=True)
    remove_dead_temporaries(filesystem, parent, name, place.writer)
    temporary = f"{parent}/{temporary_name(name, place.writer)}"
    file = filesystem.open(temporary, "wb", block_size=BLOCK_BYTES)
    try:
        content.write_to(file)
        file.close()
        wanted = place.wants(content)
        if wanted:
            filesystem.mv(temporary, place.path)
        else:
            filesystem.rm_file(temporary)
    except BaseException:
        # Closing is what these stores publish on; the temporary name keeps the torso out of sight.
        with suppress(Exception):
            file.close()
        with suppress(FileNotFoundError):
            filesystem.rm_file(temporary)
        raise
    return wanted
