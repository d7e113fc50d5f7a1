# SPDX-License-Identifier: Apache-2.0
"""What Airflow is told about the provider is true, and is what Airflow's own schemas ask for."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import airflow
import jsonschema
from airflow.providers.common.compat.sdk import BaseHook, BaseOperator
from airflow.triggers.base import BaseTrigger

import airflow_provider_ocr
from airflow_provider_ocr.get_provider_info import get_provider_info
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook

INFO = get_provider_info()
BASES = (BaseHook, BaseOperator, BaseTrigger)
FOLDERS = {"hooks", "operators", "sensors", "triggers", "transfers"}


def modules_named() -> Iterator[str]:
    for folder in sorted(FOLDERS - {"transfers"}):
        for entry in INFO[folder]:
            yield from entry["python-modules"]
    for entry in INFO["transfers"]:
        yield entry["python-module"]


def modules_that_exist() -> Iterator[str]:
    """The modules that define what DAG authors use: a hook, an operator, a sensor, a trigger."""
    prefix = f"{airflow_provider_ocr.__name__}."
    for module in pkgutil.walk_packages(airflow_provider_ocr.__path__, prefix):
        if not module.ispkg and module.name.split(".")[1] in FOLDERS:
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            if any(issubclass(kind, BASES) and kind.__module__ == module.name for _, kind in members):
                yield module.name


def test_the_description_satisfies_the_schema_of_airflow() -> None:
    schema = json.loads((Path(airflow.__path__[0]) / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)


def test_the_connection_form_satisfies_the_schema_of_airflow() -> None:
    schema = json.loads(
        (Path(airflow.__path__[0]) / "customized_form_field_behaviours.schema.json").read_text()
    )
    jsonschema.validate(CloudOcrHook.get_ui_field_behaviour(), schema)
    for definition in INFO["connection-types"][0]["conn-fields"].values():
        jsonschema.Draft202012Validator.check_schema(definition["schema"])


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
