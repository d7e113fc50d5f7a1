# SPDX-License-Identifier: Apache-2.0
"""systemd takes the unit without a complaint and finds it hardened; what it says the server understands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_ocr.server.commands.environment import PREFIX, unknown_variables
from airflow_provider_ocr.server.commands.serve_flags import SERVE_FLAGS

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
UNIT = DEPLOY / "cloud-ocr-server.service"


def systemd_analyze(*arguments: str) -> str:
    """What `systemd-analyze` says; it has to be content."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze; on Debian: apt install systemd")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit as it is where its program is installed."""
    unit = tmp_path / UNIT.name
    unit.write_text(
        re.sub(r"^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text(), flags=re.MULTILINE)
    )
    return unit


def test_systemd_takes_the_unit_without_a_complaint(installed: Path) -> None:
    assert systemd_analyze("verify", str(installed)).strip() == ""


def test_systemd_finds_the_unit_hardened(installed: Path) -> None:
    said = systemd_analyze("security", "--offline=true", "--no-pager", "--threshold=20", str(installed))
    assert "Overall exposure level for cloud-ocr-server.service: 1." in said


@pytest.mark.parametrize("file", [UNIT, DEPLOY / "README.md"], ids=lambda file: file.name)
def test_every_variable_in_it_is_an_option(file: Path) -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", file.read_text()))
    assert named
    assert unknown_variables(SERVE_FLAGS, dict.fromkeys(named, "")) == []


def test_no_secret_is_given_on_the_command_line() -> None:
    [start] = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), flags=re.MULTILINE)
    assert start.split() == ["/opt/cloud-ocr/bin/cloud-ocr-server", "serve"]
