# SPDX-License-Identifier: Apache-2.0
"""The command says what it needs, and what is wrong where it cannot start, before it loads anything heavy."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server.commands import command_line
from airflow_provider_ocr.server.commands.command_line import main, server_requirements
from airflow_provider_ocr.server.commands.environment import Flag
from airflow_provider_ocr.server.commands.serve_flags import SERVE_FLAGS, TEST_FLAGS

FLAGS = (*SERVE_FLAGS, *TEST_FLAGS)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints before it ends in good order."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_help_explains_each_flag(flag: Flag, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"--{flag.name} {flag.metavar} {flag.explanation}" in printed(capsys, "serve", "--help")


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "--help")
    for line in (
        "serve answer the Cloud OCR SDK API and recognise",
        "applications who may use the server, and how many credits each has",
        "tasks delete tasks with everything that they hold",
        "requirements print the packages that the server needs",
    ):
        assert line in told


def test_help_names_the_variables(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--data as CLOUD_OCR_SERVER_DATA and so on" in printed(capsys, "serve", "--help")


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


def test_help_and_requirements_run_where_nothing_else_is_installed() -> None:
    program = (
        "import sys; from airflow_provider_ocr.server.commands.command_line import main\n"
        "main(['requirements'])\n"
        "for command in ([], ['serve'], ['applications', 'add'], ['tasks', 'purge']):\n"
        "    try: main([*command, '--help'])\n"
        "    except SystemExit: pass\n"
        "loaded = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(*sorted(name for name in loaded if not name.startswith('_')), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stderr.split() == ["airflow_provider_ocr"]
    assert "starlette" in run.stdout
    assert "--older-than" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("serve",), {}, "--data DIR, or CLOUD_OCR_SERVER_DATA, is missing"),
        (("serve", "--data", "x", "--unknown"), {}, "--unknown"),
        (("serve", "--data", "x", "--work", "3"), {}, "--work"),
        (("serve", "--data", "x", "--port", "x"), {}, "argument --port: 'x' is no port number"),
        (("serve", "--data", "x"), {"PORT": "tcp://x"}, "CLOUD_OCR_SERVER_PORT: 'tcp://x' is no port number"),
        (("serve", "--data", "x"), {"APPLICATION": "canary"}, "needs the form NAME:PASSWORD"),
        (("serve", "--data", "x", "--application", "canary"), {}, "needs the form NAME:PASSWORD"),
        (("serve", "--data", "x", "--tls-key", __file__), {}, "--tls-key needs --tls-cert"),
        (("applications",), {}, "action"),
        (("applications", "add"), {}, "NAME"),
        (("tasks", "purge", "--data", "x", "--older-than", "0"), {}, "above 0"),
        ((), {}, "command"),
    ],
)
def test_a_wrong_command_line_or_environment_is_explained(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"CLOUD_OCR_SERVER_{name}", value)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert said in output.err.splitlines()[-1]
    assert "canary" not in output.err


def test_an_interruption_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command_line, "_print_requirements", interrupt)
    assert main(["requirements"]) == 130


def test_what_cannot_be_done_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert main(["serve", "--data", str(tmp_path / "file"), "--application", "a:canary"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"cloud-ocr-server: the data folder {tmp_path / 'file'} cannot be used: File exists.\n"
    )
