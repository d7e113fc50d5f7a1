# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from airflow.cli.cli_config import ActionCommand, GroupCommand

from airflow_provider_ocr.cli.definition import get_cloud_ocr_cli_commands
from airflow_provider_ocr.get_provider_info import get_provider_info
from airflow_provider_ocr.hooks.cloud_ocr import DEFAULT_CONN_ID

NAMES = ["check", "delete", "download", "info", "list", "resume", "status", "submit", "wait"]

PROBE = """
import sys
import airflow.cli.cli_config
before = {name.partition(".")[0] for name in sys.modules}
from airflow_provider_ocr.cli.definition import get_cloud_ocr_cli_commands
get_cloud_ocr_cli_commands()
after = {name.partition(".")[0] for name in sys.modules}
print(*sorted(after - before - set(sys.stdlib_module_names) - {"airflow_provider_ocr"}))
print(*sorted(name for name in sys.modules if name.startswith("airflow_provider_ocr.")))
"""


def commands() -> dict[str, ActionCommand]:
    [group] = get_cloud_ocr_cli_commands()
    assert isinstance(group, GroupCommand)
    return {command.name: command for command in group.subcommands}


def test_airflow_is_told_of_the_commands() -> None:
    [path] = get_provider_info()["cli"]
    module, _, name = path.rpartition(".")
    assert getattr(importlib.import_module(module), name) is get_cloud_ocr_cli_commands


def test_there_is_a_command_for_each_thing_to_do() -> None:
    assert sorted(commands()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_command_takes_a_connection_an_output_and_verbosity(name: str) -> None:
    flags = {flag for arg in commands()[name].args for flag in arg.flags}
    assert flags >= {"--conn-id", "-o", "--output", "-v", "--verbose"}


@pytest.mark.parametrize("name", NAMES)
def test_each_command_has_a_help_that_can_be_printed(
    name: str, parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parser.parse_args(["ocr", name, "--help"])
    assert end.value.code == 0
    assert DEFAULT_CONN_ID in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_the_default_connection_is_the_hooks(name: str, parser: argparse.ArgumentParser) -> None:
    required = {"status": ["a"], "wait": ["a"], "resume": ["a"], "download": ["a", "--export-format", "txt"]}
    assert parser.parse_args(["ocr", name, *required.get(name, [])]).conn_id == DEFAULT_CONN_ID


def test_the_definition_costs_every_other_command_next_to_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, timeout=60
    )
    packages, modules = done.stdout.split("\n")[:2]
    assert packages.split() == []
    loaded = modules.split()
    light = ("airflow_provider_ocr.cli.", "airflow_provider_ocr.protocol.")
    assert [name for name in loaded if name.startswith(light)]
    heavy = (
        "client",
        "lifecycle",
        "hooks.cloud_ocr",
        "operators",
        "sensors",
        "triggers",
        "transfers",
        "server",
    )
    assert [
        name for name in loaded if name.startswith(tuple(f"airflow_provider_ocr.{part}" for part in heavy))
    ] == []


@pytest.mark.parametrize(
    "words",
    [
        ("wait",),
        ("wait", "some-task", "--poll-interval", "1.9"),
        ("wait", "some-task", "--poll-interval", "often"),
        ("wait", "some-task", "--timeout", "-1"),
        ("wait", "some-task", "--timeout", "nan"),
        ("list", "--from-date", "the other day"),
        ("list", "--from-date", "P1D"),
        ("list", "--to-date", "2026-11-01/P1D"),
        ("list", "--to-date", "0001-01-02"),
        ("list", "--to-date", "9" * 25),
        ("delete", "--finished-before", "P1D", "-y"),
        ("list", "-o", "csv"),
        ("download", "some-task"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_a_usage_error(words: tuple[str, ...], ocr: Callable[..., Any]) -> None:
    ran = ocr(*words)
    assert ran.code == 2
    assert len(ran.err.split("\n")) == 3, "a blank line and one that says what is wrong"
