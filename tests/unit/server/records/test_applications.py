# SPDX-License-Identifier: Apache-2.0
"""Applications are kept as they were made, and their credits change only with a row in the ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database


@pytest.fixture
def applications(database: Database) -> Applications:
    return Applications(database)


def test_an_application_is_found_as_it_was_made(applications: Applications) -> None:
    made = applications.add("my app", "hash", credits=100, keep_images_hours=1, keep_results_hours=2.5)
    assert applications.find("my app") == made
    assert (made.credits, made.reserved, made.used, made.disabled) == (100, 0, 0, False)
    assert (made.keep_images_hours, made.keep_results_hours) == (1, 2.5)
    assert applications.find("My app") is None


def test_an_application_is_not_limited_unless_it_is_said(applications: Applications) -> None:
    assert applications.add("app", "hash").credits is None
    assert applications.ledger("app") == []


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "a\0b"])
def test_a_name_that_cannot_be_logged_in_with_is_refused(name: str, applications: Applications) -> None:
    with pytest.raises(ValueError, match="colon"):
        applications.add(name, "hash")
    assert applications.all() == []


def test_a_name_is_taken_once(applications: Applications) -> None:
    applications.add("app", "hash")
    with pytest.raises(ValueError, match="already"):
        applications.add("app", "other hash", credits=7)
    assert applications.find("app").password_hash == "hash"  # type: ignore[union-attr]  # it was just added
    assert applications.ledger("app") == []


def test_applications_are_listed_by_name(applications: Applications) -> None:
    for name in ("b", "a", "c"):
        applications.add(name, "hash")
    assert [application.name for application in applications.all()] == ["a", "b", "c"]


def test_password_and_shutting_out_change_nothing_else(applications: Applications) -> None:
    before = applications.add("app", "hash", credits=5)
    assert applications.set_disabled("app", True).disabled
    changed = applications.set_password("app", "new hash")
    assert (changed.password_hash, changed.disabled, changed.credits) == ("new hash", True, 5)
    assert applications.set_disabled("app", False).id == before.id


def test_credits_are_added_and_taken_with_a_row_each(applications: Applications) -> None:
    applications.add("app", "hash", credits=10)
    applications.credit("app", 25)
    assert applications.credit("app", -30).credits == 5
    assert [entry.credits for entry in applications.ledger("app")] == [10, 25, -30]
    assert {entry.reason for entry in applications.ledger("app")} == {"credit"}


def test_who_was_not_limited_is_by_a_top_up(applications: Applications) -> None:
    applications.add("app", "hash")
    assert applications.credit("app", 25).credits == 25


def test_top_ups_at_the_same_time_all_count(applications: Applications) -> None:
    applications.add("app", "hash", credits=0)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: applications.credit("app", 3), range(16)))
    assert applications.credit("app", 0).credits == 48
    assert sum(entry.credits for entry in applications.ledger("app")) == 48


def test_what_is_done_to_nobody_says_how_to_find_somebody(applications: Applications) -> None:
    actions = (
        lambda: applications.credit("nobody", 1),
        lambda: applications.set_disabled("nobody", True),
        lambda: applications.set_password("nobody", "hash"),
        lambda: applications.ledger("nobody"),
    )
    for action in actions:
        with pytest.raises(LookupError, match=r"no application 'nobody'.*applications list"):
            action()
