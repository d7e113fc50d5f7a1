# SPDX-License-Identifier: Apache-2.0
"""Each kind of answer that the API's documentation and captures show is read into these fields."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pendulum
import pytest

from airflow_provider_ocr.protocol.messages import (
    parse_application_info,
    parse_error,
    parse_tasks,
    render_application_info,
    render_tasks,
)
from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus

SAMPLES = Path(__file__).with_name("samples")


def _at(time: str) -> pendulum.DateTime:
    hour, minute, second = map(int, time.split(":"))
    return pendulum.datetime(2026, 11, 22, hour, minute, second)


def _result(name: str) -> str:
    return (
        f"https://ocrsdk.blob.core.windows.net/files/7d1f2c34-5b6a-4e8d-9c0b-1a2b3c4d5e6f{name}.result"
        "?sv=2012-02-12&se=2026-11-23T00%3A00%3A00Z&sr=b&si=downloadResults&sig=c2lnbmF0dXJl%2FMQ%3D%3D"
    )


SUBMITTED = OcrTask(
    id="7d1f2c34-5b6a-4e8d-9c0b-1a2b3c4d5e6f",
    status=TaskStatus.SUBMITTED,
    registration_time=_at("14:44:23"),
    status_change_time=_at("14:44:23"),
    files_count=1,
    credits=0,
)
COMPLETED = replace(
    SUBMITTED,
    status=TaskStatus.COMPLETED,
    status_change_time=_at("14:44:30"),
    result_urls=(_result(""),),
)
TASKS = {
    "submitted": [SUBMITTED],
    "queued": [
        replace(
            SUBMITTED,
            status=TaskStatus.QUEUED,
            status_change_time=_at("14:44:24"),
            credits=5,
            estimated_processing_time=5,
        )
    ],
    "in_progress": [
        replace(
            SUBMITTED,
            status=TaskStatus.IN_PROGRESS,
            status_change_time=_at("14:44:26"),
            credits=5,
            estimated_processing_time=3,
            description="Invoice 7",
        )
    ],
    "completed": [
        replace(
            COMPLETED,
            files_count=2,
            credits=10,
            result_urls=(_result(""), _result("_2"), _result("_3")),
            description="Invoice 7 <Zoë & Söhne>",
        )
    ],
    "completed_for_free": [COMPLETED],
    "processing_failed": [
        replace(
            SUBMITTED,
            status=TaskStatus.PROCESSING_FAILED,
            status_change_time=_at("14:44:30"),
            error="The image could not be downloaded.",
        )
    ],
    "not_enough_credits": [
        replace(
            SUBMITTED,
            status=TaskStatus.NOT_ENOUGH_CREDITS,
            status_change_time=_at("14:44:24"),
            credits=500,
        )
    ],
    "deleted": [replace(SUBMITTED, status=TaskStatus.DELETED, status_change_time=_at("15:00:00"), credits=5)],
    "list": [
        replace(SUBMITTED, id="00000000-0000-4000-8000-000000000001"),
        OcrTask(
            id="00000000-0000-4000-8000-000000000002",
            status=TaskStatus.DELETED,
            registration_time=_at("14:44:20"),
            status_change_time=_at("14:44:29"),
            files_count=3,
            credits=15,
        ),
    ],
    "empty_list": [],
    "documented_with_namespace": [replace(COMPLETED, credits=5, description="Invoice 7")],
}
APPLICATIONS = {
    "application_documented": ApplicationInfo(
        id="0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4",
        name="Invoices",
        pages=99,
        fields=495,
        expires=pendulum.datetime(2027, 1, 31),
        type="Normal",
    ),
    "application_older": ApplicationInfo(
        name="Invoices", pages=99, fields=495, expires=pendulum.datetime(2027, 1, 31), type="Mobile"
    ),
}
ERRORS = {
    "error_v1.xml": "Parameter 'language': unknown language.",
    "error_v2.json": "The language is unknown.",
}


def test_every_sample_has_its_expected_fields() -> None:
    xml = {f"{name}.xml" for name in (*TASKS, *APPLICATIONS)}
    assert {path.name for path in SAMPLES.iterdir()} == xml | set(ERRORS)


@pytest.mark.parametrize("name", TASKS)
def test_a_sample_of_tasks_is_read_and_written_with_all_its_fields(name: str) -> None:
    tasks = parse_tasks((SAMPLES / f"{name}.xml").read_bytes())
    assert tasks == TASKS[name]
    assert parse_tasks(render_tasks(tasks)) == tasks


@pytest.mark.parametrize("name", TASKS)
def test_attributes_are_written_in_the_order_of_the_sample(name: str) -> None:
    body = (SAMPLES / f"{name}.xml").read_bytes()
    names = [re.findall(rb'\s(\w+)="', task) for task in re.findall(rb"<task [^>]*>", body)]
    written = re.findall(rb"<task [^>]*>", render_tasks(TASKS[name]))
    assert [re.findall(rb'\s(\w+)="', task) for task in written] == names


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_sample_of_an_application_is_read_and_written_with_all_its_fields(name: str) -> None:
    application = parse_application_info((SAMPLES / f"{name}.xml").read_bytes())
    assert application == APPLICATIONS[name]
    assert parse_application_info(render_application_info(application)) == application


@pytest.mark.parametrize("name", ERRORS)
def test_a_sample_of_an_error_is_read(name: str) -> None:
    assert parse_error((SAMPLES / name).read_bytes()) == ERRORS[name]
