# SPDX-License-Identifier: Apache-2.0
"""Judges the arguments of a landing: as a DAG is parsed those that are known, the others as it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_ocr.hooks.cloud_ocr import airflow_errors
from airflow_provider_ocr.lifecycle.existing import IfExists
from airflow_provider_ocr.lifecycle.quality import QualityLimits
from airflow_provider_ocr.lifecycle.result_names import file_names
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.templates import is_later, switch

LANDING = (
    "ocr_task_id",
    "destination",
    "export_format",
    "name",
    "if_exists",
    "review_if",
    "review_destination",
    "delete_after",
)
"""The names of the arguments that are judged."""


def check_landing(arguments: Mapping[str, Any]) -> None:
    """Refuse what no run can make right.

    :param arguments: some or all of the operator's, by name; others are passed over.
    :raises CloudOcrParameterError: for a value that cannot be meant, or two that contradict each other.
    """
    given = {name: reveal(arguments[name]) for name in LANDING if name in arguments}
    known = {name: value for name, value in given.items() if not is_later(value)}
    if "delete_after" in known:
        switch("delete_after", known["delete_after"])
    with airflow_errors():
        if "if_exists" in known:
            IfExists.parse(known["if_exists"])
        if "export_format" in known:
            ProcessingSettings.check(is_later=is_later, export_format=known["export_format"])
        if known.get("name"):
            file_names(str(known["name"]), [ExportFormat.TXT], "1")
        _check_review(given)


def _check_review(given: Mapping[str, Any]) -> None:
    limits, folder = given.get("review_if"), given.get("review_destination")
    if bool(limits) != bool(folder):
        raise InvalidParameterError("review_if", "it goes together with review_destination; give both.")
    if not limits or is_later(limits):
        return
    known = limits
    if isinstance(limits, Mapping):
        known = {name: value for name, value in limits.items() if not is_later(value)}
    if known or not isinstance(limits, Mapping):
        QualityLimits.parse(known)
