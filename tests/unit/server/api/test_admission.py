# SPDX-License-Identifier: Apache-2.0
"""Images are let in as far as the quota reaches and the file can be recognised; others are told why not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api.admission import Admission
from airflow_provider_ocr.server.api.call import Call, RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.records.store import HeldImage
from airflow_provider_ocr.server.workers.measuring import Measuring
from tests.unit.server.scans import large_png, pdf, png, tiff

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def admission(server: Server, measuring: Measuring) -> Admission:
    """Lets two images more in than are paid for."""
    return Admission(
        store=server.store, applications=server.applications, measure=measuring.measure, upload_threshold=2
    )


def test_images_are_let_in_up_to_some_more_than_the_credits_pay_for(
    server: Server, admission: Admission
) -> None:
    server.applications.credit("app", 14)
    for _ in range(4):
        admission.require_quota("app")
        server.submit()
    with pytest.raises(RejectedError, match=r"^The quota of images is exceeded: 4 are waiting .* for 2\."):
        admission.require_quota("app")
    server.applications.credit("app", 1)
    admission.require_quota("app")


def test_every_image_of_a_task_counts(server: Server, admission: Admission) -> None:
    server.applications.credit("app", 0)
    (task,) = server.call("submitImage", image=png())
    admission.require_quota("app")
    server.call("submitImage", {"taskId": task.id}, image=png())
    with pytest.raises(RejectedError, match="2 are waiting"):
        admission.require_quota("app")


@pytest.mark.parametrize("status", list(TaskStatus))
def test_images_count_until_they_are_recognised_or_deleted(
    status: TaskStatus, server: Server, admission: Admission
) -> None:
    server.applications.credit("app", 5)
    server.task_in(status)
    left = server.applications.find("app")
    assert left is not None
    server.applications.credit("app", -(left.credits or 0))
    server.submit()
    ended = (TaskStatus.COMPLETED, TaskStatus.PROCESSING_FAILED, TaskStatus.DELETED)
    if status in ended:
        admission.require_quota("app")
    else:
        with pytest.raises(RejectedError, match=r"2 are waiting to be recognised and .* enough for 0"):
            admission.require_quota("app")


def test_others_images_do_not_count_and_who_has_no_limit_has_no_quota(
    server: Server, admission: Admission
) -> None:
    for _ in range(3):
        server.submit("other")
    server.applications.credit("app", 0)
    admission.require_quota("app")
    admission.require_quota("other")


@one_database
@pytest.mark.parametrize("method", ["processRemoteImage", "processImage", "submitImage", "to a task"])
def test_a_method_that_brings_an_image_in_refuses_beyond_the_quota(method: str, server: Server) -> None:
    server.applications.credit("app", 0)
    tasks = [server.submit() for _ in range(9)]
    (held,) = server.call("submitImage", image=png())
    query, image = {
        "processRemoteImage": ({"source": "https://example.com/x", "exportFormat": "txt"}, b""),
        "processImage": ({"exportFormat": "txt"}, png()),
        "submitImage": ({}, png()),
        "to a task": ({"taskId": held.id}, png()),
    }[method]
    name = "submitImage" if method == "to a task" else method
    assert "quota of images is exceeded: 10 are waiting" in server.refusal(name, query, image=image)
    server.call("deleteTask", {"taskId": tasks[0].id})
    server.call(name, query, image=image)


@pytest.fixture
def sent(tmp_path: Path) -> Callable[[bytes], Call]:
    """A call that comes with an image."""

    def made(content: bytes) -> Call:
        (tmp_path / "image").write_bytes(content)
        return Call(application="app", query={}, base_url="http://h", image=tmp_path / "image")

    return made


@one_database
@pytest.mark.parametrize(
    ("image", "password", "pages", "billed_pages"),
    [
        (png(), "", 1, 1),
        (large_png(), "", 1, 4),
        (tiff("One", "Two", "Three"), "", 3, 3),
        (pdf(password="open"), "open", 1, 1),
    ],
    ids=["png", "large", "tiff", "protected"],
)
def test_an_image_is_measured(
    image: bytes,
    password: str,
    pages: int,
    billed_pages: int,
    *,
    admission: Admission,
    sent: Callable[[bytes], Call],
) -> None:
    measured = admission.measured(sent(image), pdf_password=password)
    assert measured == HeldImage(size=len(image), pages=pages, billed_pages=billed_pages)


@one_database
@pytest.mark.parametrize(
    ("image", "error", "said"),
    [
        (
            b"<html>",
            UnsupportedImageError,
            "of no type that can be read; JPEG, PNG, TIFF, BMP, GIF, JPEG 2000, PCX, DCX, WebP or PDF",
        ),
        (b"PK\x03\x04", UnsupportedImageError, "of no type that can be read"),
        (b"BM and nothing that a bitmap has", UnsupportedImageError, "damaged"),
        (pdf(printable=False), UnsupportedImageError, "print"),
        (pdf(password="open"), RejectedError, r"^pdfPassword: "),
    ],
    ids=["html", "zip", "damaged", "not-printable", "protected"],
)
def test_an_image_that_cannot_be_recognised_is_refused(
    image: bytes, error: type[Exception], said: str, *, admission: Admission, sent: Callable[[bytes], Call]
) -> None:
    with pytest.raises(error, match=said):
        admission.measured(sent(image), pdf_password="")


@one_database
def test_images_have_to_open_with_a_password_before_a_task_is_started_with_it(
    admission: Admission, tmp_path: Path
) -> None:
    images = tmp_path / "1", tmp_path / "2"
    images[0].write_bytes(png())
    images[1].write_bytes(pdf(password="open"))
    admission.require_opening(images, application="app", pdf_password="open")
    with pytest.raises(RejectedError, match=r"^pdfPassword: "):
        admission.require_opening(images, application="app", pdf_password="close")
    # What else is wrong with an image, its task's error will say.
    images[0].write_bytes(b"BM")
    admission.require_opening(images, application="app", pdf_password="open")
