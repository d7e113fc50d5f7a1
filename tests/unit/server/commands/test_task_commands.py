# SPDX-License-Identifier: Apache-2.0
"""`tasks purge` asks before it deletes, says what it did, and says what is wrong in one line."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.commands.command_line import main
from airflow_provider_ocr.server.operations.opening import open_files, open_secret
from airflow_provider_ocr.server.records import database as tables
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database, now_ms
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.stored_task import TaskRows

SETTINGS = ProcessingSettings(export_format=(ExportFormat.TXT,), description="canary")


@pytest.fixture(autouse=True)
def _leave_the_umask_as_it_was() -> Iterator[None]:
    mask = os.umask(0o022)
    os.umask(mask)
    yield
    os.umask(mask)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database.in_folder(tmp_path)
    for name in ("invoices", "other"):
        Applications(database).add(name, "a hash")
    yield database
    database.close()


@pytest.fixture
def add(database: Database, tmp_path: Path) -> Callable[..., None]:
    """Adds a task with an image."""
    rows = TaskRows(Sealer(open_secret(tmp_path, None)))
    files = open_files(tmp_path, None)

    def added(status: TaskStatus, *, hours: float = 0, application: str = "invoices") -> None:
        row = {
            "id": str(uuid.uuid4()),
            "application": application,
            "status": status,
            "registered_ms": 0,
            "changed_ms": now_ms() - int(3_600_000 * hours),
            **rows.encode(SETTINGS, None),
        }
        with database.write() as connection:
            connection.execute(sa.insert(tables.tasks).values(row))
        with files.incoming() as image:
            image.write_text("canary")
            files.keep(image, str(row["id"]))

    return added


@pytest.fixture
def purge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs `tasks purge`; its exit status, output and errors."""

    def purged(*arguments: str) -> tuple[int, str, str]:
        status = main(["tasks", "purge", "--data", str(tmp_path), *arguments])
        return status, *capsys.readouterr()

    return purged


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets a person at a terminal answer."""

    def typed(answer: str) -> None:
        terminal = io.StringIO(f"{answer}\n")
        monkeypatch.setattr(terminal, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", terminal)

    return typed


def left(database: Database) -> dict[str, int]:
    """How many tasks each application has that are not deleted."""
    query = sa.select(tables.tasks.c.application, sa.func.count()).where(tables.tasks.c.status != "Deleted")
    with database.read() as connection:
        return dict(connection.execute(query.group_by(tables.tasks.c.application)).all())


def canaries(folder: Path) -> int:
    return sum(b"canary" in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_it_deletes_and_says_how_much(
    add: Callable[..., None], purge: Callable[..., tuple[int, str, str]], database: Database, tmp_path: Path
) -> None:
    for status in (TaskStatus.COMPLETED, TaskStatus.QUEUED, TaskStatus.COMPLETED):
        add(status)
    assert purge("--yes") == (0, "Tasks deleted, with everything that they held: 3.\n", "")
    assert left(database) == {}
    assert canaries(tmp_path) == 0


def test_it_deletes_what_was_chosen(
    add: Callable[..., None], purge: Callable[..., tuple[int, str, str]], database: Database
) -> None:
    add(TaskStatus.COMPLETED, hours=3)
    add(TaskStatus.COMPLETED, hours=1)
    add(TaskStatus.COMPLETED, hours=3, application="other")
    assert purge("--yes", "--application", "invoices", "--older-than", "2")[1].endswith(": 1.\n")
    assert left(database) == {"invoices": 1, "other": 1}


def test_it_tells_what_it_left(add: Callable[..., None], purge: Callable[..., tuple[int, str, str]]) -> None:
    add(TaskStatus.IN_PROGRESS)
    status, output, told = purge()
    assert (status, output) == (0, "Tasks deleted, with everything that they held: 0.\n")
    assert told == "Tasks left because they are being recognised: 1. Purge again when they are done.\n"


@pytest.mark.parametrize(("answer", "deleted"), [("y", True), ("YES", True), ("", False), ("no", False)])
def test_a_person_is_asked_first(
    *,
    answer: str,
    deleted: bool,
    add: Callable[..., None],
    purge: Callable[..., tuple[int, str, str]],
    type_in: Callable[[str], None],
    database: Database,
) -> None:
    add(TaskStatus.COMPLETED)
    add(TaskStatus.QUEUED)
    type_in(answer)
    status, _, told = purge()
    assert "Tasks to be deleted, with everything that they hold: " in told
    assert "1 Completed" in told
    assert "1 Queued" in told
    assert (status, left(database)) == ((0, {}) if deleted else (1, {"invoices": 2}))


def test_a_program_has_to_say_yes(
    add: Callable[..., None],
    purge: Callable[..., tuple[int, str, str]],
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(TaskStatus.COMPLETED)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    status, output, told = purge()
    assert (status, output) == (1, "")
    assert "say --yes" in told
    assert left(database) == {"invoices": 1}


@pytest.mark.usefixtures("database")
def test_what_is_wrong_is_one_line(
    purge: Callable[..., tuple[int, str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short").write_bytes(b"canary")
    for arguments, said in (
        (("--application", "nobody"), "there is no application 'nobody'"),
        (("--storage", "nonsense://canary:canary@host/x"), "--storage cannot be used"),
        (("--secret-file", str(tmp_path / "short")), "has fewer than 32 bytes"),
        (("--data", str(tmp_path / "empty")), "there is no server's database"),
        (("--database", "nonsense://canary:canary@host/x"), "no URL that SQLAlchemy takes"),
    ):
        status, output, told = purge("--yes", *arguments)
        assert (status, output, told.count("\n")) == (1, "", 1)
        assert said in told
        assert "canary" not in told.replace(str(tmp_path), "")


def test_another_servers_secret_is_refused(
    add: Callable[..., None], purge: Callable[..., tuple[int, str, str]], tmp_path: Path, database: Database
) -> None:
    add(TaskStatus.COMPLETED)
    (tmp_path / "other.secret").write_bytes(b"x" * 32)
    status, _, told = purge("--yes", "--secret-file", str(tmp_path / "other.secret"))
    assert status == 1
    assert "sealed under another secret" in told
    assert left(database) == {"invoices": 1}
