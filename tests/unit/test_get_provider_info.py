# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import airflow
import jsonschema
import pytest

import airflow_provider_ocr
from airflow_provider_ocr.get_provider_info import get_provider_info

INFO = get_provider_info()
FOLDERS = {"hooks", "operators", "sensors", "triggers", "transfers"}


def modules_named() -> Iterator[str]:
    for folder in sorted(FOLDERS - {"transfers"}):
        for entry in INFO[folder]:
            yield from entry["python-modules"]
    for entry in INFO["transfers"]:
        yield entry["python-module"]


def modules_that_exist() -> Iterator[str]:
    prefix = f"{airflow_provider_ocr.__name__}."
    for module in pkgutil.walk_packages(airflow_provider_ocr.__path__, prefix):
        if not module.ispkg and module.name.split(".")[1] in FOLDERS:
            yield module.name


def test_the_description_satisfies_the_schema_of_airflow() -> None:
    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)


def test_every_module_is_named_and_every_named_module_exists() -> None:
    assert sorted(modules_named()) == sorted(modules_that_exist())
    for name in modules_named():
        importlib.import_module(name)


def test_the_connection_type_is_that_of_the_hook_it_names() -> None:
    [connection_type] = INFO["connection-types"]
    module, _, name = connection_type["hook-class-name"].rpartition(".")
    hook = getattr(importlib.import_module(module), name)
    assert connection_type["connection-type"] == hook.conn_type
    assert connection_type["hook-name"] == hook.hook_name


@pytest.mark.parametrize(
    ("command", "expected"),
    [("list", "airflow-provider-ocr"), ("hooks", "airflow_provider_ocr.hooks.cloud_ocr.CloudOcrHook")],
)
def test_airflow_shows_the_provider_without_a_warning(command: str, expected: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "providers", command, "--output", "plain"],
        env={"AIRFLOW_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert expected in done.stdout
    assert "warn" not in (done.stdout + done.stderr).lower()
