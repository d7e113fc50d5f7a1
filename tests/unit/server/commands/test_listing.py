# SPDX-License-Identifier: Apache-2.0
"""The same rows for people and for programs."""

from __future__ import annotations

import json

import pytest
import yaml

from airflow_provider_ocr.server.commands.listing import Output, Row, list_text

ROWS: list[Row] = [
    {"name": 'my "app": é', "credits": 1200, "hours": None, "disabled": False},
    {"name": "x", "credits": None, "hours": 1.5, "disabled": True},
]


def test_a_table_has_its_columns_under_each_other() -> None:
    assert list_text(ROWS, Output.TABLE, absent={"credits": "unlimited"}).splitlines() == [
        "name        | credits   | hours | disabled",
        "============+===========+=======+=========",
        'my "app": é | 1200      | -     | False',
        "x           | unlimited | 1.5   | True",
    ]


def test_plain_columns_have_no_rules() -> None:
    assert list_text(ROWS, Output.PLAIN).splitlines() == [
        "name         credits  hours  disabled",
        'my "app": é  1200     -      False',
        "x            -        1.5    True",
    ]


def test_programs_read_back_what_was_there() -> None:
    assert json.loads(list_text(ROWS, Output.JSON)) == ROWS
    assert yaml.safe_load(list_text(ROWS, Output.YAML)) == ROWS


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (Output.TABLE, "No data found"),
        (Output.PLAIN, "No data found"),
        (Output.JSON, "[]"),
        (Output.YAML, "[]"),
    ],
)
def test_an_empty_list_is_said_to_be_empty(output: Output, text: str) -> None:
    assert list_text([], output) == text
