# SPDX-License-Identifier: Apache-2.0
"""What was put outlives a power failure, what was deleted is gone, and no link leads out of a storage."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pendulum
import pytest

from airflow_provider_ocr.server.files.storage import (
    FolderStorage,
    Storage,
    checked_key,
    open_storage,
    plain_files,
    remove,
)

pytest_plugins = ["tests.object_store"]


@pytest.fixture(params=["folder", "S3", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Every kind of storage; ``memory`` stands for what fsspec has beside object stores."""
    urls: dict[str, Callable[[], str]] = {
        "folder": lambda: str(tmp_path / "storage"),
        "S3": lambda: request.getfixturevalue("s3_url"),
        "memory": lambda: f"memory://{tmp_path}",
    }
    return open_storage(urls[request.param]())


@pytest.fixture
def put(storage: Storage, tmp_path: Path) -> Callable[[dict[str, bytes]], None]:
    """Puts contents under keys."""

    def put(contents: dict[str, bytes]) -> None:
        files = {}
        for number, (key, content) in enumerate(contents.items()):
            files[key] = tmp_path / f"source-{number}"
            files[key].write_bytes(content)
        storage.put(files)

    return put


def test_what_was_put_is_found_listed_opened_and_fetched(
    storage: Storage, put: Callable[[dict[str, bytes]], None], tmp_path: Path
) -> None:
    begin = pendulum.now("UTC").subtract(seconds=2)
    put({"pages/t/1": b"one", "pages/t/2": b"", "pages/u/1": b"other", "images/t/1": b"image"})
    assert storage.files("pages/t") == {"1": 3, "2": 0}
    assert sorted(storage.names("pages")) == ["t", "u"]
    assert storage.files("pages") == {}
    assert storage.files("pages/nothing") == {}
    assert storage.names("nothing") == []
    with storage.open("pages/t/1") as file:
        assert (file.key, file.size) == ("pages/t/1", 3)
        assert file.modified is not None
        assert begin <= file.modified <= pendulum.now("UTC").add(seconds=2)
        assert [file.read(0, 3), file.read(1, 1), file.read(2, 1)] == [b"one", b"n", b"e"]
    targets = {key: tmp_path / key.replace("/", "-") for key in ("pages/t/1", "pages/t/2", "images/t/1")}
    storage.fetch(targets)
    assert [path.read_bytes() for path in targets.values()] == [b"one", b"", b"image"]


def test_how_old_a_folder_is_its_newest_file_says(
    storage: Storage, put: Callable[[dict[str, bytes]], None]
) -> None:
    begin = pendulum.now("UTC").subtract(seconds=2)
    assert storage.changed("pages/t") is None
    put({"pages/t/settings/1": b"one", "pages/t/2": b"two"})
    for folder in ("pages/t", "pages/t/settings"):
        changed = storage.changed(folder)
        assert changed is not None
        assert begin <= changed <= pendulum.now("UTC").add(seconds=2)


def test_what_is_put_again_replaces_what_was_there(
    storage: Storage, put: Callable[[dict[str, bytes]], None]
) -> None:
    put({"images/t/1": b"first, and longer"})
    put({"images/t/1": b"second"})
    with storage.open("images/t/1") as file:
        assert file.read(0, file.size) == b"second"


def test_a_deleted_file_or_folder_is_gone_and_nothing_else(
    storage: Storage, put: Callable[[dict[str, bytes]], None]
) -> None:
    for key in ("images/t/1", "images/t"):
        put({"images/t/1": b"image", "images/t1/1": b"not this one"})
        storage.delete(key)
        storage.delete(key)
        with pytest.raises(FileNotFoundError):
            storage.open("images/t/1")
        assert storage.files("images/t") == {}
        assert storage.files("images/t1") == {"1": 12}
    storage.delete("images")
    assert storage.names("images") == []


def test_what_is_not_there_is_not_found(storage: Storage, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open("images/t/1")
    with pytest.raises(FileNotFoundError):
        storage.fetch({"images/t/1": tmp_path / "copy"})


def test_a_folder_is_no_file(storage: Storage, put: Callable[[dict[str, bytes]], None]) -> None:
    put({"images/t/1": b"image"})
    with pytest.raises(FileNotFoundError):
        storage.open("images/t")


def test_files_of_several_pieces_are_put_and_fetched_whole(
    storage: Storage, put: Callable[[dict[str, bytes]], None], tmp_path: Path
) -> None:
    piece = 5 * 1024 * 1024
    contents = {f"images/t/{size}": os.urandom(size) for size in (piece, piece + 1, 2 * piece, 3 * piece - 1)}
    put(contents)
    storage.fetch({key: tmp_path / key.rpartition("/")[2] for key in contents})
    for key, content in contents.items():
        assert (tmp_path / key.rpartition("/")[2]).read_bytes() == content


KEYS = [
    "",
    "/",
    "a//b",
    "../a",
    "a/..",
    "a/./b",
    "/a",
    "a/",
    "a\\b",
    "a b",
    "a\n",
    ".a",
    "a/.b",
    "\xe4",
    "a*",
]


def test_a_key_leads_nowhere_else(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "source").touch()
    for key in KEYS:
        uses: tuple[Callable[[str], object], ...] = (
            checked_key,
            storage.open,
            storage.names,
            storage.files,
            lambda key: storage.put({key: tmp_path / "source"}),
            lambda key: storage.fetch({key: tmp_path / "copy"}),
        )
        for use in uses:
            with pytest.raises(ValueError, match="is not a key"):
                use(key)


def test_deletion_leads_nowhere_else(storage: Storage) -> None:
    for key in ("", "..", "images/..", "images/../..", ".", "images//t"):
        with pytest.raises(ValueError, match="is not a key"):
            storage.delete(key)


def test_content_and_names_are_forced_to_disk_in_the_order_that_a_crash_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, target = FolderStorage(tmp_path / "root"), tmp_path / "root/images/t/1"
    (tmp_path / "source").write_bytes(b"image")
    forced: list[tuple[str, bool]] = []

    def note(descriptor: int) -> None:
        forced.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, target.exists()))

    monkeypatch.setattr("airflow_provider_ocr.server.files.storage.os.fsync", note)
    storage.put({"images/t/1": tmp_path / "source"})
    assert forced == [("source", False), ("t", True), ("images", True), ("root", True)]


def test_a_file_from_another_disk_is_copied_whole_under_another_name_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, source = FolderStorage(tmp_path / "root"), tmp_path / "source"
    source.write_bytes(b"image")
    replace, moved = Path.replace, []

    def as_between_disks(self: Path, target: Path) -> Path:
        if self == source:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        moved.append((self.parent == Path(target).parent, self.name[0], self.read_bytes()))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", as_between_disks)
    storage.put({"images/t/1": source})
    assert moved == [(True, ".", b"image")]
    assert not source.exists()
    assert [path.name for path in (tmp_path / "root/images/t").iterdir()] == ["1"]
    assert (tmp_path / "root/images/t/1").read_bytes() == b"image"


def test_a_disk_that_is_full_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, source = FolderStorage(tmp_path / "root"), tmp_path / "source"
    source.write_bytes(b"image")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def as_between_disks(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "replace", as_between_disks)
    monkeypatch.setattr("airflow_provider_ocr.server.files.storage.shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        storage.put({"images/t/1": source})
    assert list((tmp_path / "root/images/t").iterdir()) == []


def test_no_empty_folder_with_a_tasks_name_is_left(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "root")
    for run in ("r1", "r2"):
        (tmp_path / "source").write_bytes(b"result")
        storage.put({f"results/t/{run}/result1.txt": tmp_path / "source"})
    storage.delete("results/t/r1")
    assert storage.names("results") == ["t"]
    storage.delete("results/t/r2")
    assert storage.names("results") == []
    assert (tmp_path / "root/results").is_dir()


def test_a_file_is_put_though_its_empty_folder_is_being_removed(tmp_path: Path) -> None:
    storage, stop = FolderStorage(tmp_path / "root"), threading.Event()

    def remove_others() -> None:
        while not stop.is_set():
            storage.delete("results/t/other")
            time.sleep(0.0005)

    remover = threading.Thread(target=remove_others)
    remover.start()
    try:
        for run in range(200):
            (tmp_path / "source").write_bytes(b"result")
            storage.put({f"results/t/{run}/result1.txt": tmp_path / "source"})
            storage.delete(f"results/t/{run}")
    finally:
        stop.set()
        remover.join()


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A folder with one plain file, and with what is none."""
    folder = tmp_path / "storage/pages/t"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (folder / "plain").write_text("page")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "dangling").symlink_to(tmp_path / "nothing")
    (folder / "folder").mkdir()
    (folder / ".unfinished").write_text("pa")
    (folder / "odd\nname").write_text("page")
    os.mkfifo(folder / "pipe")
    return folder


def test_links_pipes_and_unfinished_files_are_not_there(odd: Path, tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "storage")
    assert [path.name for path in plain_files(odd)] == ["plain"]
    assert storage.files("pages/t") == {"plain": 4}
    for name in ("link", "dangling", "folder", "pipe", "plain/x"):
        with pytest.raises(FileNotFoundError):
            storage.open(f"pages/t/{name}")
        with pytest.raises(FileNotFoundError):
            storage.fetch({f"pages/t/{name}": tmp_path / "copy"})


def test_no_storage_takes_what_a_link_leads_to(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match=r"symbolic link|No plain file"):
        storage.put({"images/t/1": tmp_path / "link"})
    with pytest.raises(FileNotFoundError):
        storage.open("images/t/1")


def test_a_link_is_removed_and_not_what_it_leads_to(odd: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").touch()
    (odd / "way").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "storage/pages/u").symlink_to(tmp_path / "elsewhere")
    storage = FolderStorage(tmp_path / "storage")
    for name in ("t", "u"):
        storage.delete(f"pages/{name}")
    assert storage.names("pages") == []
    assert (tmp_path / "elsewhere/file").exists()
    assert (tmp_path / "secret").exists()


def test_an_open_file_stays_readable_when_it_is_deleted(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "root")
    (tmp_path / "source").write_bytes(b"result")
    storage.put({"results/t/1": tmp_path / "source"})
    with storage.open("results/t/1") as file:
        storage.delete("results")
        assert file.read(0, 6) == b"result"
    file.close()


def test_a_folder_is_removed_while_somebody_writes_into_it(tmp_path: Path) -> None:
    folder, stop = tmp_path / "folder", threading.Event()
    folder.mkdir()

    def write() -> None:
        while not stop.is_set():
            try:
                for number in range(50):
                    (folder / str(number)).touch()
                    time.sleep(0.001)
            except FileNotFoundError:
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        remove(folder)
        writer.join(10)
        assert not writer.is_alive()
        assert not folder.exists()
    finally:
        stop.set()


def test_what_becomes_a_folder_while_it_is_removed_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "place"
    is_dir = Path.is_dir

    def look_too_early(path: Path) -> bool:
        if path != place or place.exists():
            return is_dir(path)
        place.mkdir()
        return False

    monkeypatch.setattr(Path, "is_dir", look_too_early)
    remove(place)
    assert not place.exists()


def test_what_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()

    def fail(path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    monkeypatch.setattr("airflow_provider_ocr.server.files.storage.shutil.rmtree", fail)
    with pytest.raises(OSError, match="Input/output error"):
        remove(tmp_path / "folder")


@pytest.mark.parametrize("form", ["{}", "file://{}", "local://{}"])
def test_a_folder_may_be_given_as_a_path_or_as_a_url(form: str, tmp_path: Path) -> None:
    storage = open_storage(form.format(tmp_path / "a/b"))
    assert isinstance(storage, FolderStorage)
    assert storage.local("images/t/1") == tmp_path / "a/b/images/t/1"
    assert (tmp_path / "a/b").is_dir()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file/x cannot be a storage: .*Not a directory"):
        open_storage(str(tmp_path / "file/x"))
