# SPDX-License-Identifier: Apache-2.0
"""A guess is one of the names there are, and always the same; what is shown is short."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.suggestions import nearest, shown, suggestion

NAMES = ("English", "German", "GermanLaw", "ChinesePRC", "ChineseTaiwan")


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("german", ("German", "GermanLaw")),
        (" GER ", ("German", "GermanLaw")),
        ("ge", ()),
        ("Germn", ("German",)),
        ("Chinesse", ("ChinesePRC",)),
        ("EnglishBritish", ("English",)),
        ("modern chinese", ("ChinesePRC", "ChineseTaiwan")),
        ("of the", ()),
        ("", ()),
        ("German" * 11, ()),
    ],
)
def test_the_nearest_names_are_found(text: str, near: tuple[str, ...]) -> None:
    assert nearest(text, NAMES) == near


@given(st.text(max_size=80), st.permutations(NAMES))
def test_a_guess_is_among_the_names_and_does_not_depend_on_their_order(text: str, names: list[str]) -> None:
    found = nearest(text, names)
    assert set(found) <= set(NAMES)
    assert len(found) <= 3
    assert found == nearest(text, NAMES)


def test_a_suggestion_is_a_question_and_without_one_nothing() -> None:
    assert suggestion("chin", NAMES) == " Did you mean 'ChinesePRC' or 'ChineseTaiwan'?"
    assert suggestion("Klingon", NAMES) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (("a", 1), "('a', 1)"),
        ("x" * 98, f"'{'x' * 98}'"),
        ("x" * 99, f"'{'x' * 98}…"),
        ("x" * 10**6, f"'{'x' * 98}…"),
        (["x" * 200], f"['{'x' * 97}…"),
    ],
    ids=["text", "tuple", "longest", "too long", "much too long", "list"],
)
def test_a_value_is_shown_as_python_writes_it_up_to_a_length(value: object, text: str) -> None:
    assert shown(value) == text
