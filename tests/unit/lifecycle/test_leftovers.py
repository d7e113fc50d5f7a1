# SPDX-License-Identifier: Apache-2.0
"""What killed writers left goes, and what living ones or strangers have there stays."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

from airflow_provider_ocr.lifecycle.leftovers import abort_dead_uploads, temporary_name
from airflow_provider_ocr.lifecycle.publishing import publish

HOUR = 3600


def _other_store(tmp_path: Path) -> DirFileSystem:
    """Any store that is none of those whose ways are known."""
    return DirFileSystem(str(tmp_path), LocalFileSystem())


def _leave(folder: Path, name: str, *, age: float = 0) -> Path:
    folder.mkdir(exist_ok=True)
    leftover = folder / name
    leftover.write_bytes(b"torso")
    then = time.time() - age
    os.utime(leftover, (then, then))
    return leftover


def _left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_two_landings_at_once_on_any_other_store_each_land_their_own(tmp_path: Path) -> None:
    store = _other_store(tmp_path)

    def one() -> Iterator[bytes]:
        yield b"1" * 100_000
        publish(store, "folder/a.txt", [b"2" * 200_000])
        assert (tmp_path / "folder" / "a.txt").read_bytes() == b"2" * 200_000
        yield b"1" * 100_000

    published = publish(store, "folder/a.txt", one())
    assert published.size == 200_000
    assert (tmp_path / "folder" / "a.txt").read_bytes() == b"1" * 200_000
    assert _left(tmp_path / "folder") == {"a.txt"}


@pytest.mark.parametrize(
    ("writer", "age", "stays"),
    [
        ("this one", 0, False),
        ("another", 0, True),
        ("another", HOUR + 60, False),
        ("", 0, True),
        ("", HOUR + 60, False),
    ],
)
def test_on_any_other_store_what_the_same_writer_or_nobody_any_more_writes_is_removed(
    tmp_path: Path, writer: str, age: float, stays: bool
) -> None:
    leftover = _leave(tmp_path / "folder", temporary_name("a.txt", writer), age=age)
    publish(_other_store(tmp_path), "folder/a.txt", [b"whole"], writer="this one")
    assert _left(tmp_path / "folder") == ({"a.txt", leftover.name} if stays else {"a.txt"})


def test_a_writer_without_a_name_takes_nobodys_temporary_for_its_own(tmp_path: Path) -> None:
    leftover = _leave(tmp_path / "folder", temporary_name("a.txt"))
    publish(_other_store(tmp_path), "folder/a.txt", [b"whole"])
    assert leftover.exists()


class SecretiveStore(DirFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store that does not list its folders, and says so in its driver's own way."""

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        raise LookupError(path)


class StubbornStore(DirFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store that removes nothing."""

    def rm_file(self, path: str) -> None:
        raise PermissionError(path)


@pytest.mark.parametrize("store", [SecretiveStore, StubbornStore])
def test_a_store_that_does_not_help_to_tidy_up_is_landed_on_all_the_same(
    tmp_path: Path, store: type[DirFileSystem]
) -> None:
    _leave(tmp_path / "folder", temporary_name("a.txt", "this one"))
    publish(store(str(tmp_path), LocalFileSystem()), "folder/a.txt", [b"whole"], writer="this one")
    assert (tmp_path / "folder" / "a.txt").read_bytes() == b"whole"


@pytest.mark.parametrize(
    "name",
    [
        ".a.txt.my-notes.part",
        ".a.txt.12345678.part",
        temporary_name("b.txt"),
        f"{temporary_name('a.txt')}.bak",
        f"x{temporary_name('a.txt')}",
    ],
    ids=["notes", "of_old", "of_another_file", "longer", "with_a_letter_before_it"],
)
@pytest.mark.parametrize("local", [True, False])
def test_what_only_resembles_a_temporary_is_not_touched(tmp_path: Path, name: str, local: bool) -> None:
    stranger = _leave(tmp_path / "folder", name, age=24 * HOUR)
    if local:
        publish(LocalFileSystem(), str(tmp_path / "folder" / "a.txt"), [b"whole"])
    else:
        publish(_other_store(tmp_path), "folder/a.txt", [b"whole"])
    assert stranger.read_bytes() == b"torso"


def test_a_leftover_that_cannot_be_removed_keeps_nothing_from_landing(tmp_path: Path) -> None:
    in_the_way = tmp_path / temporary_name("a.txt")
    in_the_way.mkdir()
    removable = _leave(tmp_path, temporary_name("a.txt"))
    publish(LocalFileSystem(), str(tmp_path / "a.txt"), [b"whole"])
    assert (tmp_path / "a.txt").read_bytes() == b"whole"
    assert in_the_way.is_dir()
    assert not removable.exists()


@pytest.mark.parametrize("name", ["x" * 255, "ä" * 127, "x" * 251 + ".txt"])
def test_a_name_as_long_as_names_can_be_lands(tmp_path: Path, name: str) -> None:
    publish(LocalFileSystem(), str(tmp_path / name), [b"whole"])
    assert _left(tmp_path) == {name}


class S3:
    """What S3 knows of unfinished uploads, and what it is told.

    :param uploads: as they are listed.
    :param parts: what has come of each.
    """

    def __init__(self, uploads: list[dict[str, Any]], parts: dict[str, Any]) -> None:
        self._uploads, self._parts = uploads, parts
        self.aborted: list[str] = []

    def split_path(self, path: str) -> tuple[str, str, None]:
        bucket, _, key = path.partition("/")
        return bucket, key, None

    def call_s3(self, method: str, **options: Any) -> dict[str, Any]:
        assert options["Bucket"] == "bucket"
        if method == "list_multipart_uploads":
            return {"Uploads": [each for each in self._uploads if each["Key"].startswith(options["Prefix"])]}
        assert options["Key"] == "folder/a.txt"
        if method == "list_parts":
            return self._parts
        assert method == "abort_multipart_upload"
        self.aborted.append(options["UploadId"])
        return {}


def _ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def _upload(*, age: float, key: str = "folder/a.txt") -> dict[str, Any]:
    return {"Key": key, "UploadId": "an upload", "Initiated": _ago(age)}


def _parts(*ages: float) -> dict[str, Any]:
    return {"Parts": [{"LastModified": _ago(age)} for age in ages]}


@pytest.mark.parametrize(
    ("upload", "parts", "ends"),
    [
        (_upload(age=HOUR + 60), {}, True),
        (_upload(age=9 * HOUR), _parts(8 * HOUR, HOUR + 60), True),
        (_upload(age=60), {}, False),
        (_upload(age=9 * HOUR), _parts(8 * HOUR, 60), False),
        (_upload(age=9 * HOUR), {**_parts(8 * HOUR), "IsTruncated": True}, False),
        (_upload(age=9 * HOUR, key="folder/a.txt.bak"), {}, False),
    ],
)
def test_an_unfinished_upload_of_that_very_file_ends_once_nothing_has_come_for_an_hour(
    upload: dict[str, Any], parts: dict[str, Any], ends: bool
) -> None:
    store = S3([upload], parts)
    abort_dead_uploads(store, "bucket/folder/a.txt")
    assert store.aborted == (["an upload"] if ends else [])


def test_credentials_that_may_not_list_uploads_are_enough_to_land(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        asked.append(True)
        raise PermissionError("AccessDenied")

    asked: list[bool] = []
    monkeypatch.setattr(S3, "call_s3", refuse)
    abort_dead_uploads(S3([], {}), "bucket/folder/a.txt")
    assert asked
    assert not caplog.records
