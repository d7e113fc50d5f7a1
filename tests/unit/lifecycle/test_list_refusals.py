# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_ocr.lifecycle.list_refusals import ListRefusals


def surveys(lists: ListRefusals, *answers: bool | None) -> list[bool]:
    """Of each of these surveys, whether it may list; one that may not finds nothing out."""
    asked = []
    for answered in answers:
        asked.append(lists.may_list())
        lists.note(answered=answered if asked[-1] else None)
    return asked


@pytest.mark.parametrize(
    "answers",
    [(False, True), (False, True, False, True), (None, None, None), (False, None, True)],
    ids=str,
)
def test_a_refusal_now_and_then_changes_nothing(answers: tuple[bool | None, ...]) -> None:
    assert all(surveys(ListRefusals(), *answers, True))


def test_after_two_refusals_in_a_row_one_survey_in_ten_asks_again() -> None:
    asked = surveys(ListRefusals(), *[False] * 42)
    assert asked[:2] == [True, True]
    assert [place for place, may in enumerate(asked[2:], start=1) if may] == [10, 20, 30, 40]


def test_one_list_that_is_given_makes_up_for_all_refusals() -> None:
    lists = ListRefusals()
    assert surveys(lists, *[False] * 12)[-1]
    lists.note(answered=True)
    assert surveys(lists, False, True, True) == [True] * 3
