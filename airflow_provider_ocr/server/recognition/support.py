# SPDX-License-Identifier: Apache-2.0
"""What of the API this server carries out. Nothing is accepted and then ignored.

Loads no engine, so that the process that answers HTTP can ask.
"""

from __future__ import annotations

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.languages import tesseract_codes
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, Profile
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.recognition.text_types import (
    WITHOUT_LANGUAGE,
    text_reading,
    without_text_type,
)

SUPPORTED_FORMATS = frozenset(ExportFormat)
"""All that the API has."""

SHOWING_PAGES = frozenset({ExportFormat.PDF_SEARCHABLE, ExportFormat.PDFA})
"""Formats that show the page images, for which the document is opened again."""

SHOWING_PICTURES = frozenset(
    {ExportFormat.RTF, ExportFormat.DOCX, ExportFormat.PPTX, ExportFormat.PDF_TEXT_AND_IMAGES}
)
"""Formats that show only the pictures of pages, so that pages without any need not be opened again."""

EMBEDDING = frozenset({ExportFormat.PDF_SEARCHABLE, ExportFormat.PDFA})
"""Those of `SHOWING_PAGES` that can show an image as it is stored in the document."""


def supported(settings: ProcessingSettings, tessdata: Tessdata) -> None:
    """Return if this server carries out every one of ``settings``.

    :raises InvalidParameterError: for the first that it does not; the message says what to use instead.
    """
    _languages(settings, tessdata)
    if settings.profile is Profile.FIELD_LEVEL_RECOGNITION:
        _refuse("profile", settings.profile, Profile.TEXT_EXTRACTION)
    text_reading(settings, tessdata.codes)


def _languages(settings: ProcessingSettings, tessdata: Tessdata) -> None:
    for name in without_text_type(settings):
        raise InvalidParameterError(
            "language", f"{name} is read with textType={WITHOUT_LANGUAGE[name].value} only; add that."
        )
    missing = tessdata.unreadable(name for name in settings.language if name not in WITHOUT_LANGUAGE)
    if not missing:
        return
    never = [name for name, code in zip(missing, tesseract_codes(missing), strict=True) if code is None]
    if never:
        raise InvalidParameterError(
            "language", f"no data is known with which this server could read {', '.join(never)}."
        )
    raise InvalidParameterError(
        "language",
        f"this server has no data to read {', '.join(missing)}; it reads "
        f"{', '.join(sorted(tessdata.languages))}. `cloud-ocr-server languages add {' '.join(missing)}` adds "
        "it, from the server's next start on.",
    )


def _refuse(parameter: str, value: str, allowed: str) -> None:
    # str: an enumeration's member would show its own name, which no caller knows.
    raise InvalidParameterError(parameter, f"this server does not carry out {str(value)!r}; use {allowed}.")
