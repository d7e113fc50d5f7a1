# SPDX-License-Identifier: Apache-2.0
"""With the oldest Airflow that is supported, the provider is found, its form is shown and its DAGs run.

There is no skip here: where that Airflow cannot be installed, these tests fail and say why.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.hooks.connection_form import form_behaviour, form_fields
from demo.processes import clean_environment
from tests.oldest_airflow import OLDEST, PROJECT, build_oldest_airflow
from tests.provider_commands import assert_shown_without_a_warning, run_provider_commands

pytestmark = pytest.mark.long

SYSTEM_TESTS = (
    "test_example_process_remote_image.py",
    "test_landed_news.py",
    "test_verdicts.py",
    "test_submit_once.py",
    "test_submission_crashes.py",
    "test_terms_of_submission.py",
)

SHOW_FORM = """
import json
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
[form] = [form for form in HookMetaService.hook_meta_data() if form.connection_type == "cloud_ocr"]
print("FORM", form.model_dump_json(by_alias=True))
"""


@pytest.fixture(scope="module")
def oldest() -> Path:
    """The interpreter of an environment with that Airflow."""
    return build_oldest_airflow()


def run(python: Path, program: str, home: Path) -> str:
    """What a program prints there."""
    done = subprocess.run(
        [str(python), "-c", program],
        env={**clean_environment(), "AIRFLOW_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_is_the_oldest_airflow_with_this_checkout_in_it(oldest: Path, tmp_path: Path) -> None:
    program = "import airflow, airflow_provider_ocr as p; print(airflow.__version__, p.__file__)"
    version, file = run(oldest, program, tmp_path).split()
    assert version == OLDEST
    assert Path(file).is_relative_to(PROJECT)


def test_its_commands_show_the_provider_without_a_warning(oldest: Path, tmp_path: Path) -> None:
    assert_shown_without_a_warning(run_provider_commands(oldest, tmp_path))


def test_its_form_has_the_fields_of_todays_form(oldest: Path, tmp_path: Path) -> None:
    printed = run(oldest, SHOW_FORM, tmp_path)
    form: dict[str, Any] = json.loads(printed.partition("FORM ")[2])
    assert list(form["extra_fields"]) == list(form_fields())
    for name, field in form_fields().items():
        shown = form["extra_fields"][name]
        assert shown["schema"]["title"] == field["label"]
        assert shown["description"] == field["description"]
        for word in ("type", "enum", "format"):
            assert shown["schema"].get(word) == field["schema"].get(word)
    behaviour = form_behaviour()
    assert form["standard_fields"]["url_schema"]["hidden"]
    for name, label in behaviour["relabeling"].items():
        assert form["standard_fields"][name]["title"] == label


def test_its_commands_have_nothing_to_say_where_wtforms_is_missing(oldest: Path, tmp_path: Path) -> None:
    (tmp_path / "wtforms.py").write_text("raise ImportError('not here', name='wtforms')")
    assert_shown_without_a_warning(run_provider_commands(oldest, tmp_path, package=tmp_path))


def test_it_tests_a_connection(oldest: Path, tmp_path: Path) -> None:
    program = (
        "import os\n"
        "os.environ['AIRFLOW_CONN_TRIED'] = 'cloud-ocr://a:b@127.0.0.1:9/http'\n"
        "from airflow.models.connection import Connection\n"
        "print(Connection.get_connection_from_secrets('tried').test_connection())"
    )
    assert "Cannot connect to http://127.0.0.1:9." in run(oldest, program, tmp_path)


def test_it_runs_the_example_and_the_sensor_in_each_mode_and_submits_once(oldest: Path) -> None:
    tests = [str(PROJECT / "tests" / "system" / name) for name in SYSTEM_TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not long", *tests]
    done = subprocess.run(
        [*command, "--airflow-python", str(oldest)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) >= len(SYSTEM_TESTS)
    assert "skipped" not in done.stdout
