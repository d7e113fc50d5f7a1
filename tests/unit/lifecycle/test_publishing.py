# SPDX-License-Identifier: Apache-2.0
"""A published file is complete or absent, whatever the store and whatever breaks."""

from __future__ import annotations

import hashlib
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFile, MemoryFileSystem

from airflow_provider_ocr.lifecycle.leftovers import temporary_name
from airflow_provider_ocr.lifecycle.publishing import publish

PIECES = [b"first ", b"second ", b"third"]
CONTENT = b"".join(PIECES)


class BrokenSourceError(Exception):
    """What a source raises in the middle."""


def _breaking() -> Iterator[bytes]:
    yield PIECES[0]
    raise BrokenSourceError


@pytest.fixture(params=["file", "memory", "rename"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    """A filesystem, and the path of a folder in it that does not exist yet."""
    stores: dict[str, tuple[AbstractFileSystem, str]] = {
        "file": (LocalFileSystem(), str(tmp_path / "new" / "folder")),
        "memory": (MemoryFileSystem(global_store=False, skip_instance_cache=True), "/new/folder"),
        "rename": (DirFileSystem(str(tmp_path), LocalFileSystem()), "new/folder"),
    }
    return stores[request.param]


def _names(store: tuple[AbstractFileSystem, str]) -> list[str]:
    filesystem, folder = store
    if not filesystem.exists(folder):
        return []
    return sorted(name.rpartition("/")[2] for name in filesystem.ls(folder, detail=False))


Store = tuple[AbstractFileSystem, str]


def test_content_becomes_a_file_that_is_measured_on_the_way(store: Store) -> None:
    filesystem, folder = store
    published = publish(filesystem, f"{folder}/a.txt", PIECES)
    assert filesystem.cat_file(f"{folder}/a.txt") == CONTENT
    assert (published.size, published.sha256) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert _names(store) == ["a.txt"]


def test_no_content_becomes_an_empty_file(store: Store) -> None:
    filesystem, folder = store
    published = publish(filesystem, f"{folder}/a.txt", [])
    assert filesystem.cat_file(f"{folder}/a.txt") == b""
    assert (published.size, published.sha256) == (0, hashlib.sha256(b"").hexdigest())


def test_an_old_file_is_replaced_only_at_the_end(store: Store) -> None:
    filesystem, folder = store
    publish(filesystem, f"{folder}/a.txt", [b"old"])
    seen: list[bytes] = []

    def watched() -> Iterator[bytes]:
        for piece in PIECES:
            seen.append(filesystem.cat_file(f"{folder}/a.txt"))
            yield piece
        seen.append(filesystem.cat_file(f"{folder}/a.txt"))

    publish(filesystem, f"{folder}/a.txt", watched())
    assert seen == [b"old"] * 4
    assert filesystem.cat_file(f"{folder}/a.txt") == CONTENT
    assert _names(store) == ["a.txt"]


def test_a_new_file_is_not_seen_before_it_is_complete(store: Store) -> None:
    filesystem, folder = store
    seen: list[bool] = []

    def watched() -> Iterator[bytes]:
        for piece in PIECES:
            seen.append(filesystem.exists(f"{folder}/a.txt"))
            yield piece

    publish(filesystem, f"{folder}/a.txt", watched())
    assert seen == [False, False, False]


@pytest.mark.parametrize("old", [None, b"old"])
def test_an_error_leaves_everything_as_it_was(store: Store, old: bytes | None) -> None:
    filesystem, folder = store
    if old is not None:
        publish(filesystem, f"{folder}/a.txt", [old])
    with pytest.raises(BrokenSourceError):
        publish(filesystem, f"{folder}/a.txt", _breaking())
    assert _names(store) == ([] if old is None else ["a.txt"])
    if old is not None:
        assert filesystem.cat_file(f"{folder}/a.txt") == old


def test_a_big_file_arrives_whole(store: Store) -> None:
    filesystem, folder = store
    piece = bytes(range(256)) * 4096
    published = publish(filesystem, f"{folder}/a.bin", (piece for _ in range(20)))
    assert published.size == filesystem.size(f"{folder}/a.bin") == 20 * len(piece)
    assert hashlib.sha256(filesystem.cat_file(f"{folder}/a.bin")).hexdigest() == published.sha256


@pytest.mark.parametrize("name", ["a b.txt", "ä[1]*?.txt", ".hidden"])
def test_any_name_is_a_name(store: Store, name: str) -> None:
    filesystem, folder = store
    publish(filesystem, f"{folder}/{name}", PIECES)
    publish(filesystem, f"{folder}/{name}", [b"again"])
    assert _names(store) == [name]


class UploadStore(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Holds uploads back until they are committed, as S3 and GCS do."""

    protocol = ("s3", "s3a")

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        if mode != "wb":
            return super()._open(path, mode, **options)
        assert options["autocommit"] is False
        self.upload = _Upload(self, self._strip_protocol(path))
        return self.upload


class _Upload:
    """An upload that remembers what became of it."""

    def __init__(self, filesystem: UploadStore, path: str) -> None:
        self._filesystem, self._path = filesystem, path
        self._pieces: list[bytes] = []
        self.ended: list[str] = []
        self.closed = False

    def write(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def close(self) -> None:
        self.ended.append("closed")

    def commit(self) -> None:
        self.ended.append("committed")
        self._filesystem.store[self._path] = MemoryFile(self._filesystem, self._path, b"".join(self._pieces))

    def discard(self) -> None:
        self.ended.append("discarded")


@pytest.fixture
def upload_store() -> UploadStore:
    return UploadStore(global_store=False, skip_instance_cache=True)


def test_an_upload_is_closed_and_then_committed(upload_store: UploadStore) -> None:
    publish(upload_store, "/bucket/a.txt", PIECES)
    assert upload_store.upload.ended == ["closed", "committed"]
    assert upload_store.cat_file("/bucket/a.txt") == CONTENT


def test_an_upload_that_breaks_is_discarded_and_never_committed(upload_store: UploadStore) -> None:
    with pytest.raises(BrokenSourceError):
        publish(upload_store, "/bucket/a.txt", _breaking())
    assert upload_store.upload.ended == ["discarded"]
    assert not upload_store.exists("/bucket/a.txt")


class DriverError(Exception):
    """What a store's driver raises, of a kind of its own."""


@pytest.mark.parametrize("step", ["write", "close", "commit"])
def test_what_a_store_refuses_is_an_os_error_and_the_upload_is_discarded(
    upload_store: UploadStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def refuse(*_: object) -> None:
        raise DriverError("not for you")

    monkeypatch.setattr(_Upload, step, refuse)
    with pytest.raises(OSError, match="DriverError: not for you"):
        publish(upload_store, "/bucket/a.txt", PIECES)
    assert upload_store.upload.ended[-1] == "discarded"
    assert not upload_store.exists("/bucket/a.txt")


def test_why_an_upload_ended_is_told_even_if_the_store_cannot_be_told_that_it_has(
    upload_store: UploadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise DriverError

    monkeypatch.setattr(_Upload, "discard", refuse)
    with pytest.raises(BrokenSourceError):
        publish(upload_store, "/bucket/a.txt", _breaking())


class BlockStore(UploadStore):
    """Shows a file once it is closed, as Azure does, and closes what is thrown away open."""

    protocol = "abfs"

    def _open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        return super()._open(path, mode, **{**options, "autocommit": False})


@pytest.fixture
def block_store(monkeypatch: pytest.MonkeyPatch) -> BlockStore:
    monkeypatch.setattr(_Upload, "close", lambda upload: upload.commit())
    return BlockStore(global_store=False, skip_instance_cache=True)


def test_blocks_are_committed_by_closing_and_only_when_they_are_complete(block_store: BlockStore) -> None:
    publish(block_store, "/bucket/a.txt", PIECES)
    assert block_store.upload.ended == ["committed"]
    with pytest.raises(BrokenSourceError):
        publish(block_store, "/bucket/a.txt", _breaking())
    assert block_store.upload.ended == ["discarded"]
    assert block_store.upload.closed
    assert block_store.cat_file("/bucket/a.txt") == CONTENT


def test_blocks_that_another_landing_has_had_forgotten_are_no_loss_if_the_content_is_there(
    block_store: BlockStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(_: object) -> None:
        raise DriverError("InvalidBlockList")

    publish(block_store, "/bucket/a.txt", PIECES)
    monkeypatch.setattr(_Upload, "close", lose)
    assert publish(block_store, "/bucket/a.txt", PIECES).size == len(CONTENT)
    with pytest.raises(OSError, match="InvalidBlockList"):
        publish(block_store, "/bucket/a.txt", [b"other content"])
    assert block_store.cat_file("/bucket/a.txt") == CONTENT


class ClumsyStore(DirFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store whose renaming fails."""

    def mv(self, path1: str, path2: str, **options: Any) -> None:
        raise PermissionError(path2)


class DyingStore(ClumsyStore):
    """A store that goes away before the end, and with it the chance to clean up."""

    def rm_file(self, path: str) -> None:
        raise ConnectionError(path)


def test_a_rename_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"old")
    with pytest.raises(PermissionError):
        publish(ClumsyStore(str(tmp_path), LocalFileSystem()), "folder/a.txt", PIECES)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.txt": b"old"}


def test_what_stayed_behind_on_a_rename_store_goes_with_the_same_writers_next_try(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        publish(DyingStore(str(tmp_path), LocalFileSystem()), "folder/a.txt", PIECES, writer="a task")
    (leftover,) = (tmp_path / "folder").iterdir()
    assert leftover.name != "a.txt"
    publish(DirFileSystem(str(tmp_path), LocalFileSystem()), "folder/a.txt", PIECES, writer="a task")
    assert {path.name: path.read_bytes() for path in (tmp_path / "folder").iterdir()} == {"a.txt": CONTENT}


WRITER = """
import sys
from fsspec.implementations.local import LocalFileSystem
from airflow_provider_ocr.lifecycle.publishing import publish
def content():
    yield b"torso"
    print("writing", flush=True)
    sys.stdin.read()
    yield b" and the rest"
publish(LocalFileSystem(), sys.argv[1], content())
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of writing ``a.txt``."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "a.txt")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


def _parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


def test_what_a_killed_writer_left_is_removed_by_the_next(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(_parts(tmp_path)) == 1
    assert not (tmp_path / "a.txt").exists()
    publish(LocalFileSystem(), str(tmp_path / "a.txt"), PIECES)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_a_living_writer_is_writing_is_left_to_it(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    (part,) = _parts(tmp_path)
    publish(LocalFileSystem(), str(tmp_path / "a.txt"), PIECES)
    assert _parts(tmp_path) == [part]
    assert (tmp_path / "a.txt").read_bytes() == CONTENT
    writer.communicate()
    assert writer.returncode == 0
    assert (tmp_path / "a.txt").read_bytes() == b"torso and the rest"
    assert _parts(tmp_path) == []


def test_what_a_killed_writer_of_another_file_left_is_not_touched(tmp_path: Path) -> None:
    other = tmp_path / temporary_name("b.txt")
    other.write_bytes(b"torso")
    publish(LocalFileSystem(), str(tmp_path / "a.txt"), PIECES)
    assert other.exists()


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    contents = [bytes([number]) * 300_000 for number in range(8)]
    failures: list[BaseException] = []

    def write(content: bytes) -> None:
        try:
            publish(
                LocalFileSystem(), str(path), (content[at : at + 1000] for at in range(0, len(content), 1000))
            )
        except BaseException as error:  # noqa: BLE001 - the thread hands it over
            failures.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert path.read_bytes() in contents
    assert _parts(tmp_path) == []


def test_a_local_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    publish(LocalFileSystem(), str(tmp_path / "a.txt"), PIECES)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "a.txt")}
    assert len(modes) == 1


def test_content_that_does_not_even_begin_leaves_no_folder(tmp_path: Path) -> None:
    def nothing() -> Iterator[bytes]:
        yield from ()
        raise BrokenSourceError

    with pytest.raises(BrokenSourceError):
        publish(LocalFileSystem(), str(tmp_path / "new" / "file.txt"), nothing())
    assert list(tmp_path.iterdir()) == []
