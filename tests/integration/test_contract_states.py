# SPDX-License-Identifier: Apache-2.0
"""What the server refuses for the state that a task, a window or an account is in, as the client tells it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.testing import APPLICATION_ID, PASSWORD, CloudOcrRehearsal

SOURCE = "https://example.com/scan.png"
TEXT = ProcessingSettings.parse(export_format="txt")
THREE = ProcessingSettings.parse(export_format="txt,xml,pdfSearchable")
IMAGE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def rehearsing(cloud_ocr: CloudOcrRehearsal) -> Iterator[CloudOcrClient]:
    with CloudOcrClient(
        base_url=cloud_ocr.url, application_id=APPLICATION_ID, password=PASSWORD
    ) as rehearsing:
        yield rehearsing


def test_a_running_task_is_neither_deleted_nor_started_nor_given_an_image(
    cloud_ocr: CloudOcrRehearsal, rehearsing: CloudOcrClient, wait_for: Callable[..., OcrTask]
) -> None:
    cloud_ocr.hold()
    running = wait_for(rehearsing, rehearsing.process_remote_image(SOURCE, TEXT).id, "InProgress").id
    for call in (
        lambda: rehearsing.delete_task(running),
        lambda: rehearsing.process_document(running, TEXT),
        lambda: rehearsing.submit_image(IMAGE, running),
    ):
        with pytest.raises(
            errors.RequestRejectedError, match=r"InProgress|in progress|being processed"
        ) as refused:
            call()
        assert (refused.value.http_status, refused.value.ocr_task_id) == (450, running)
    assert rehearsing.get_task_status(running).status == "InProgress"


@pytest.mark.parametrize("parameter", ["fromDate", "toDate"])
def test_a_window_with_a_wrong_date_is_refused_by_the_dates_name(
    rehearsing: CloudOcrClient, parameter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.client.client.render_time", lambda _: "yesterday")
    window = {"from_date" if parameter == "fromDate" else "to_date": object()}
    with pytest.raises(errors.ParameterRejectedError, match=f"{parameter}: ") as refused:
        rehearsing.list_tasks(**window)  # type: ignore[arg-type]  # a date that the client would never send
    assert refused.value.http_status == 450


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.process_remote_image(SOURCE, TEXT),
        lambda client: client.process_image(IMAGE, TEXT),
        lambda client: client.submit_image(IMAGE),
    ],
    ids=["processRemoteImage", "processImage", "submitImage"],
)
def test_an_image_beyond_the_quota_is_refused(
    cloud_ocr: CloudOcrRehearsal, rehearsing: CloudOcrClient, call: Callable[[CloudOcrClient], OcrTask]
) -> None:
    cloud_ocr.exceed_quota(times=1)
    with pytest.raises(errors.RequestRejectedError, match="quota of images is exceeded") as refused:
        call(rehearsing)
    assert refused.value.http_status == 450
    assert call(rehearsing).id


def test_one_image_in_two_tasks_is_deleted_with_each_of_them_alone(
    rehearsing: CloudOcrClient, wait_for: Callable[..., OcrTask]
) -> None:
    first, second = (
        wait_for(rehearsing, rehearsing.process_remote_image(SOURCE, TEXT).id).id for _ in range(2)
    )
    assert rehearsing.delete_task(first).status == "Deleted"
    left = rehearsing.get_task_status(second)
    assert left.status == "Completed"
    assert b"".join(rehearsing.download_result(left.result_urls[0]))
    assert rehearsing.delete_task(second).status == "Deleted"


def test_a_task_is_listed_after_its_deletion_unless_told_otherwise(rehearsing: CloudOcrClient) -> None:
    deleted = rehearsing.delete_task(rehearsing.submit_image(IMAGE).id)
    assert [(task.id, task.status) for task in rehearsing.list_tasks()] == [(deleted.id, "Deleted")]
    assert rehearsing.list_tasks(exclude_deleted=True) == []


def test_more_formats_do_not_change_the_price(
    cloud_ocr: CloudOcrRehearsal, rehearsing: CloudOcrClient, wait_for: Callable[..., OcrTask]
) -> None:
    prices = []
    for settings in (TEXT, THREE):
        before = cloud_ocr.credits_charged
        task = wait_for(rehearsing, rehearsing.process_remote_image(SOURCE, settings).id)
        prices.append((task.credits, cloud_ocr.credits_charged - before))
    assert prices == [(5, 5), (5, 5)]


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.process_remote_image(SOURCE, TEXT),
        lambda client: client.process_image(IMAGE, TEXT),
        lambda client: client.submit_image(IMAGE),
        lambda client: client.process_document("0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4", TEXT),
        lambda client: client.get_task_status("0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"),
        lambda client: client.list_tasks(),
        lambda client: client.list_finished_tasks(),
        lambda client: client.delete_task("0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"),
        lambda client: client.get_application_info(),
    ],
    ids=range(9),
)
def test_every_method_tells_that_the_credentials_are_refused(
    cloud_ocr: CloudOcrRehearsal, rehearsing: CloudOcrClient, call: Callable[[CloudOcrClient], object]
) -> None:
    # On demand: after several wrong passwords in a row the server takes its time to answer.
    cloud_ocr.answer(401, times=1)
    with pytest.raises(errors.AuthenticationError):
        call(rehearsing)


@pytest.mark.parametrize(
    "name", ["xml:writeFormatting", "xml:writeWordRecognitionVariants", "txtUnstructured:paragraphAsOneLine"]
)
def test_a_parameter_of_other_methods_is_no_setting(name: str) -> None:
    with pytest.raises(errors.InvalidParameterError, match="the service knows no such parameter"):
        ProcessingSettings.from_query({name: "true"})
    assert name not in {*ProcessingSettings.parse(export_format="xml").to_query(), *THREE.to_query()}
