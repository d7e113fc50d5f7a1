# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from airflow_provider_ocr.cli.definition import get_cloud_ocr_cli_commands
from airflow_provider_ocr.cli.exits import EXIT_CODES

PAGE = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = re.findall(r"airflow ocr .*", "".join(BLOCKS))


@pytest.fixture(scope="module")
def parser() -> argparse.ArgumentParser:
    from airflow.cli.cli_parser import get_parser

    return get_parser()


@pytest.mark.parametrize("line", EXAMPLES)
def test_each_example_is_a_command(line: str, parser: argparse.ArgumentParser) -> None:
    words = shlex.split(line.rstrip(")").partition("<")[0], comments=True)
    assert callable(parser.parse_args(words[1:]).func)


def test_each_command_is_on_the_page() -> None:
    [group] = get_cloud_ocr_cli_commands()
    described = re.findall(r"^\| `([a-z]+)[^`]*` \|", PAGE, re.MULTILINE)
    assert sorted(described) == sorted(command.name for command in group.subcommands)


def test_the_exit_codes_are_those_of_the_help() -> None:
    table = re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)
    assert table == [tuple(line.strip().split(maxsplit=1)) for line in EXIT_CODES.splitlines()[1:]]
