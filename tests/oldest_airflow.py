# SPDX-License-Identifier: Apache-2.0
"""An environment with the oldest Airflow that is supported, and this package in it as it stands."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

from demo.processes import clean_environment

PROJECT = Path(__file__).resolve().parents[1]
OLDEST = "3.0.6"

_FOLDER = PROJECT / ".venv" / "oldest-airflow"
_DAY_OF_ITS_TIME = "2025-09-10"
_SECONDS = 900
_AIRFLOW = f"apache-airflow=={OLDEST}"


class BuildError(Exception):
    """The environment could not be built; the text has the command and its last words."""


def build_oldest_airflow() -> Path:
    """The interpreter of the environment, built now or kept from an earlier run with the same requirements.

    Airflow 3.0.6 fails every task with today's FastAPI, so what it needs comes from a day of its time; only
    common-compat is newer.

    :raises BuildError: if that cannot be done, for example because no package registry is reached.
    """
    python = _FOLDER / "bin" / "python"
    stamp = _FOLDER / "built-for"
    recipe = [
        ["venv", "--clear", "--python", sys.executable, str(_FOLDER)],
        _install(python, "--exclude-newer", _DAY_OF_ITS_TIME, _AIRFLOW),
        _install(python, "apache-airflow-providers-common-compat>=1.23", _AIRFLOW),
        # WTForms is what that Airflow's form is made of; a deployment gets it with the FAB provider.
        _install(python, "--editable", str(PROJECT), "wtforms>=3.1", _AIRFLOW),
    ]
    wanted = hashlib.sha256(f"{recipe}{(PROJECT / 'pyproject.toml').read_text()}".encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        for step in recipe:
            _run(step)
        stamp.write_text(wanted)
    return python


def _install(python: Path, *what: str) -> list[str]:
    return ["pip", "install", "--quiet", "--python", str(python), *what]


def _run(step: list[str]) -> None:
    command = [find_uv_bin(), *step]
    done = subprocess.run(
        command, env=clean_environment(), capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        raise BuildError(
            f"Airflow {OLDEST} could not be installed: uv {' '.join(step)}\n{done.stderr[-2000:]}"
        )
