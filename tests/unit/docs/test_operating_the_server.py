# SPDX-License-Identifier: Apache-2.0
"""What the operator's page tells people to type is what the program takes; its defaults are the program's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_ocr.server.commands import command_line
from airflow_provider_ocr.server.commands.environment import PREFIX, unknown_variables
from airflow_provider_ocr.server.commands.serve_flags import SERVE_FLAGS
from airflow_provider_ocr.server.operations.metrics import Metrics
from airflow_provider_ocr.server.operations.statistics import ApplicationCredits, Statistics

PROJECT = Path(__file__).resolve().parents[3]
PAGES = [PROJECT / "docs" / "operating-the-server.md", PROJECT / "deploy" / "README.md"]
TEXT = PAGES[0].read_text()
COMMANDS = sorted(
    {
        match.strip()
        for page in PAGES
        for match in re.findall(
            r"cloud-ocr-server ((?:applications|tasks|requirements)[^#\n|`)]*)", page.read_text()
        )
        if "..." not in match
    }
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_taken(command: str) -> None:
    given = command_line._parser().parse_args(command.split())
    assert callable(given.run)


def test_every_variable_is_an_option() -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", TEXT))
    assert named
    assert unknown_variables(SERVE_FLAGS, dict.fromkeys(named, "")) == []


def test_every_option_exists_and_has_the_default_that_is_told() -> None:
    flags = {flag.name: flag for flag in SERVE_FLAGS}
    others = {"password-file", "credits", "older-than", "yes", "no-deps", "upgrade"}
    assert set(re.findall(r"--([a-z][a-z-]+)", TEXT)) <= flags.keys() | others
    for name, default in re.findall(r"`--([a-z-]+)` \((\d+G?)\)", TEXT):
        assert flags[name].default == default
    for name, default in re.findall(r"`--([a-z-]+) [A-Z]+` \| (\d+) \|", TEXT):
        assert flags[name].default == default


def test_every_metric_exists() -> None:
    account = ApplicationCredits(name="a", credits=1, reserved=0, used=0)
    now = Statistics(
        tasks={},
        queued_seconds=0,
        pages_per_minute=0,
        pages_total=0,
        failed_total=0,
        workers=1,
        busy_workers=0,
        spool_bytes=0,
        spool_limit_bytes=0,
        free_bytes=0,
        disk_bytes=0,
        applications=(account,),
    )
    rendered, _ = Metrics(lambda: now).render("")
    exist = set(re.findall(r"^(\w+)", rendered.decode(), flags=re.MULTILINE))
    named = set(re.findall(r"`((?:cloud_ocr|process)_\w+)", TEXT))
    assert len(named) > 10
    assert named <= exist
