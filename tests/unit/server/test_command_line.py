# SPDX-License-Identifier: Apache-2.0
"""The command says what it needs, and what is wrong where it cannot start, before it loads anything heavy."""

from __future__ import annotations

import fcntl
import re
import socket
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server import command_line
from airflow_provider_ocr.server.choices import DeletedTask, ListFilter, ListOrder
from airflow_provider_ocr.server.command_line import main, server_requirements

FLAGS = {
    "--host": "address to listen on",
    "--port": "0 takes a free one",
    "--data": "folder for database, images and results",
    "--application": "an application that may use the server",
    "--workers": "documents recognised at the same time",
    "--allow-source": "although it is not public",
    "--tessdata": "more tesseract language data",
    "--list-order": "which tasks the lists begin with",
    "--list-filter": "which time of a task listTasks filters on",
    "--deleted-task": "what getTaskStatus answers for a deleted task",
}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints before it ends in good order."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What ``serve`` says about a command line that it does not take."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", *arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err


def refusal(capsys: pytest.CaptureFixture[str], data: Path, *arguments: str) -> str:
    """What ``serve`` says where it cannot start."""
    assert main(["serve", "--data", str(data), "--application", "a:canary", *arguments]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("cloud-ocr-server: ")
    assert output.err.count("\n") == 1
    assert "canary" not in output.err
    return output.err


def test_help_explains_each_flag(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "serve", "--help")
    assert set(re.findall(r"--[a-z-]+", told)) == {*FLAGS, "--help"}
    for flag, explanation in FLAGS.items():
        assert re.search(rf"{flag} (?:[A-Z:]+|{{[a-z,]+}}) [^-]*{re.escape(explanation)}", told), flag


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "--help")
    assert "requirements print the packages that the server needs" in told
    assert "serve answer the Cloud OCR SDK API and recognise" in told


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--version") == f"cloud-ocr-server {__version__}"


def test_requirements_are_those_of_the_extra_and_pip_takes_them(capsys: pytest.CaptureFixture[str]) -> None:
    parsed = [Requirement(entry) for entry in requires("airflow-provider-ocr") or ()]
    extra = [entry for entry in parsed if entry.marker and entry.marker.evaluate({"extra": "server"})]
    assert main(["requirements"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [(entry.name, entry.specifier) for entry in map(Requirement, lines)] == [
        (entry.name, entry.specifier) for entry in extra
    ]
    names = {Requirement(line).name for line in lines}
    assert {"starlette", "uvicorn", "sqlalchemy", "requests", "tesserocr"} <= names
    assert "apache-airflow" not in names
    assert not any(";" in line for line in lines)


@pytest.mark.parametrize("quote", ['"', "'"])
def test_both_spellings_of_a_marker_are_read(quote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = ["a>=1", f"b>=2; extra == {quote}server{quote}", f"c; extra == {quote}docs{quote}"]
    monkeypatch.setattr(command_line, "requires", lambda _: entries)
    assert server_requirements() == ["b>=2"]


def test_help_and_requirements_load_nothing_of_the_server() -> None:
    program = (
        "import sys; from airflow_provider_ocr.server.command_line import main; main(['requirements']);"
        "sys.exit(', '.join(sys.modules.keys() & {'airflow', 'starlette', 'sqlalchemy', 'requests', 'cv2'}))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stderr.strip() == ""
    assert "starlette" in run.stdout


COMPLETE = ("--data", "x", "--application", "a:b")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--application", "a:b"), "--data"),
        (("--data", "x"), "--application"),
        *((("--data", "x", "--application", text), "needs the form NAME:PASSWORD") for text in ("a", "a:")),
        (("--data", "x", "--application", ":b"), "needs the form NAME:PASSWORD"),
        *(((*COMPLETE, "--port", text), f"'{text}' is no port number") for text in ("x", "-1", "65536")),
        *(((*COMPLETE, "--workers", text), "at least 1") for text in ("0", "-1", "many")),
        *(((*COMPLETE, "--allow-source", text), "is no network") for text in ("10.0.0.1/8", "x", "")),
        ((*COMPLETE, "--tessdata", "/nonexistent/tessdata"), "'/nonexistent/tessdata' is no folder"),
        ((*COMPLETE, "--unknown"), "--unknown"),
        *(((*COMPLETE, flag, "x"), "'x'") for flag in ("--list-order", "--list-filter", "--deleted-task")),
    ],
)
def test_a_wrong_option_is_named(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in complaint(capsys, *arguments).splitlines()[-1]


def test_a_password_may_have_colons_and_applications_are_several() -> None:
    arguments = ["serve", "--data", "x", "--application", "a:b:c", "--application", "d d:e"]
    options = command_line._parser().parse_args(arguments)
    assert options.application == [("a", "b:c"), ("d d", "e")]


def test_what_the_documentation_leaves_open_may_be_chosen() -> None:
    parse = command_line._parser().parse_args
    options = parse(["serve", *COMPLETE])
    assert (options.list_order, options.list_filter, options.deleted_task) == ("oldest", "changed", "error")
    chosen = ("--list-order", "newest", "--list-filter", "registered", "--deleted-task", "status")
    options = parse(["serve", *COMPLETE, *chosen])
    assert (options.list_order, options.list_filter, options.deleted_task) == (
        ListOrder.NEWEST,
        ListFilter.REGISTERED,
        DeletedTask.STATUS,
    )


def test_a_taken_port_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(capsys, tmp_path / "data", "--port", str(port))
    assert f"127.0.0.1:{port} cannot be listened on: Address already in use" in said


def test_an_address_that_is_not_this_machines_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "192.0.2.1:0 cannot be listened on" in refusal(
        capsys, tmp_path / "data", "--host", "192.0.2.1", "--port", "0"
    )


def test_a_data_folder_in_use_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with (tmp_path / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refusal(capsys, tmp_path, "--port", "0")
    assert f"another server is running on {tmp_path}" in said
    assert "--data" in said


def test_a_data_folder_that_cannot_be_made_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for data in (tmp_path / "file", tmp_path / "file" / "below"):
        assert f"the data folder {data} cannot be used" in refusal(capsys, data, "--port", "0")
