# SPDX-License-Identifier: Apache-2.0
"""What lies where a new file is to go is kept, replaced, or in the way, as was asked."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from airflow_provider_ocr.lifecycle.existing import Found, IfExists, find
from airflow_provider_ocr.lifecycle.publishing import publish
from airflow_provider_ocr.protocol import errors

OLD, SAME_SIZE, NEW = b"the old one", b"another one", b"new"
Store = tuple[AbstractFileSystem, str]


class UploadStore(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Holds uploads back until they are committed, as S3 and GCS do."""

    protocol = ("s3", "s3a")

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        return _Upload(self, path) if mode == "wb" else super()._open(path, mode, **options)


class _Upload:
    def __init__(self, filesystem: UploadStore, path: str) -> None:
        self._filesystem, self._path, self._content = filesystem, path, b""

    def write(self, piece: bytes) -> None:
        self._content += piece

    def close(self) -> None:
        """All pieces are there."""

    def commit(self) -> None:
        self._filesystem.store[self._path] = MemoryFile(self._filesystem, self._path, self._content)

    def discard(self) -> None:
        self._content = b""


@pytest.fixture(params=["file", "rename", "upload"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A filesystem, and the path of a file in it that says ``OLD``."""
    stores: dict[str, Store] = {
        "file": (LocalFileSystem(), str(tmp_path / "a.txt")),
        "rename": (DirFileSystem(str(tmp_path), LocalFileSystem()), "folder/a.txt"),
        "upload": (UploadStore(global_store=False, skip_instance_cache=True), "/bucket/a.txt"),
    }
    publish(*stores[request.param], [OLD])
    return stores[request.param]


def _folder(store: Store) -> dict[str, bytes]:
    filesystem, path = store
    names = filesystem.ls(path.rpartition("/")[0], detail=False)
    return {name.rpartition("/")[2]: filesystem.cat_file(name) for name in names}


@pytest.mark.parametrize("content", [OLD, SAME_SIZE, NEW], ids=["same", "same_size", "other"])
@pytest.mark.parametrize("if_exists", IfExists)
def test_a_file_is_replaced_kept_or_in_the_way(store: Store, if_exists: IfExists, content: bytes) -> None:
    if if_exists is IfExists.FAIL and content != OLD:
        with pytest.raises(FileExistsError, match=r"a\.txt is there already, with other content"):
            publish(*store, [content], if_exists=if_exists)
        assert _folder(store) == {"a.txt": OLD}
        return
    published = publish(*store, [content], if_exists=if_exists)
    assert published.written == (if_exists is IfExists.OVERWRITE or content != OLD)
    assert published.sha256 == hashlib.sha256(content).hexdigest()
    assert _folder(store) == {"a.txt": content}


@pytest.mark.parametrize("if_exists", IfExists)
def test_where_nothing_is_the_file_is_written(store: Store, if_exists: IfExists) -> None:
    store[0].rm_file(store[1])
    assert publish(*store, [NEW], if_exists=if_exists).written
    assert _folder(store) == {"a.txt": NEW}


def test_a_file_that_stays_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(OLD)
    os.utime(path, ns=(1, 1))
    before = path.stat()
    assert not publish(LocalFileSystem(), str(path), [OLD], if_exists=IfExists.SKIP_IF_SAME).written
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, 1)


@pytest.mark.parametrize("if_exists", [IfExists.SKIP_IF_SAME, IfExists.FAIL])
def test_a_file_of_another_size_is_not_even_read(tmp_path: Path, if_exists: IfExists) -> None:
    class Unreadable(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
        def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
            raise AssertionError(path)

    path = tmp_path / "a.txt"
    path.write_bytes(OLD)
    assert find(Unreadable(), str(path), size=len(NEW), sha256="") is Found.OTHER


@pytest.mark.parametrize("content", [OLD, NEW], ids=["same", "other"])
def test_a_file_that_another_writer_puts_there_in_the_last_moment_is_not_lost(
    tmp_path: Path, content: bytes
) -> None:
    class LateStore(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
        """Somebody writes the file as soon as we have seen that it is absent."""

        def info(self, path: str, **options: Any) -> Any:
            try:
                return super().info(path, **options)
            finally:
                Path(path).write_bytes(OLD)

    path = tmp_path / "a.txt"
    if content == OLD:
        assert not publish(LateStore(), str(path), [content], if_exists=IfExists.FAIL).written
    else:
        with pytest.raises(FileExistsError):
            publish(LateStore(), str(path), [content], if_exists=IfExists.FAIL)
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == OLD


def test_of_two_writers_at_once_that_must_not_replace_one_fails(tmp_path: Path) -> None:
    path, meeting = tmp_path / "a.txt", threading.Barrier(4)
    outcomes: list[object] = []

    def content(letter: str) -> Iterator[bytes]:
        yield letter.encode()
        meeting.wait(10)
        yield letter.encode() * 100_000

    def write(letter: str) -> None:
        try:
            publish(LocalFileSystem(), str(path), content(letter), if_exists=IfExists.FAIL)
        except FileExistsError:
            outcomes.append(FileExistsError)
        else:
            outcomes.append(letter)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count(FileExistsError) == 3
    (winner,) = (outcome for outcome in outcomes if isinstance(outcome, str))
    assert path.read_text() == winner * 100_001
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("value", IfExists)
def test_what_to_do_is_said_by_its_name(value: IfExists) -> None:
    assert IfExists.parse(str(value)) is value


def test_a_wish_that_is_not_known_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(errors.InvalidParameterError, match="overwrite, skip_if_same, fail"):
        IfExists.parse("skip")
