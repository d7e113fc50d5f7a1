# SPDX-License-Identifier: Apache-2.0
"""How each text type is read, and what several at once make of it."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.text_types import DIGITS, text_reading


def settings(text_type: str, language: str = "English") -> ProcessingSettings:
    return ProcessingSettings.parse(export_format="txt", text_type=text_type, language=language)


def test_normal_text_is_read_without_any_limit() -> None:
    reading = text_reading(settings("normal", "English,German"), ["eng", "deu"])
    assert reading.codes == ("eng", "deu")
    assert (reading.allowed, reading.capitals, reading.forbidden) == ("", "", "")
    assert (reading.dpi, reading.widening, reading.dotted) == (None, 1.0, False)


def test_postal_codes_are_digits_only() -> None:
    reading = text_reading(settings("index", "Digits"), ["eng"])
    assert (reading.codes, reading.allowed, reading.only_digits) == (("eng",), DIGITS, True)


@pytest.mark.parametrize("text_type", ["index", "typewriter", "ocrA", "ocrB"])
def test_a_limit_does_not_hold_beside_a_type_that_has_none(text_type: str) -> None:
    assert text_reading(settings(f"normal,{text_type}"), ["eng"]) == text_reading(settings("normal"), ["eng"])


def test_dots_are_joined_whatever_else_there_may_be() -> None:
    assert text_reading(settings("normal,matrix"), ["eng"]).dotted


def test_limits_of_several_types_are_put_together() -> None:
    reading = text_reading(settings("index,ocrA"), ["eng"])
    assert reading.allowed == ""
    assert set(DIGITS) < set(reading.capitals)


@pytest.mark.parametrize(
    ("text_type", "there", "codes"),
    [
        ("gothic", ["eng", "Fraktur"], ("Fraktur",)),
        ("gothic", ["eng", "frk", "Fraktur"], ("frk",)),
        ("normal,gothic", ["eng", "frk"], ("frk", "eng")),
        ("e13b", ["eng", "e13b"], ("e13b",)),
        ("cmc7", ["eng", "cmc7"], ("cmc7",)),
        ("handprinted", ["handwritten"], ("handwritten",)),
        ("ocrB", ["eng", "ocrb"], ("ocrb", "eng")),
        ("ocrB", ["eng"], ("eng",)),
    ],
)
def test_data_made_for_a_type_is_taken_where_it_is(
    text_type: str, there: list[str], codes: tuple[str, ...]
) -> None:
    assert text_reading(settings(text_type), there).codes == codes


@pytest.mark.parametrize("text_type", ["gothic", "handprinted", "e13b", "cmc7"])
def test_a_type_without_data_is_refused_with_the_files_that_would_do(text_type: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"\.traineddata") as refused:
        text_reading(settings(text_type), ["eng"])
    assert refused.value.parameter == "textType"
