# SPDX-License-Identifier: Apache-2.0
"""Every row of the contract's page is proven by tests that exist, and nothing of the API lacks its row."""

from __future__ import annotations

import re
from collections import Counter
from types import SimpleNamespace

import pendulum
import pytest

from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import (
    ExportFormat,
    ImageSource,
    Profile,
    TaskStatus,
    TextType,
    WriteTags,
)
from tests import contract

ROWS = list(contract.rows())
METHODS = (
    *("processRemoteImage", "processImage", "submitImage", "processDocument", "getTaskStatus"),
    *("listTasks", "listFinishedTasks", "deleteTask", "getApplicationInfo"),
)
SECTIONS = (
    *("2.1", "2.2", "2.3", "3", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3", "5", "6.1", "6.2", "6.3", "6.4"),
    "6.5",
)
NOT_THE_DEFAULTS = ProcessingSettings(
    language=("German",),
    profile=Profile.TEXT_EXTRACTION,
    text_type=(TextType.GOTHIC,),
    image_source=ImageSource.PHOTO,
    correct_orientation=False,
    correct_skew=False,
    read_barcodes=True,
    export_format=(ExportFormat.XML,),
    write_recognition_variants=True,
    write_tags=WriteTags.WRITE,
    description="d",
    pdf_password="p",
)
TOLD_ALL = OcrTask(
    id="a1",
    status="Completed",
    registration_time=pendulum.datetime(2026, 11, 22),
    status_change_time=pendulum.datetime(2026, 11, 22),
    error="e",
    files_count=1,
    credits=5,
    estimated_processing_time=1,
    result_urls=("u", "v", "w"),
    description="d",
)


def in_section(section: str) -> list[str]:
    return [row.name for row in ROWS if row.section == section]


def test_every_section_is_there_and_no_row_twice() -> None:
    assert tuple(dict.fromkeys(row.section for row in ROWS)) == SECTIONS
    twice = [row for row, count in Counter((row.section, row.name) for row in ROWS).items() if count > 1]
    assert twice == []


def test_every_row_names_a_test_or_says_why_it_has_none() -> None:
    assert [row for row in ROWS if not row.tests and not row.untested] == []


def test_few_rows_have_a_side_without_a_test_and_all_of_them_say_why() -> None:
    reasons = [reason for row in ROWS for reason in row.untested]
    assert len(reasons) <= 5
    assert all(len(reason.split()) > 3 for reason in reasons)


def test_every_named_test_exists_and_is_not_skipped() -> None:
    named = sorted({test for row in ROWS for test in row.tests})
    assert named
    wrong = []
    for test in named:
        file, _, name = test.partition("::")
        marks = contract.marks(file).get(name)
        if marks is None:
            wrong.append(f"{test} does not exist")
        elif marks & {"skip", "skipif", "xfail"}:
            wrong.append(f"{test} may be skipped")
    assert wrong == []


@pytest.mark.parametrize(
    ("section", "known"),
    [
        ("2.1", METHODS),
        ("3", ("source", *NOT_THE_DEFAULTS.to_query())),
        ("3.1", Profile),
        ("3.2", TextType),
        ("3.3", ExportFormat),
        ("4.1", re.findall(r'(\w+)="', render_tasks([TOLD_ALL]).decode().partition("<task ")[2])),
        ("5", ("200", "401", "403", "404", "407", "450", "550", "551")),
        ("6.1", TaskStatus),
    ],
)
def test_what_the_package_knows_has_its_row(section: str, known: tuple[str, ...]) -> None:
    assert [name for name in known if name not in in_section(section)] == []


def test_settings_that_differ_in_all_from_the_defaults_have_every_parameter() -> None:
    assert len(NOT_THE_DEFAULTS.to_query()) == len(ProcessingSettings.__dataclass_fields__)


def test_both_runs_together_are_all_tests() -> None:
    makefile = (contract.PROJECT / "Makefile").read_text()
    selected = re.findall(r'-m pytest -m ("not long"|long) ', makefile)
    assert tuple(each.strip('"') for each in selected) == contract.RUNS


def test_a_run_in_which_a_named_test_did_not_run_fails() -> None:
    noted = contract.RowsAreProven(frozenset({"tests/a.py::test_ran", "tests/a.py::test_skipped"}))
    for when, name, skipped in (
        ("setup", "test_skipped", False),
        ("call", "test_skipped[1]", True),
        ("call", "test_ran[1]", False),
        ("call", "test_of_no_row", False),
    ):
        report = SimpleNamespace(when=when, nodeid=f"tests/a.py::{name}", skipped=skipped)
        noted.pytest_runtest_logreport(report)  # type: ignore[arg-type]  # all of a report that is looked at
    assert noted.missing == {"tests/a.py::test_skipped"}
    for before, after in (
        (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED),
        (pytest.ExitCode.INTERRUPTED,) * 2,
    ):
        session = SimpleNamespace(exitstatus=before)
        noted.pytest_sessionfinish(session, before)  # type: ignore[arg-type]  # all that is set
        assert session.exitstatus == after
