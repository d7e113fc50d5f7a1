# SPDX-License-Identifier: Apache-2.0
"""The examples of the page for DAG authors run as they stand there, and its table lists all that there is."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "testing.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- (\w+\.py) -->\n```python\n(.*?)```", PAGE, flags=re.DOTALL))


def run(folder: Path, *command: str) -> str:
    """The output of a Python module that has to succeed, with all examples in its folder."""
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    # Nothing else than what the page says; anything more would hide what it forgets.
    environment["AIRFLOW_HOME"] = str(folder / "home")
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_of_one_task_passes(cloud_ocr: CloudOcrRehearsal) -> None:
    example: dict[str, Any] = {}
    exec(compile(EXAMPLES["test_submission.py"], "test_submission.py", "exec"), example)
    [test] = (value for name, value in example.items() if name.startswith("test_"))
    test(cloud_ocr)


@pytest.mark.long
def test_all_examples_pass_together_in_a_project_of_their_own(tmp_path: Path) -> None:
    run(tmp_path, "airflow", "db", "migrate")
    assert "3 passed" in run(tmp_path, "pytest")


def test_the_table_lists_every_switch_with_its_arguments_and_their_defaults() -> None:
    table = {
        name: arguments
        for row in re.findall(r"^\| (`.+?) \|", PAGE, flags=re.MULTILINE)
        for name, arguments in re.findall(r"`(\w+)(?:\((.*?)\))?`", row)
    }
    public = {name: value for name, value in vars(CloudOcrRehearsal).items() if not name.startswith("_")}
    assert table.keys() == public.keys()
    for name, value in public.items():
        if inspect.isfunction(value):
            named = re.findall(r"(\w+)(?:=([^,]+))?(?:, |$)", table[name])
            parameters = list(inspect.signature(value).parameters.values())[1:]
            assert [argument for argument, _ in named] == [parameter.name for parameter in parameters]
            for (_, default), parameter in zip(named, parameters, strict=True):
                # Some defaults are told in words.
                assert not default or ast.literal_eval(default) == parameter.default
