# SPDX-License-Identifier: Apache-2.0
"""Judges the arguments of a landing: as a DAG is parsed those that are known, the others as it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.hooks.cloud_ocr import airflow_errors
from airflow_provider_ocr.lifecycle.existing import IfExists
from airflow_provider_ocr.lifecycle.quality import QualityLimits
from airflow_provider_ocr.lifecycle.result_names import file_names
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.storage_path import shown_storage_path
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

_BUCKETS = frozenset({"s3", "s3a", "s3n", "gs", "gcs", "abfs", "abfss", "adl", "az", "wasb", "wasbs"})
_LOCAL = frozenset({"file", "local"})
_FOLDER = "Give a folder as in s3://aws_default@bucket/texts or file:///data/texts."


def check_landing(arguments: Mapping[str, Any]) -> None:
    """Refuse what no run can make right.

    :param arguments: some or all of the operator's, by name; others are passed over.
    :raises CloudOcrParameterError: for a value that cannot be meant, or two that contradict each other.
    """
    given = {name: reveal(arguments[name]) for name in LANDING if name in arguments}
    known = {name: value for name, value in given.items() if not is_later(value)}
    if "ocr_task_id" in known:
        require_ocr_task_id(known["ocr_task_id"])
    if "destination" in known:
        _require_folder("destination", known["destination"])
    if known.get("review_destination"):
        _require_folder("review_destination", known["review_destination"])
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


def require_ocr_task_id(given: Any) -> str:
    """The ID of one OCR task, without the blanks around it that templates and files leave.

    :param given: what was given as the ID.
    :raises CloudOcrParameterError: if it cannot be one.
    """
    ocr_task_id = given.strip() if isinstance(given, str) else ""
    if ocr_task_id in ("", "None") or re.search(r"[\s/\\]", ocr_task_id):
        raise CloudOcrParameterError(
            f"ocr_task_id: it is {given!r}, and has to be the ID of one OCR task, as the submission returns "
            "it; for several OCR tasks use expand()."
        )
    return ocr_task_id


def _require_folder(argument: str, given: Any) -> None:
    """Refuse what is nowhere, or somewhere else on each worker.

    :raises CloudOcrParameterError: it shows no secret.
    """
    text = "" if given is None else str(given)
    wrong = _wrong_about(text)
    if wrong:
        raise CloudOcrParameterError(f"{argument}: {shown_storage_path(text)!r} {wrong}. {_FOLDER}")


def _wrong_about(folder: str) -> str:
    """What is wrong about a folder, in words; empty if nothing is."""
    if folder.strip() in ("", "None"):
        return "names no folder"
    if "::" in folder:
        return "has '::' in it, which file systems take for a chain of paths"
    scheme, separator, place = folder.partition("://")
    first, _, _ = place.partition("/")
    owner, at, bucket = first.rpartition("@")
    if scheme.lower() in _BUCKETS and separator and not bucket:
        return "names no bucket"
    is_local = not separator or scheme.lower() in _LOCAL
    path = place.removeprefix(f"{owner}{at}") if separator else folder
    if is_local and not path.startswith("/"):
        return "is a relative path, which each worker takes for a folder of its own"
    return ""


def _check_review(given: Mapping[str, Any]) -> None:
    limits, folder = given.get("review_if"), given.get("review_destination")
    if bool(limits) != bool(folder):
        raise InvalidParameterError("review_if", "it goes together with review_destination; give both.")
    if folder and not is_later(folder) and _same(folder, given.get("destination")):
        raise InvalidParameterError(
            "review_destination",
            "it is destination itself; give a folder of its own to what is to be reviewed.",
        )
    if not limits or is_later(limits):
        return
    known = limits
    if isinstance(limits, Mapping):
        known = {name: value for name, value in limits.items() if not is_later(value)}
    if known or not isinstance(limits, Mapping):
        QualityLimits.parse(known)


def _same(folder: Any, other: Any) -> bool:
    one, two = (str(each).removeprefix("file://").rstrip("/") for each in (folder, other))
    return one == two
