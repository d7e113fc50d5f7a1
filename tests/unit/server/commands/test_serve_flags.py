# SPDX-License-Identifier: Apache-2.0
"""Flags and variables come to the same options, and every option has both."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from airflow_provider_ocr.server.commands.environment import add_flags, option_values
from airflow_provider_ocr.server.commands.serve_flags import SERVE_FLAGS, TEST_FLAGS, serve_options
from airflow_provider_ocr.server.operations.command_errors import UsageError
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.records.choices import Choices, DeletedTask, ListFilter, ListOrder

FLAGS = (*SERVE_FLAGS, *TEST_FLAGS)
FILE = Path(__file__)
GIVEN = {
    "data": ("/x", {"data": Path("/x")}),
    "database": ("postgresql://h/n", {"database": "postgresql://h/n"}),
    "storage": ("s3://b/p", {"storage": "s3://b/p"}),
    "secret-file": (str(FILE), {"secret_file": FILE}),
    "host": ("::1", {}),
    "port": ("1", {}),
    "tls-cert": (str(FILE), {"tls_certificate": FILE}),
    "tls-key": (str(FILE), {"tls_key": FILE}),
    "admin-listen": ("off", {}),
    "application": ("a:b", {"applications": {"a": "b"}}),
    "workers": ("7", {"workers": 7}),
    "allow-source": ("10.0.0.0/8", {"allowed_sources": (ip_network("10.0.0.0/8"),)}),
    "tessdata": (str(FILE.parent), {"tessdata": FILE.parent}),
    "page-failure": ("keep", {"page_failure": "keep"}),
    "spool-bytes": ("1K", {"spool_bytes": 1024}),
    "min-free-bytes": ("2K", {"min_free_bytes": 2048}),
    "keep-images": ("1.5", {"keep_images_hours": 1.5}),
    "keep-results": ("2", {"keep_results_hours": 2.0}),
    "keep-records": ("3", {"keep_records_days": 3.0}),
    "upload-threshold": ("4", {"upload_threshold": 4}),
    "recognition": ("none", {"recognition": "none"}),
    "recognition-seconds": ("0.5", {"recognition_seconds": 0.5}),
    "list-order": ("newest", {"choices": Choices(list_order=ListOrder.NEWEST)}),
    "list-filter": ("registered", {"choices": Choices(list_filter=ListFilter.REGISTERED)}),
    "deleted-task": ("status", {"choices": Choices(deleted_task=DeletedTask.STATUS)}),
}
BESIDE = {"tls-key": {"CLOUD_OCR_SERVER_TLS_CERT": str(FILE)}}


def options(*arguments: str, environment: Mapping[str, str] | None = None) -> ServeOptions:
    parser = argparse.ArgumentParser()
    add_flags(parser, FLAGS)
    return serve_options(option_values(FLAGS, parser.parse_args(arguments), environment or {}))


def test_every_flag_is_tested_here() -> None:
    assert [flag.name for flag in FLAGS] == list(GIVEN)


@pytest.mark.parametrize("name", GIVEN)
def test_a_flag_and_its_variable_come_to_the_same(name: str) -> None:
    text, changes = GIVEN[name]
    beside = {"CLOUD_OCR_SERVER_DATA": "/d", **BESIDE.get(name, {})}
    variable = "CLOUD_OCR_SERVER_" + name.upper().replace("-", "_")
    by_flag = options(f"--{name}", text, environment=beside)
    by_variable = options(environment={**beside, variable: text})
    plain = options(environment=beside)
    assert by_flag == by_variable == dataclasses.replace(plain, **changes)


def test_what_is_not_given_is_as_the_options_say_themselves() -> None:
    assert options("--data", "/d") == ServeOptions(data=Path("/d"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--data DIR, or CLOUD_OCR_SERVER_DATA, is missing"),
        (("--data", "/d", "--tls-key", __file__), "--tls-key needs --tls-cert"),
        (("--data", "/d", "--application", "a:1", "--application", "a:2"), "one application twice"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        options(*arguments)


def test_options_show_no_password() -> None:
    given = ("--data", "/d", "--application", "a:canary")
    shown = repr(options(*given, "--database", "postgresql://u:canary@h/n", "--storage", "x://u:canary@h"))
    assert "canary" not in shown
