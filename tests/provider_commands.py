# SPDX-License-Identifier: Apache-2.0
"""What ``airflow providers ...`` prints in an environment, its own or the oldest Airflow's."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from demo.processes import clean_environment

_COMPLAINT = re.compile(r"warn|error|exception|inconsisten", re.IGNORECASE)
_OF_OTHERS = re.compile(r"ProvidersManager\.hooks is deprecated|apache-airflow-providers-")

_COMMANDS = (("list",), ("get", "airflow-provider-ocr"), ("hooks",))

# One process for all: to start Airflow takes longer than what the commands do.
_RUN_ALL = """
import contextlib, io, json, sys
from airflow.__main__ import main
for command in json.loads(sys.argv[1]):
    # Airflow's commands keep warnings to themselves unless they are asked to be verbose.
    sys.argv = ["airflow", "providers", *command, "--verbose", "--output", "plain"]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        main()
    print(json.dumps([command[0], output.getvalue()]))
"""


@dataclass(frozen=True)
class ProviderCommands:
    """What the commands printed.

    :param printed: by command, what it wrote on standard output.
    :param beside: all that was written beside that.
    """

    printed: dict[str, str]
    beside: str

    @property
    def complaints(self) -> list[str]:
        """Lines with warnings and errors; Airflow's about itself and other providers are left out."""
        rows = [line for line in "\n".join(self.printed.values()).splitlines() if "ocr" in line]
        lines = [line for line in self.beside.splitlines() if not _OF_OTHERS.search(line)]
        return [line for line in (*rows, *lines) if _COMPLAINT.search(line)]


def run_provider_commands(python: Path, home: Path, *, package: Path | None = None) -> ProviderCommands:
    """Run ``airflow providers list``, ``get`` and ``hooks``, with all of Python's warnings shown.

    :param python: interpreter of the environment.
    :param home: an empty folder for its AIRFLOW_HOME.
    :param package: a folder with another copy of this package, to take instead of what is installed.
    """
    done = subprocess.run(
        [str(python), "-W", "always", "-c", _RUN_ALL, json.dumps(_COMMANDS)],
        cwd=home,
        env={**clean_environment(), "AIRFLOW_HOME": str(home), "PYTHONPATH": str(package or "")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    answers = [line for line in lines if line.startswith('["')]
    others = [line for line in lines if line not in answers]
    return ProviderCommands(dict(json.loads(line) for line in answers), "\n".join([*others, done.stderr]))


def assert_shown_without_a_warning(commands: ProviderCommands) -> None:
    """The provider stands in each list, and nobody was warned of anything."""
    assert "airflow-provider-ocr" in commands.printed["list"]
    assert "airflow-provider-ocr" in commands.printed["get"]
    assert "airflow_provider_ocr.hooks.cloud_ocr.CloudOcrHook" in commands.printed["hooks"]
    assert not commands.complaints, "\n".join(commands.complaints)
