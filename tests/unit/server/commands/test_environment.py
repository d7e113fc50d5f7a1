# SPDX-License-Identifier: Apache-2.0
"""What stands on the command line counts before what stands in the environment; both are named when wrong."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import pytest

from airflow_provider_ocr.server.commands.environment import Flag, add_flags, option_values, unknown_variables
from airflow_provider_ocr.server.operations.command_errors import UsageError


def whole_number(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


PORT = Flag(name="a-port", metavar="PORT", kind=whole_number, explanation="where it listens", default="8095")
NETWORK = Flag(name="network", metavar="NET", kind=whole_number, explanation="from where", several=True)
DATA = Flag(name="data", metavar="DIR", kind=str, explanation="where it lies", required=True)
PLAIN = Flag(name="plain", metavar="X", kind=str, explanation="nothing by default")


def values(flag: Flag, *arguments: str, **environment: str) -> object:
    parser = argparse.ArgumentParser()
    add_flags(parser, [flag])
    return option_values([flag], parser.parse_args(arguments), environment)[flag.destination]


@pytest.mark.parametrize(
    ("flag", "arguments", "environment", "value"),
    [
        (PORT, (), {}, 8095),
        (PORT, (), {"CLOUD_OCR_SERVER_A_PORT": "1"}, 1),
        (PORT, (), {"CLOUD_OCR_SERVER_A_PORT": " 1 "}, 1),
        (PORT, (), {"CLOUD_OCR_SERVER_A_PORT": ""}, 8095),
        (PORT, ("--a-port", "2"), {"CLOUD_OCR_SERVER_A_PORT": "1"}, 2),
        (PORT, ("--a-port", "8095"), {"CLOUD_OCR_SERVER_A_PORT": "1"}, 8095),
        (PORT, ("--a-port", "2"), {"CLOUD_OCR_SERVER_A_PORT": "wrong, but not asked"}, 2),
        (NETWORK, (), {}, []),
        (NETWORK, (), {"CLOUD_OCR_SERVER_NETWORK": "1"}, [1]),
        (NETWORK, (), {"CLOUD_OCR_SERVER_NETWORK": "1, 2,,3,"}, [1, 2, 3]),
        (NETWORK, ("--network", "4", "--network", "5"), {"CLOUD_OCR_SERVER_NETWORK": "1,2"}, [4, 5]),
        (DATA, (), {"CLOUD_OCR_SERVER_DATA": "x"}, "x"),
        (PLAIN, (), {}, None),
    ],
)
def test_the_command_line_counts_before_the_environment_and_that_before_the_default(
    flag: Flag, arguments: tuple[str, ...], environment: Mapping[str, str], value: object
) -> None:
    assert values(flag, *arguments, **environment) == value


@pytest.mark.parametrize(
    ("flag", "text"),
    [(PORT, "many"), (NETWORK, "1,many"), (NETWORK, "many,1")],
    ids=["one", "last", "first"],
)
def test_a_wrong_variable_is_named(flag: Flag, text: str) -> None:
    with pytest.raises(UsageError, match=rf"^{flag.variable}: 'many' is no number$"):
        values(flag, **{flag.variable: text})


def test_what_is_missing_is_named_by_flag_and_variable() -> None:
    with pytest.raises(UsageError, match=r"^--data DIR, or CLOUD_OCR_SERVER_DATA, is missing: where it lies"):
        values(DATA)


def test_help_shows_the_default_and_what_may_be_repeated() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, [PORT, NETWORK, DATA, PLAIN])
    told = " ".join(parser.format_help().split())
    assert "--a-port PORT where it listens (default: 8095)" in told
    assert "--network NET from where (may be given several times)" in told
    assert "--data DIR where it lies (required)" in told
    assert told.endswith("--plain X nothing by default")


def test_misspelt_variables_are_found() -> None:
    environment = {"CLOUD_OCR_SERVER_A_PORT": "1", "CLOUD_OCR_SERVER_PROT": "2", "HOME": "/"}
    assert unknown_variables([PORT], environment) == ["CLOUD_OCR_SERVER_PROT"]
