# SPDX-License-Identifier: Apache-2.0
"""Every value is taken as meant or refused by a sentence; what may be a password is in no sentence."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from airflow_provider_ocr.server.commands import flag_values
from airflow_provider_ocr.server.operations.serve_options import Address
from airflow_provider_ocr.server.records.choices import ListOrder


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (flag_values.application_name, "Straße 7/b", "Straße 7/b"),
        (flag_values.application_and_password, "a:b:c", ("a", "b:c")),
        (flag_values.application_and_password, "d d:é ", ("d d", "é ")),
        (flag_values.folder, "/", Path("/")),
        (flag_values.file, __file__, Path(__file__)),
        (flag_values.data_folder, "/nonexistent/x", Path("/nonexistent/x")),
        (flag_values.network, "10.1.0.0/16", ip_network("10.1.0.0/16")),
        (flag_values.network, "fd00::/8", ip_network("fd00::/8")),
        *((flag_values.port, str(port), port) for port in (0, 1, 65535)),
        (flag_values.address_or_off, "off", None),
        (flag_values.address_or_off, "127.0.0.1:0", Address("127.0.0.1", 0)),
        (flag_values.address_or_off, "[::1]:8096", Address("::1", 8096)),
        (flag_values.address_or_off, "ocr.example:80", Address("ocr.example", 80)),
        (flag_values.at_least_one, "1", 1),
        (flag_values.credit_count, "0", 0),
        (flag_values.credit_change, "500", 500),
        (flag_values.credit_change, "-5", -5),
        (flag_values.period, "0.5", 0.5),
        (flag_values.period, "42", 42.0),
        (flag_values.size, "0", 0),
        (flag_values.size, "1000", 1000),
        (flag_values.size, "20G", 20 * 2**30),
        (flag_values.size, "1.5m", 3 * 2**19),
        (flag_values.size, "2 TiB", 2 * 2**40),
        (flag_values.size, "3KB", 3072),
        (flag_values.url, "s3://bucket/prefix", "s3://bucket/prefix"),
        (flag_values.url, "postgresql+psycopg2:///ocr?host=/run", "postgresql+psycopg2:///ocr?host=/run"),
        (flag_values.page_failure, "keep", "keep"),
        (flag_values.one_of(ListOrder), "newest", ListOrder.NEWEST),
    ],
)
def test_a_value_is_taken_as_meant(kind: Callable[[str], object], text: str, value: object) -> None:
    assert kind(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        *((flag_values.application_name, text, "is no name") for text in ("", " a", "a ", "a:b", "a\nb")),
        (flag_values.application_name, "n" * 256, "longer than 255"),
        *((flag_values.application_and_password, text, "NAME:PASSWORD") for text in ("canary", "canary:")),
        (flag_values.application_and_password, ":canary", "NAME:PASSWORD"),
        (flag_values.application_and_password, " a:canary", "' a' is no name"),
        (flag_values.folder, __file__, "is no folder"),
        (flag_values.file, "/", "is no file"),
        *((flag_values.network, text, "is no network") for text in ("10.0.0.1/8", "x", "")),
        *((flag_values.port, text, "is no port number") for text in ("x", "-1", "65536", "", "٣")),
        *((flag_values.address_or_off, text, "HOST:PORT") for text in ("8096", ":8096", "OFF", "")),
        (flag_values.address_or_off, "localhost:x", "is no port number"),
        *((flag_values.at_least_one, text, "at least 1") for text in ("0", "-1", "many", "1.5")),
        *((flag_values.credit_count, text, "whole number of credits") for text in ("-1", "x", "1.5")),
        *((flag_values.credit_change, text, "other than 0") for text in ("0", "x", "--5", "-")),
        *((flag_values.period, text, "above 0") for text in ("0", "-1", "x", "inf", "nan")),
        *((flag_values.size, text, "is no size") for text in ("", "x", "-1", "1X", "1.G", "G")),
        *((flag_values.url, text, "form of a URL") for text in ("", "canary", "/canary", "://canary")),
        (flag_values.page_failure, "ignore", "'ignore' is none of fail, keep"),
        (flag_values.one_of(ListOrder), "x", "'x' is none of oldest, newest"),
    ],
)
def test_a_wrong_value_is_refused(kind: Callable[[str], object], text: str, said: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        kind(text)
    assert said in str(refused.value)
    assert "canary" not in str(refused.value)


def test_a_relative_data_folder_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert flag_values.data_folder("data") == tmp_path / "data"
