# SPDX-License-Identifier: Apache-2.0
"""Languages are found by name in any case, and lead to tesseract's data where there is some."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.languages import LANGUAGES, require_language, tesseract_codes


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_every_language_is_found_in_any_case(name: str) -> None:
    assert {require_language(text) for text in (name, name.lower(), name.upper(), f" {name} ")} == {name}


@pytest.mark.parametrize("text", ["", "Englisch", "eng", "English German"])
def test_an_unknown_language_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_language(text)
    assert caught.value.parameter == "language"
    assert repr(text) in str(caught.value)


def test_codes_come_in_the_order_of_the_names() -> None:
    assert tesseract_codes(["German", "English", "ChinesePRC"]) == ("deu", "eng", "chi_sim")


@pytest.mark.parametrize(
    ("renamed", "code"), [("Norwegian", "nor"), ("Korean", "kor"), ("KoreanHangul", "kor"), ("Tuvin", None)]
)
def test_both_spellings_of_a_renamed_language_are_known(renamed: str, code: str | None) -> None:
    assert tesseract_codes([require_language(renamed)]) == (code,)


def test_a_language_without_data_is_valid_and_has_no_code() -> None:
    assert tesseract_codes([require_language("cmc7")]) == (None,)
