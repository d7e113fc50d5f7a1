# SPDX-License-Identifier: Apache-2.0
"""Which cells are numbers, and that each is shown as it was read."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.languages import LANGUAGES
from airflow_provider_ocr.server.export.cell_numbers import column_numbers, writings
from tests.unit.server.export.number_display import displayed

ENGLISH, GERMAN, FRENCH = ("English",), ("German",), ("French",)


def values(texts: Sequence[str], languages: Sequence[str]) -> list[float | None]:
    numbers = column_numbers(texts, writings(languages))
    return [numbers[place].value if place in numbers else None for place in range(len(texts))]


@pytest.mark.parametrize(
    ("text", "languages", "value"),
    [
        ("0", ENGLISH, 0.0),
        ("12", ENGLISH, 12.0),
        ("1,234,567.89", ENGLISH, 1234567.89),
        ("1.234.567,89", GERMAN, 1234567.89),
        ("1 234 567,89", FRENCH, 1234567.89),
        ("1\u202f234,5", FRENCH, 1234.5),
        ("1234,50", GERMAN, 1234.5),
        ("0.50", ENGLISH, 0.5),
        ("1.234", GERMAN, 1234.0),
        ("1.234", ENGLISH, 1.234),
        ("-5", ENGLISH, -5.0),
        ("\u22125,25", GERMAN, -5.25),
        ("- 5", ENGLISH, -5.0),
        ("5.00-", ENGLISH, -5.0),
        ("(1,250)", ENGLISH, -1250.0),
        ("+5", ENGLISH, 5.0),
        ("$1,250.00", ENGLISH, 1250.0),
        ("-$5", ENGLISH, -5.0),
        ("EUR 12,50", GERMAN, 12.5),
        ("12,50 €", GERMAN, 12.5),
        ("-1.000,00 €", GERMAN, -1000.0),
        ("123456789012345", ENGLISH, 123456789012345.0),
        ("1234567890123,45", GERMAN, 1234567890123.45),
    ],
)
def test_a_number_has_its_value_and_is_shown_as_it_was_read(
    text: str, languages: Sequence[str], value: float
) -> None:
    number = column_numbers([text], writings(languages))[0]
    assert number.value == value
    assert displayed(number.value, number.number_format) == text


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("007", ENGLISH),
        ("0,123", ENGLISH),
        ("1234567890123456", ENGLISH),
        ("0.123456789012345", ENGLISH),
        ("-0.00", ENGLISH),
        ("1,23,456", ENGLISH),
        ("12,34", ENGLISH),
        ("1.234,50", ENGLISH),
        ("1,234.50", GERMAN),
        ("1.234", FRENCH),
        ("14.03.2026", GERMAN),
        ("03/14/2026", ENGLISH),
        ("2026-03-14", ENGLISH),
        ("12:30", ENGLISH),
        ("1e5", ENGLISH),
        ("=1+1", ENGLISH),
        ("5 %", ENGLISH),
        (".5", ENGLISH),
        ("5.", ENGLISH),
        ("--5", ENGLISH),
        ("-5-", ENGLISH),
        ("(5", ENGLISH),
        ("5)", ENGLISH),
        ("ABC 5", ENGLISH),
        ("5x", ENGLISH),
        ("٣", ENGLISH),
        ("½", ENGLISH),
        ("", ENGLISH),
        ("5", ("Yiddish",)),
        ("5", ()),
    ],
)
def test_what_may_be_something_else_is_none(text: str, languages: Sequence[str]) -> None:
    assert column_numbers([text], writings(languages)) == {}


@pytest.mark.parametrize(
    ("texts", "languages", "expected"),
    [
        (["Price", "12,50", "3"], GERMAN, [None, 12.5, 3.0]),
        (["Price", "in EUR", "12,50", "3"], GERMAN, [None, None, 12.5, 3.0]),
        (["a", "b", "c", "1", "2", "3"], ENGLISH, [None] * 6),
        (["a", "b", "1"], ENGLISH, [None] * 3),
        (
            ["Price", "12,50", "", "\u2013", "-", "...", "3"],
            GERMAN,
            [None, 12.5, None, None, None, None, 3.0],
        ),
        (["12", "thirteen", "14"], ENGLISH, [None] * 3),
        (["Code", "17", "007"], ENGLISH, [None] * 3),
        (["12.50", "3,00"], ENGLISH, [None] * 2),
        (["Day", "14.03.2026", "5"], GERMAN, [None] * 3),
    ],
)
def test_a_column_is_of_numbers_or_it_is_not(
    texts: Sequence[str], languages: Sequence[str], expected: list[float | None]
) -> None:
    assert values(texts, languages) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["12,50", "1.250,00"], [12.5, 1250.0]),
        (["12.50", "1,250.00"], [12.5, 1250.0]),
        (["7", "12"], [7.0, 12.0]),
        (["1.234", "2.500"], [None, None]),  # two thousand five hundred, or two and a half
        (["1.234", "2.50"], [1.234, 2.5]),
    ],
)
def test_of_two_languages_the_one_that_fits_counts_and_none_where_they_disagree(
    texts: Sequence[str], expected: list[float | None]
) -> None:
    assert values(texts, ("English", "German")) == expected
    assert values(texts, ("German", "English")) == expected


def test_every_language_of_the_table_is_one_of_the_apis() -> None:
    known = {name for name in LANGUAGES if writings((name,))}
    assert len(known) == 62
    assert {"English", "German", "French", "Greek", "Polish", "Russian"} <= known


wholes = st.integers(0, 10**12 - 1)
fractions = st.text("0123456789", max_size=3)


@given(
    wholes,
    fractions,
    st.sampled_from(["English", "German"]),
    st.booleans(),
    st.sampled_from(["{}", "-{}", "\u2212{}", "{}-", "({})", "{} €", "$ {}", "-{} EUR", "€{}"]),
)
def test_whatever_is_a_number_is_shown_as_it_was_read(
    whole: int, fraction: str, language: str, grouped: bool, form: str
) -> None:
    decimal, group = {"English": (".", ","), "German": (",", ".")}[language]
    written = f"{whole:,}".replace(",", group) if grouped else str(whole)
    text = form.format(written + (decimal + fraction if fraction else ""))
    numbers = column_numbers([text], writings((language,)))
    zero = whole == 0 and not fraction.strip("0")
    if zero and numbers == {}:
        assert form not in ("{}", "{} €", "$ {}", "€{}")
    else:
        assert displayed(numbers[0].value, numbers[0].number_format) == text


@given(st.text("0123456789.,- €()\u202f", max_size=12), st.sampled_from(["English", "German", "French"]))
def test_nothing_is_shown_otherwise_than_it_was_read(text: str, language: str) -> None:
    for number in column_numbers([text], writings((language,))).values():
        assert displayed(number.value, number.number_format) == text
