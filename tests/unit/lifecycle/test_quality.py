# SPDX-License-Identifier: Apache-2.0
"""What headers tell of a document's quality, and that what is unknown is never taken for good."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_ocr.lifecycle.quality import DocumentQuality, QualityLimits
from airflow_provider_ocr.protocol import errors

TOLD = {
    "X-Ocr-Pages": "4",
    "X-Ocr-Blank-Pages": "1",
    "X-Ocr-Failed-Pages": "0",
    "X-Ocr-Word-Confidence": "91.5",
    "X-Ocr-Low-Words": "7",
    "X-Ocr-Rotated-Pages": "2",
    "X-Ocr-Engine": "tesseract 5",
}
QUALITY = DocumentQuality(
    pages=4,
    blank_pages=1,
    failed_pages=0,
    word_confidence=91.5,
    low_words=7,
    rotated_pages=2,
    engine="tesseract 5",
)


@pytest.mark.parametrize("change", [str, str.lower, str.upper], ids=["as_sent", "lower", "upper"])
def test_quality_is_what_the_headers_tell(change: Any) -> None:
    headers = {"Content-Length": "3", **{change(name): value for name, value in TOLD.items()}}
    assert DocumentQuality.from_headers(headers) == QUALITY


def test_a_server_that_tells_nothing_gives_none() -> None:
    assert DocumentQuality.from_headers({"Content-Length": "3", "X-Ocr-Else": "1"}) is None


@pytest.mark.parametrize("value", ["", "many", "nan", "inf", "-1", "1e999"])
def test_a_value_that_makes_no_sense_is_not_known(value: str) -> None:
    told = DocumentQuality.from_headers({"X-Ocr-Pages": value, "X-Ocr-Word-Confidence": value})
    assert told == DocumentQuality()


@pytest.mark.parametrize(
    ("limits", "reasons"),
    [
        ({"word_confidence": 91.5}, []),
        ({"word_confidence": 92}, ["its word confidence is 91.5, below 92"]),
        ({"failed_pages": 0, "blank_pages": 1}, []),
        ({"blank_pages": 0}, ["its blank pages are 1, above 0"]),
        (
            {"word_confidence": "95", "low_words": "6"},
            ["its word confidence is 91.5, below 95", "its low words are 7, above 6"],
        ),
    ],
    ids=["reached", "not_reached", "not_exceeded", "exceeded", "two_as_text"],
)
def test_confidence_has_to_be_reached_and_counts_must_not_be_exceeded(
    limits: dict[str, Any], reasons: list[str]
) -> None:
    assert QualityLimits.parse(limits).broken_by(QUALITY) == reasons


def test_what_is_not_known_is_a_reason_to_look() -> None:
    limits = QualityLimits.parse({"word_confidence": 80, "failed_pages": 0})
    assert limits.broken_by(None) == ["the server does not tell how well it was read"]
    assert limits.broken_by(DocumentQuality(failed_pages=0)) == ["its word confidence is not known"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"confidence": 80},
        {"word_confidence": "high"},
        {"word_confidence": "nan"},
        {"low_words": None},
        80,
        {"word_confidence": True},
        {"word_confidence": 0.8},
        {"word_confidence": 1},
        {"word_confidence": 101},
        {"failed_pages": -1},
        {"failed_pages": 0.5},
        {"blank_pages": False},
    ],
    ids=str,
)
def test_limits_that_mean_nothing_are_an_error(given: Any) -> None:
    with pytest.raises(errors.InvalidParameterError) as caught:
        QualityLimits.parse(given)
    assert caught.value.parameter == "review_if"
