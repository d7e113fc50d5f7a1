# SPDX-License-Identifier: Apache-2.0
"""What the result files of one task are called: never two the same, and never a path."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.redaction import quoted
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

_PLACEHOLDER = re.compile(r"\{(ocr_task_id|export_format|extension)\}")
# Control characters and halves of surrogate pairs.
_UNSEEN = ("Cc", "Cs")
_EXTENSION = "{extension}"


def file_names(name: str, export_formats: Sequence[ExportFormat], ocr_task_id: str = "") -> list[str]:
    """A name for each result file; where two would be the same, their format stands before the extension.

    Braces around anything else are part of the name, because names often come from data.

    :param name: it may have ``{ocr_task_id}``, ``{export_format}`` and ``{extension}`` in it; without the
        latter, a dot and the extension follow it.
    :param export_formats: the formats of the files.
    :param ocr_task_id: what ``{ocr_task_id}`` stands for.
    :raises InvalidParameterError: if a name would leave the destination folder, or two are the same.
    """
    template = name if _EXTENSION in name else f"{name}.{_EXTENSION}"
    extensions = [export_format.file_type.extension for export_format in export_formats]

    def filled(export_format: ExportFormat, extension: str) -> str:
        values = {"ocr_task_id": ocr_task_id, "export_format": str(export_format), "extension": extension}
        return _PLACEHOLDER.sub(lambda found: values[found[1]], template)

    names = [filled(*pair) for pair in zip(export_formats, extensions, strict=True)]
    distinct = [
        filled(export_format, f"{export_format}.{extension}") if names.count(simple) > 1 else simple
        for simple, export_format, extension in zip(names, export_formats, extensions, strict=True)
    ]
    _require_names(name, distinct)
    return distinct


def _require_names(name: str, names: Sequence[str]) -> None:
    for made in (name, *names):
        if made in ("", ".", "..") or any(character in made for character in "/\\\0"):
            raise InvalidParameterError(
                "name", f"{quoted(made)!r} cannot be a file name; it must have no path in it."
            )
        if "::" in made or any(unicodedata.category(character) in _UNSEEN for character in made):
            raise InvalidParameterError(
                "name",
                f"{quoted(made)!r} has control characters or '::' in it, with which the file could not be "
                "opened by its URI; take them out.",
            )
    if len(set(names)) < len(names):
        raise InvalidParameterError(
            "name", f"{quoted(name)!r} gives two result files the same name; put {{export_format}} into it."
        )
