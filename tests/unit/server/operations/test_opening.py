# SPDX-License-Identifier: Apache-2.0
"""What a server keeps is opened as it was named, and what is wrong is said without a password."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_provider_ocr.server.files.storage import FolderStorage
from airflow_provider_ocr.server.operations import opening
from airflow_provider_ocr.server.operations.command_errors import CommandError
from airflow_provider_ocr.server.operations.opening import (
    claim_files,
    note_database,
    open_database,
    open_files,
    open_secret,
    require_server,
)
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database

pytest_plugins = ["tests.object_store"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_a_postgresql_url_means_one_driver_under_every_sqlalchemy(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(opening, "Database", opened.append)
    open_database(None, f"{scheme}://ocr:canary@host:5432/name?sslmode=require")
    assert opened == ["postgresql+psycopg2://ocr:canary@host:5432/name?sslmode=require"]


def test_a_folder_and_a_url_are_two_databases(tmp_path: Path) -> None:
    for data, url in ((tmp_path, None), (tmp_path, f"sqlite:///{tmp_path / 'other.sqlite'}")):
        database = open_database(data, url)
        Applications(database).add("a", "a hash")
        database.close()
    assert {path.name for path in tmp_path.glob("*.sqlite")} == {"server.sqlite", "other.sqlite"}


def test_a_database_that_cannot_be_opened_is_explained_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.sqlite").write_text("no database, " * 100)
    with pytest.raises(CommandError, match=r"^the database cannot be used: file is not a database$"):
        open_database(tmp_path, None)
    for url, said in (
        ("nonsense://canary:canary@h/n", "is no URL that SQLAlchemy takes"),
        ("postgresql://ocr:canary@127.0.0.1:1/n", "Connection refused"),
        (f"sqlite:///{tmp_path}/none/x.sqlite", "unable to open database file"),
    ):
        with pytest.raises(CommandError) as refused:
            open_database(None, url)
        assert said in str(refused.value)
        assert "canary" not in str(refused.value)
        assert "\n" not in str(refused.value)
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(CommandError, match=r"pip install 'airflow-provider-ocr\[postgresql\]'"):
        open_database(None, "postgresql://ocr:canary@127.0.0.1:1/n")


def test_another_versions_database_is_left_alone(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE schema SET version = 'other'"))
    database.close()
    with pytest.raises(CommandError, match="tables of version other"):
        open_database(tmp_path, None)


def test_a_secret_is_made_once_and_may_be_elsewhere(tmp_path: Path) -> None:
    made = open_secret(tmp_path, None)
    assert len(made) == 32
    assert open_secret(tmp_path, None) == made
    assert (tmp_path / "server.secret").stat().st_mode & 0o777 == 0o600
    (tmp_path / "shared").write_bytes(b"s" * 40)
    assert open_secret(tmp_path, tmp_path / "shared") == b"s" * 40


def test_a_secret_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"canary")
    for file, said in ((tmp_path / "short", "fewer than 32 bytes"), (tmp_path, "Is a directory")):
        with pytest.raises(CommandError) as refused:
            open_secret(tmp_path, file)
        assert said in str(refused.value)
        assert str(file) in str(refused.value)


def test_files_are_opened_in_the_folder_or_behind_a_url(tmp_path: Path) -> None:
    for url in (None, (tmp_path / "elsewhere").as_uri()):
        files = open_files(tmp_path / "data", url)
        with files.incoming() as image:
            image.write_text("image")
            files.keep(image, "task")
    assert (tmp_path / "data" / "images" / "task").is_dir()
    assert (tmp_path / "elsewhere" / "images" / "task").is_dir()


def test_a_storage_is_of_one_database_only(storage_url: str | None, tmp_path: Path) -> None:
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
    mine, other = Database.in_folder(tmp_path / "mine"), Database.in_folder(tmp_path / "other")
    for folder in ("first", "second", "first"):
        claim_files(open_files(tmp_path / folder, storage_url), mine)
    files = open_files(tmp_path / "first", storage_url)
    if storage_url is None:
        # The data folder says itself whose it is.
        claim_files(files, other)
        return
    with pytest.raises(CommandError, match=r"has the files of another database.* --storage\.$") as refused:
        claim_files(files, other)
    assert storage_url in str(refused.value)
    claim_files(files, mine)
    assert files.owners() == set()


def test_a_mark_that_cannot_be_kept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    database = Database.in_folder(tmp_path)
    files = open_files(tmp_path / "data", str(tmp_path / "storage"))
    monkeypatch.setattr(FolderStorage, "put", refuse)
    with pytest.raises(CommandError, match=r"--storage cannot be used: .*Permission denied"):
        claim_files(files, database)


def test_an_unknown_storage_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--storage cannot be used") as refused:
        open_files(tmp_path, "nonsense://me:canary@host/x")
    assert "canary" not in str(refused.value)


def test_a_server_of_nobodys_is_not_made_by_accident(tmp_path: Path) -> None:
    require_server(tmp_path / "not asked", "sqlite://")
    require_server(tmp_path / "new", None, new=True)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot be used: Not a directory"):
        require_server(tmp_path / "file" / "below", None, new=True)
    with pytest.raises(CommandError, match="there is no server's database in"):
        require_server(tmp_path / "new", None)


@pytest.mark.parametrize("new", [True, False])
def test_beside_a_server_with_a_database_elsewhere_that_has_to_be_named(*, new: bool, tmp_path: Path) -> None:
    Database.in_folder(tmp_path).close()
    url = "postgresql://ocr:canary@host/name"
    note_database(tmp_path, url)
    with pytest.raises(CommandError, match=r"--database or CLOUD_OCR_SERVER_DATABASE\.$") as refused:
        require_server(tmp_path, None, new=new)
    assert str(tmp_path) in str(refused.value)
    assert all(b"canary" not in path.read_bytes() for path in tmp_path.iterdir())
    require_server(tmp_path, url, new=new)
    for _ in range(2):
        note_database(tmp_path, None)
        require_server(tmp_path, None, new=new)


def test_a_data_folder_that_takes_no_note_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CommandError, match=r"none/server\.database-elsewhere cannot be written: No such file"
    ):
        note_database(tmp_path / "none", "postgresql://host/name")
