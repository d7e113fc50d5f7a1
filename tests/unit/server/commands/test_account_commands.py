# SPDX-License-Identifier: Apache-2.0
"""The commands on a real database: what they change, what they print, what they refuse."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_provider_ocr.server.accounts.passwords import verify_password
from airflow_provider_ocr.server.commands import account_commands
from airflow_provider_ocr.server.commands.command_line import main
from airflow_provider_ocr.server.records.applications import Applications, charge
from airflow_provider_ocr.server.records.database import Database


@pytest.fixture(autouse=True)
def _leave_the_umask_as_it_was() -> Iterator[None]:
    mask = os.umask(0o022)
    os.umask(mask)
    yield
    os.umask(mask)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that nothing has made yet."""
    return tmp_path / "new" / "data"


@pytest.fixture
def applications(data: Path) -> Iterator[Applications]:
    """The applications of a server that is running meanwhile."""
    data.mkdir(parents=True)
    database = Database.in_folder(data)
    applications = Applications(database)
    applications.add("invoices", "a hash", credits=100)
    yield applications
    database.close()


@pytest.fixture
def run(data: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """Runs `applications ACTION`, which has to succeed; what it wrote to output and to error."""

    def ran(action: str, *arguments: str) -> tuple[str, str]:
        status = main(["applications", action, "--data", str(data), *arguments])
        written = capsys.readouterr()
        assert status == 0, written.err
        return written.out, written.err

    return ran


@pytest.fixture
def refused(data: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `applications ACTION`, which has to fail; the line that it says."""

    def said(action: str, *arguments: str) -> str:
        assert main(["applications", action, "--data", str(data), *arguments]) == 1
        written = capsys.readouterr()
        assert written.out == ""
        [line] = written.err.splitlines()
        assert line.startswith("cloud-ocr-server: ")
        return line

    return said


def found(data: Path, name: str) -> object:
    database = Database.in_folder(data)
    try:
        return Applications(database).find(name)
    finally:
        database.close()


def test_a_made_up_password_is_printed_alone_and_opens_the_account(
    run: Callable[..., tuple[str, str]], data: Path
) -> None:
    password, told = run("add", "my app")
    application = found(data, "my app")
    assert application is not None
    assert verify_password(password.removesuffix("\n"), application.password_hash)
    assert len(password) > 30
    assert password.strip() not in told
    assert "not shown again" in told
    assert run("add", "another")[0] != password
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "server.sqlite").stat().st_mode & 0o777 == 0o600


def test_an_account_has_what_it_was_given(run: Callable[..., tuple[str, str]], data: Path) -> None:
    limits = ("--credits", "500", "--keep-images", "1.5", "--keep-results", "2")
    run("add", "limited", *limits)
    run("add", "plain")
    [limited, plain] = json.loads(run("list", "-o", "json")[0])
    assert limited.pop("created").endswith(("Z", "+00:00"))
    assert limited == {
        "name": "limited",
        "credits": 500,
        "reserved": 0,
        "used": 0,
        "disabled": False,
        "keep_images_hours": 1.5,
        "keep_results_hours": 2.0,
    }
    assert [plain[column] for column in ("credits", "keep_images_hours", "keep_results_hours")] == [None] * 3
    table = run("list")[0]
    assert "plain   | unlimited | 0        | 0    | False    | default" in table


@pytest.mark.parametrize("written", ["pa:ss wörd", "pa:ss wörd\n", "pa:ss wörd\r\n"])
@pytest.mark.parametrize("from_file", [True, False], ids=["file", "input"])
def test_a_password_may_come_from_a_file_or_from_input(
    *,
    written: str,
    from_file: bool,
    run: Callable[..., tuple[str, str]],
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "password").write_text(written, encoding="utf-8", newline="")
    monkeypatch.setattr("sys.stdin", io.StringIO(written, newline=""))
    output, told = run("add", "a", "--password-file", str(tmp_path / "password") if from_file else "-")
    assert output == ""
    assert "pa:ss" not in told
    assert verify_password("pa:ss wörd", found(data, "a").password_hash)


def test_a_terminal_is_asked_without_an_echo(
    run: Callable[..., tuple[str, str]], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    monkeypatch.setattr(account_commands, "getpass", lambda _: "typed")
    run("add", "a", "--password-file", "-")
    assert verify_password("typed", found(data, "a").password_hash)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "may not be empty"),
        (b"\n", "may not be empty"),
        (b"two\nlines\n", "line end or control character"),
        (b"\xff", "is not UTF-8"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_an_unusable_password_is_refused(
    content: bytes | None, said: str, refused: Callable[..., str], tmp_path: Path, data: Path
) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    assert said in refused("add", "a", "--password-file", str(tmp_path / "password"))
    assert not data.exists()


def test_a_name_is_given_once(run: Callable[..., tuple[str, str]], refused: Callable[..., str]) -> None:
    run("add", "a")
    assert "There is an application 'a' already" in refused("add", "a")


def test_an_application_is_shut_out_and_let_in_while_the_server_runs(
    run: Callable[..., tuple[str, str]], applications: Applications
) -> None:
    for action, disabled in (("disable", True), ("disable", True), ("enable", False)):
        run(action, "invoices")
        application = applications.find("invoices")
        assert application is not None
        assert application.disabled is disabled


def test_a_password_is_changed(run: Callable[..., tuple[str, str]], applications: Applications) -> None:
    password, _ = run("set-password", "invoices")
    application = applications.find("invoices")
    assert application is not None
    assert verify_password(password.strip(), application.password_hash)


def test_credits_are_given_and_taken_and_the_ledger_tells_all(
    run: Callable[..., tuple[str, str]], applications: Applications, data: Path
) -> None:
    assert "has 150 credits now, 0 of them reserved" in run("credit", "invoices", "50")[1]
    assert "has 140 credits now" in run("credit", "invoices", "-10")[1]
    database = Database.in_folder(data)
    with database.write() as connection:
        charge(connection, "invoices", "4711", pages=2, credits=10)
    database.close()
    entries = json.loads(run("ledger", "invoices", "-o", "json")[0])
    assert [(entry["task"], entry["pages"], entry["credits"], entry["reason"]) for entry in entries] == [
        (None, 0, 100, "credit"),
        (None, 0, 50, "credit"),
        (None, 0, -10, "credit"),
        ("4711", 2, -10, "recognition"),
    ]
    assert "| 4711 | 2     | -10     | recognition" in run("ledger", "invoices")[0]


@pytest.mark.parametrize(
    "arguments", [("disable",), ("enable",), ("set-password",), ("credit", "5"), ("ledger",)], ids=str
)
@pytest.mark.usefixtures("applications")
def test_an_unknown_application_is_named(arguments: tuple[str, ...], refused: Callable[..., str]) -> None:
    said = refused(arguments[0], "nobody", *arguments[1:])
    assert "There is no application 'nobody'; `cloud-ocr-server applications list` shows all." in said


@pytest.mark.parametrize("action", ["list", "ledger"])
def test_a_folder_without_a_server_is_named_and_left_as_it_is(
    action: str, refused: Callable[..., str], data: Path
) -> None:
    name = () if action == "list" else ("a",)
    assert f"there is no server's database in {data}" in refused(action, *name)
    assert not data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_root_is_told_to_be_the_user_that_the_folder_belongs_to(
    refused: Callable[..., str], data: Path
) -> None:
    data.mkdir(parents=True)
    os.chown(data, 4711, 4711)
    assert "run this as that user: sudo --user '#4711'" in refused("add", "a")
    assert list(data.iterdir()) == []


def test_the_server_may_be_named_by_the_environment(
    run: Callable[..., tuple[str, str]],
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("add", "a")
    monkeypatch.setenv("CLOUD_OCR_SERVER_DATA", str(data))
    assert main(["applications", "list", "-o", "plain"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("a ")


def test_one_of_data_and_database_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["applications", "list"]) == 1
    assert "either --data or --database" in capsys.readouterr().err


def test_a_database_of_its_own_needs_no_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'other.sqlite'}"
    assert main(["applications", "add", "--database", url, "a"]) == 0
    assert main(["applications", "list", "--database", url, "-o", "plain"]) == 0
    assert "unlimited" in capsys.readouterr().out
