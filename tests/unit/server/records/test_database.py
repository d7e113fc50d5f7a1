# SPDX-License-Identifier: Apache-2.0
"""A transaction is done for good or not at all, on both databases, and nothing private is in an error."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_provider_ocr.server.records.database import (
    Database,
    OtherSchemaError,
    applications,
    request_keys,
)

ROW = {"application": "app", "key": "key", "ocr_task_id": "task"}


def rows(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(request_keys)).scalar_one())


def test_what_a_transaction_did_is_seen_by_others_when_it_is_over(
    database: Database, database_url: str
) -> None:
    with database.write() as connection:
        connection.execute(sa.insert(request_keys).values(ROW))
        assert rows(database) == 0
    other = Database(database_url)
    assert rows(other) == 1
    other.close()


def test_what_a_transaction_did_is_undone_by_an_exception(database: Database) -> None:
    def fail_midway() -> None:
        with database.write() as connection:
            connection.execute(sa.insert(request_keys).values(ROW))
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        fail_midway()
    assert rows(database) == 0


def test_writers_wait_for_each_other_also_if_they_have_read_before(database: Database) -> None:
    with database.write() as connection:
        connection.execute(
            sa.insert(applications).values(name="app", id="1", password_hash="-", used=0, created_ms=0)
        )

    def count_up(_: int) -> None:
        with database.write() as connection:
            mine = applications.c.name == "app"
            used = connection.execute(
                sa.select(applications.c.used).where(mine).with_for_update()
            ).scalar_one()
            connection.execute(sa.update(applications).where(mine).values(used=used + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count_up, range(40)))
    with database.read() as connection:
        assert connection.execute(sa.select(applications.c.used)).scalar_one() == 40


def test_two_servers_may_make_the_tables_at_once(database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for database in pool.map(lambda _: Database(database_url), range(4)):
            database.check()
            database.close()


def test_a_database_has_an_identity_of_its_own(database: Database, database_url: str, tmp_path: Path) -> None:
    again, other = Database(database_url), Database(f"sqlite:///{tmp_path}/another.sqlite")
    assert len(database.identity) == 32
    assert again.identity == database.identity != other.identity
    again.close()
    other.close()


def test_tables_of_another_version_are_left_alone(database: Database, database_url: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE schema SET version = '0'")
    with pytest.raises(OtherSchemaError, match="version 0, this server needs version"):
        Database(database_url)


def test_an_error_shows_no_value(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE request_keys")
    with pytest.raises(sa.exc.DBAPIError) as failure, database.write() as connection:
        connection.execute(sa.insert(request_keys).values(ROW | {"key": "canary"}))
    assert "canary" not in str(failure.value)


def test_an_sqlite_write_is_on_disk_when_it_returns(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    with database.write() as connection:
        connection.execute(sa.insert(request_keys).values(ROW))
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "secure_delete")
        ]
    assert settings == ["wal", 2, 1]
    with sqlite3.connect(tmp_path / "server.sqlite") as other:
        assert other.execute("select count(*) from request_keys").fetchall() == [(1,)]
    other.close()
    database.close()


def test_after_compacting_sqlite_keeps_nothing_of_rows_that_are_gone(tmp_path: Path) -> None:
    database = Database.in_folder(tmp_path)
    with database.write() as connection:
        connection.execute(sa.insert(request_keys).values(ROW | {"key": "canary-in-a-row"}))
    with database.write() as connection:
        connection.execute(sa.delete(request_keys))
    database.compact()
    assert all(b"canary-in-a-row" not in path.read_bytes() for path in tmp_path.iterdir())
    database.close()
