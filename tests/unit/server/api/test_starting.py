# SPDX-License-Identifier: Apache-2.0
"""The methods take what the contract allows and this server carries out, and refuse all else by name."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.api import starting as starting_module
from airflow_provider_ocr.server.api.call import Call, RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.recognition.support import SUPPORTED_FORMATS
from airflow_provider_ocr.server.records.stored_task import StoredTask
from tests.unit.server import scans
from tests.unit.server.scans import large_png, pdf, png

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server

SOURCE = "https://example.com/scan.png"
S, Q, P, C, F, N, D = (
    TaskStatus.SUBMITTED,
    TaskStatus.QUEUED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.COMPLETED,
    TaskStatus.PROCESSING_FAILED,
    TaskStatus.NOT_ENOUGH_CREDITS,
    TaskStatus.DELETED,
)
# How parameters are read, no database has a part in.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


# What the API allows and this server carries out.
CARRIED_OUT = [
    *({"exportFormat": name} for name in sorted(SUPPORTED_FORMATS)),
    {"exportFormat": "txt,pdfSearchable,xml"},
    {"exportFormat": " XML , txt"},
    {"language": "English"},
    {"language": "english,GERMAN"},
    {"language": ""},
    {"profile": "documentConversion"},
    {"profile": "documentArchiving"},
    {"profile": "textExtraction"},
    {"profile": "barcodeRecognition"},
    {"textType": "normal"},
    {"textType": "typewriter,matrix,index,ocrA,ocrB"},
    *({"imageSource": value} for value in ("auto", "scanner", "SCANNER")),
    *({name: value} for name in ("correctOrientation", "correctSkew") for value in ("true", "false", "TRUE")),
    *({"readBarcodes": value} for value in ("true", "false")),
    {"xml:writeRecognitionVariants": "false"},
    *({"pdf:writeTags": value} for value in ("auto", "write", "dontWrite")),
    {"description": "x" * 255},
    {"description": 'ä & <b> " \n\t \U0001f642'},
    {"description": ""},
    {"pdfPassword": ""},
    {"pdfPassword": "x"},
]


@one_database
@pytest.mark.parametrize("query", CARRIED_OUT, ids=str)
def test_what_is_carried_out_is_accepted(query: dict[str, str], server: Server) -> None:
    task = server.submit(**query)
    assert (task.status, task.credits, task.files_count) == ("Submitted", 0, 1)
    assert server.accepted == [server.store.find(task.id)]


# All values of the API that this server does not carry out, and some that are none of the API's.
REFUSED = {
    "language": "French Klingon English,French English, English,English eng Digits E13B CMC7",
    "profile": "fieldLevelRecognition x",
    "textType": "handprinted e13b cmc7 gothic normal,gothic normal, x",
    "imageSource": "camera",
    "correctOrientation": "yes 1 auto",
    "correctSkew": "yes 1 auto",
    "readBarcodes": "yes 1 auto",
    "exportFormat": ("vCard csv pdf txt,pdf txt,txt txt, txt,pdfSearchable,xml,rtf"),
    "xml:writeRecognitionVariants": "true x",
    "pdf:writeTags": "true",
    "description": f"{'x' * 256} a\x00b a\x1bb",
    "source": "scan.png ftp://example.com/x file:///etc/passwd http://h:p/ data:,x",
}


@one_database
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name, values in REFUSED.items() for value in values.split(" ")),
        ("source", ""),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(name: str, value: str, server: Server) -> None:
    query = {"source": SOURCE, "exportFormat": "txt", name: value}
    assert server.refusal("processRemoteImage", query).startswith(f"{name}: ")
    assert server.call("listTasks") == []
    assert server.accepted == []


@one_database
def test_variants_are_written_where_xml_is_exported(server: Server) -> None:
    query = {"source": SOURCE, "exportFormat": "xml", "xml:writeRecognitionVariants": "true"}
    (task,) = server.call("processRemoteImage", query)
    assert server.tasks.find(task.id).settings.write_recognition_variants


@one_database
def test_without_a_format_the_apis_default_is_written(server: Server) -> None:
    (task,) = server.call("processRemoteImage", {"source": SOURCE})
    assert server.tasks.find(task.id).settings.export_format == ("rtf",)


@one_database
def test_a_missing_source_is_refused(server: Server) -> None:
    assert (
        server.refusal("processRemoteImage", {"exportFormat": "txt"}) == "source: the parameter is missing."
    )


@one_database
@pytest.mark.parametrize(
    "name",
    [
        *("region", "taskid", "txtunstructured:paragraphasoneline", "xml:writeformatting"),
        *("xml:writewordrecognitionvariants", "correct_skew", "", "source2"),
    ],
)
def test_parameters_that_processremoteimage_does_not_have_are_refused_even_without_a_value(
    name: str, server: Server
) -> None:
    for value in ("", "true"):
        query = {"source": SOURCE, "exportFormat": "txt", name: value}
        refusal = server.refusal("processRemoteImage", query)
        assert refusal.startswith(f"{name}: the service knows no such parameter.")


# Takes no time to measure, because it cannot be.
PNG = scans.png()
GUID = "0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"


def held(server: Server, ocr_task_id: str) -> list[bytes]:
    """The images of a task."""
    count = server.tasks.find(ocr_task_id).files_count
    with server.files.local_images(ocr_task_id, count) as images:
        return [image.read_bytes() for image in images]


def files(server: Server, tmp_path: Path) -> list[Path]:
    """All files that are anybody's images or on their way to that."""
    return [
        path for kind in ("images", "incoming") for path in (tmp_path / kind).rglob("*") if path.is_file()
    ]


def uploaded(server: Server, application: str = "app", **query: str) -> OcrTask:
    """A new task of submitImage."""
    (task,) = server.call("submitImage", query, application, image=PNG)
    return task


def test_an_image_that_is_processed_is_queued_at_once_and_held(server: Server) -> None:
    (task,) = server.call("processImage", {"exportFormat": "txt", "description": "d"}, image=PNG)
    assert (task.status, task.files_count, task.credits, task.description) == ("Queued", 1, 5, "d")
    assert task.estimated_processing_time == 7
    assert held(server, task.id) == [PNG]
    assert (server.workforce.woken, server.accepted) == (1, [])
    claimed = server.tasks.claimed(task.id)
    assert (claimed.source, claimed.settings.export_format) == (None, ("txt",))


def test_images_that_are_submitted_wait_in_one_task(server: Server) -> None:
    first = uploaded(server, taskId="", pdfPassword="")
    assert (first.status, first.files_count, first.estimated_processing_time) == ("Submitted", 1, None)
    for count, spelling in ((2, first.id), (3, f" {first.id.upper()} ")):
        (task,) = server.call("submitImage", {"taskId": spelling}, image=PNG + bytes([count]))
        assert (task.id, task.status, task.files_count) == (first.id, "Submitted", count)
    assert held(server, first.id) == [PNG, PNG + b"\x02", PNG + b"\x03"]
    assert server.tasks.work.claim() is None
    assert server.tasks.work.unfetched() == []
    assert server.accepted == []
    assert uploaded(server).id != first.id


def test_images_that_are_submitted_at_the_same_time_are_all_kept(server: Server) -> None:
    task, barrier = uploaded(server), threading.Barrier(6)

    def add(number: int) -> None:
        barrier.wait()
        server.call("submitImage", {"taskId": task.id}, image=PNG + bytes([number]))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(add, range(6)))
    assert sorted(held(server, task.id)) == [PNG, *(PNG + bytes([number]) for number in range(6))]


@pytest.mark.parametrize("status", [Q, P, C, F, N, D])
def test_only_a_submitted_task_takes_another_image(status: TaskStatus, server: Server) -> None:
    ocr_task_id = server.task_in(status)
    refusal = server.refusal("submitImage", {"taskId": ocr_task_id}, image=PNG)
    assert refusal.startswith(f"taskId: the task {ocr_task_id} is ")
    assert ("deleted" if status is D else status) in refusal


def test_a_task_whose_image_is_being_fetched_takes_no_other_and_does_not_start(server: Server) -> None:
    ocr_task_id = server.submit().id
    query = {"taskId": ocr_task_id, "exportFormat": "txt"}
    for refusal in (
        server.refusal("submitImage", {"taskId": ocr_task_id}, image=PNG),
        server.refusal("processDocument", query),
    ):
        assert "is still being fetched" in refusal
    assert server.tasks.work.claim() is None


@pytest.mark.parametrize("method", ["submitImage", "processDocument"])
def test_a_task_that_is_not_there_or_another_applications_is_refused(method: str, server: Server) -> None:
    other = uploaded(server, "other").id
    for ocr_task_id in (other, GUID, "00000000-0000-0000-0000-000000000000", "x" * 999):
        query = {"taskId": ocr_task_id}
        refusal = server.refusal(method, query, image=PNG if method == "submitImage" else b"")
        assert refusal.startswith("taskId: there is no task")
        assert len(refusal) < 200


@pytest.mark.parametrize("method", ["processImage", "submitImage"])
def test_without_an_image_or_with_what_is_none_nothing_is_made(method: str, server: Server) -> None:
    query = {"exportFormat": "txt"} if method == "processImage" else {}
    assert server.refusal(method, query).startswith("image: there is no image")
    for content in (b"<html>", b"PK\x03\x04", b" "):
        with pytest.raises(
            UnsupportedImageError, match="JPEG, PNG, TIFF, BMP, GIF, JPEG 2000, PCX, DCX, WebP or PDF"
        ):
            server.call(method, query, image=content)
    task = uploaded(server)
    with pytest.raises(UnsupportedImageError):
        server.call("submitImage", {"taskId": task.id}, image=b"<html>")
    assert [(found.id, found.files_count) for found in server.call("listTasks")] == [(task.id, 1)]


@pytest.mark.parametrize(
    ("method", "query", "said"),
    [
        ("processImage", {"exportFormat": "pdf"}, "exportFormat: "),
        ("processImage", {"exportFormat": "txt", "source": "http://h/x"}, "source: "),
        ("processImage", {"exportFormat": "txt", "taskId": GUID}, "taskid: "),
        ("submitImage", {"exportFormat": "txt"}, "exportformat: "),
    ],
)
def test_parameters_that_do_not_go_with_an_image_are_refused(
    method: str, query: dict[str, str], said: str, server: Server
) -> None:
    assert server.refusal(method, query, image=PNG).startswith(said)
    assert server.call("listTasks") == []


def test_a_submitted_task_is_started_with_all_its_images(server: Server) -> None:
    task = uploaded(server)
    server.call("submitImage", {"taskId": task.id}, image=PNG)
    query = {"taskId": task.id.upper(), "exportFormat": "txt,xml", "description": "d"}
    (started,) = server.call("processDocument", query)
    assert (started.id, started.status, started.files_count) == (task.id, "Queued", 2)
    assert (started.description, started.estimated_processing_time) == ("d", 7)
    assert server.workforce.woken
    claimed = server.tasks.claimed(task.id)
    assert claimed.settings.export_format == ("txt", "xml")


@pytest.mark.parametrize("status", [C, N])
def test_a_task_is_started_again_with_new_settings_and_shows_nothing_of_the_old(
    status: TaskStatus, server: Server
) -> None:
    ocr_task_id = server.task_in(status, exportFormat="txt,xml", language="German", description="old")
    if status is N:
        server.applications.credit("app", 5)
    query = {"taskId": ocr_task_id, "exportFormat": "pdfSearchable"}
    (task,) = server.call("processDocument", query)
    assert (task.status, task.result_urls, task.description) == ("Queued", (), "old")
    stored = server.tasks.find(ocr_task_id)
    assert (stored.settings.export_format, stored.settings.language) == (("pdfSearchable",), ("English",))
    assert (stored.quality, stored.run) == ({}, None)


@pytest.mark.parametrize(
    ("given", "kept"), [({}, "old"), ({"description": ""}, None), ({"description": "n"}, "n")]
)
def test_a_description_stays_unless_another_is_given(
    given: dict[str, str], kept: str | None, server: Server
) -> None:
    query = {"taskId": server.task_in(C, description="old"), "exportFormat": "txt", **given}
    (task,) = server.call("processDocument", query)
    assert task.description == kept


@pytest.mark.parametrize("status", [Q, P, F, D])
def test_what_runs_failed_or_is_deleted_is_not_started(status: TaskStatus, server: Server) -> None:
    ocr_task_id = server.task_in(status)
    before = server.tasks.find(ocr_task_id)
    refusal = server.refusal("processDocument", {"taskId": ocr_task_id, "exportFormat": "xml"})
    assert refusal.startswith(f"taskId: the task {ocr_task_id} is {'deleted' if status is D else status}")
    assert server.tasks.find(ocr_task_id) == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "taskId: the parameter is missing."),
        ({"taskId": "TASK", "exportFormat": "pdf"}, "exportFormat: "),
        ({"taskId": "TASK", "exportFormat": "txt", "language": "Klingon"}, "language: "),
        ({"taskId": "TASK", "exportFormat": "txt", "source": "http://h/x"}, "source: "),
        ({"taskId": "TASK", "exportFormat": "txt", "description": "x" * 256}, "description: "),
    ],
)
def test_a_bad_start_is_refused_by_name_and_changes_nothing(
    query: dict[str, str], said: str, server: Server
) -> None:
    task = uploaded(server)
    filled = {name: task.id if value == "TASK" else value for name, value in query.items()}
    assert server.refusal("processDocument", filled).startswith(said)
    assert server.call("listTasks") == [task]


def test_of_many_who_start_the_same_task_one_wins(server: Server) -> None:
    query = {"taskId": uploaded(server).id, "exportFormat": "txt"}
    barrier = threading.Barrier(6)

    def start(_: int) -> bool:
        barrier.wait()
        try:
            server.call("processDocument", query)
        except RejectedError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(start, range(6))) == [False] * 5 + [True]


def test_more_images_than_make_a_document_are_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting_module, "MAX_IMAGES", 1)
    task = uploaded(server)
    server.call("submitImage", {"taskId": task.id}, image=PNG)
    with pytest.raises(UnsupportedImageError, match="2 images; at most 1"):
        server.call("processDocument", {"taskId": task.id, "exportFormat": "txt"})


def test_an_image_that_cannot_be_stored_is_not_accepted(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = uploaded(server)

    def refuse(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(server.files, "keep", refuse)
    for query in ({}, {"taskId": task.id}):
        with pytest.raises(OSError, match="no space left"):
            server.call("submitImage", query, image=PNG)
    assert [(found.id, found.files_count) for found in server.call("listTasks")] == [(task.id, 1)]
    assert len(files(server, tmp_path)) == 1


def test_an_image_costs_what_its_area_comes_to_in_pages_of_a4(server: Server) -> None:
    (task,) = server.call("processImage", {"exportFormat": "txt"}, image=large_png())
    assert task.credits == 20
    submitted = uploaded(server)
    assert submitted.credits == 5
    (added,) = server.call("submitImage", {"taskId": submitted.id}, image=large_png())
    assert added.credits == 25


@pytest.mark.parametrize("owned", [0, 4])
def test_an_image_that_cannot_be_paid_for_is_held_and_answered_with_not_enough_credits(
    owned: int, server: Server
) -> None:
    server.applications.credit("app", owned)
    (task,) = server.call("processImage", {"exportFormat": "txt"}, image=png())
    assert (task.status, task.credits, task.estimated_processing_time) == ("NotEnoughCredits", 5, None)
    assert held(server, task.id) == [png()]
    assert server.tasks.work.claim() is None
    assert [found.id for found in server.call("listFinishedTasks")] == [task.id]
    assert server.answer("getApplicationInfo").fields == owned


def test_a_suspended_task_resumes_by_processdocument_after_a_top_up(server: Server) -> None:
    server.applications.credit("app", 0)
    ocr_task_id = uploaded(server).id
    server.call("submitImage", {"taskId": ocr_task_id}, image=large_png())
    query = {"taskId": ocr_task_id, "exportFormat": "txt"}
    for _ in range(2):
        (task,) = server.call("processDocument", query)
        assert (task.status, task.credits, task.files_count) == ("NotEnoughCredits", 25, 2)
        server.applications.credit("app", 12)
    (task,) = server.call("processDocument", query)
    assert task.status == "NotEnoughCredits"
    server.applications.credit("app", 1)
    (task,) = server.call("processDocument", query)
    assert task.status == "Queued"
    assert server.answer("getApplicationInfo").fields == 0
    server.tasks.claimed(ocr_task_id)


def test_two_documents_never_get_the_same_credits(server: Server) -> None:
    server.applications.credit("app", 15)
    image, barrier = png(), threading.Barrier(6)

    def process(_: int) -> str:
        barrier.wait()
        (task,) = server.call("processImage", {"exportFormat": "txt"}, image=image)
        return task.status

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(process, range(6))) == ["NotEnoughCredits"] * 3 + ["Queued"] * 3
    assert server.answer("getApplicationInfo").fields == 0


def test_a_document_is_charged_once_and_its_second_run_is_free(server: Server) -> None:
    server.applications.credit("app", 5)
    (task,) = server.call("processImage", {"exportFormat": "txt"}, image=png())
    for run in ("run-1", "run-2"):
        claimed = server.tasks.claimed(task.id)
        assert server.tasks.work.complete(claimed, run=run, pages=1, quality={})
        entries = [(entry.ocr_task_id, entry.credits) for entry in server.applications.ledger("app")]
        assert entries == [(None, 5), (task.id, -5)]
        # There is nothing left to pay with.
        (again,) = server.call("processDocument", {"taskId": task.id, "exportFormat": "txt"})
        assert (again.status, again.credits) == ("Queued", 5)


def test_a_document_that_fails_gives_its_credits_back(server: Server) -> None:
    server.applications.credit("app", 5)
    server.tasks.bring(server.submit().id, F)
    assert server.answer("getApplicationInfo").fields == 5
    assert len(server.applications.ledger("app")) == 1


def test_a_remote_image_that_cannot_be_paid_for_suspends_its_task_once_it_is_held(server: Server) -> None:
    server.applications.credit("app", 5)
    task = server.submit()
    assert task.status == "Submitted"
    server.tasks.image_fetched(task.id, pages=2)
    (task,) = server.call("getTaskStatus", {"taskId": task.id})
    assert (task.status, task.credits) == ("NotEnoughCredits", 10)


PROTECTED = pdf(password="open sesame")


@one_database
@pytest.mark.parametrize("method", ["processImage", "submitImage"])
@pytest.mark.parametrize("password", ["", "sesame"])
def test_a_pdf_that_does_not_open_with_the_password_is_refused_and_not_kept(
    method: str, password: str, server: Server, tmp_path: Path
) -> None:
    query = {"pdfPassword": password} if password else {}
    if method == "processImage":
        query["exportFormat"] = "txt"
    assert server.refusal(method, query, image=PROTECTED).startswith("pdfPassword: ")
    assert server.call("listTasks") == []
    assert files(server, tmp_path) == []
    (task,) = server.call(method, {**query, "pdfPassword": "open sesame"}, image=PROTECTED)
    assert (task.status, task.credits) == ("Queued" if method == "processImage" else "Submitted", 5)


@one_database
@pytest.mark.parametrize("method", ["processImage", "submitImage"])
def test_a_pdf_that_may_not_be_printed_is_refused_as_unsupported(
    method: str, server: Server, tmp_path: Path
) -> None:
    query = {"exportFormat": "txt"} if method == "processImage" else {}
    with pytest.raises(UnsupportedImageError, match="print"):
        server.call(method, query, image=pdf(printable=False))
    assert server.call("listTasks") == []
    assert files(server, tmp_path) == []


def test_all_pdfs_of_a_task_have_one_password(server: Server) -> None:
    ocr_task_id = uploaded(server).id
    add = {"taskId": ocr_task_id}
    assert server.refusal("submitImage", add, image=PROTECTED).startswith("pdfPassword: ")
    server.call("submitImage", {**add, "pdfPassword": "open sesame"}, image=PROTECTED)
    server.call("submitImage", add, image=PROTECTED)
    refusal = server.refusal("submitImage", {**add, "pdfPassword": "other"}, image=pdf(password="other"))
    assert "the same password" in refusal
    server.call("processDocument", {**add, "exportFormat": "txt"})
    assert server.tasks.claimed(ocr_task_id).settings.pdf_password == "open sesame"


def test_a_password_is_dropped_with_the_recognition_and_asked_for_again_where_the_pdf_is_opened_again(
    server: Server,
) -> None:
    query = {"exportFormat": "txt", "pdfPassword": "open sesame"}
    (task,) = server.call("processImage", query, image=PROTECTED)
    claimed = server.tasks.claimed(task.id)
    assert server.tasks.work.complete(claimed, run="run-1", pages=1, quality={})
    assert server.tasks.find(task.id).settings.pdf_password == ""
    again = {"taskId": task.id}
    for opening in (
        {"exportFormat": "pdfSearchable"},
        {"exportFormat": "docx"},
        {"exportFormat": "txt", "language": "German"},
    ):
        assert "send it again" in server.refusal("processDocument", {**again, **opening})
    wrong = {**again, "exportFormat": "pdfSearchable", "pdfPassword": "sesame"}
    assert server.refusal("processDocument", wrong).startswith("pdfPassword: ")
    assert server.tasks.find(task.id).status == "Completed"
    (queued,) = server.call("processDocument", {**wrong, "pdfPassword": "open sesame"})
    assert queued.status == "Queued"


def test_a_password_is_not_needed_where_only_text_is_written_anew(server: Server) -> None:
    query = {"exportFormat": "pdfSearchable", "pdfPassword": "open sesame"}
    (task,) = server.call("processImage", query, image=PROTECTED)
    assert server.tasks.work.complete(server.tasks.claimed(task.id), run="run-1", pages=1, quality={})
    (again,) = server.call("processDocument", {"taskId": task.id, "exportFormat": "txt"})
    assert again.status == "Queued"


def keyed(
    server: Server,
    method: str,
    query: dict[str, str],
    *,
    key: str,
    image: bytes = b"",
    application: str = "app",
) -> OcrTask:
    """The task that a request with an idempotency key is answered with."""
    found = server.methods.find(method)
    assert found is not None
    lower = {name.lower(): value for name, value in query.items()}
    call = Call(application=application, query=lower, base_url="http://ocr.example", key=key)
    with server.files.incoming() as path:
        if image:
            path.write_bytes(image)
            call = replace(call, image=path)
        answer = found.answer(call)
    assert not isinstance(answer, ApplicationInfo)
    (task,) = answer
    return task


def starting_request(server: Server, method: str) -> tuple[dict[str, str], bytes]:
    """A request of a method that makes or starts a task, or gives it an image."""
    match method:
        case "processRemoteImage":
            return {"source": SOURCE, "exportFormat": "txt"}, b""
        case "processImage":
            return {"exportFormat": "txt"}, PNG
        case "submitImage":
            return {}, PNG
        case "submitImage to a task":
            return {"taskId": uploaded(server).id}, PNG
        case _:
            return {"taskId": uploaded(server).id, "exportFormat": "txt"}, b""


STARTING = ["processRemoteImage", "processImage", "submitImage", "submitImage to a task", "processDocument"]


@pytest.mark.parametrize("method", STARTING)
def test_a_request_that_comes_again_with_its_key_is_carried_out_once(
    method: str, server: Server, tmp_path: Path
) -> None:
    query, image = starting_request(server, method)
    name = method.partition(" ")[0]
    first = keyed(server, name, query, key="k" * 255, image=image)
    kept, listed = files(server, tmp_path), server.call("listTasks")
    accepted = list(server.accepted)
    again = keyed(server, name, query, key="k" * 255, image=image)
    assert again == first
    assert (files(server, tmp_path), server.call("listTasks"), server.accepted) == (kept, listed, accepted)
    if "taskId" not in query:
        assert keyed(server, name, query, key="other", image=image).id != first.id
        theirs = keyed(server, name, query, key="k" * 255, image=image, application="other")
        assert theirs.id != first.id
        assert [task.id for task in server.call("listTasks", application="other")] == [theirs.id]


@pytest.mark.parametrize("method", STARTING)
def test_of_requests_that_race_with_one_key_one_is_carried_out_and_all_get_its_task(
    method: str, server: Server, tmp_path: Path
) -> None:
    query, image = starting_request(server, method)
    before = len(files(server, tmp_path))
    barrier = threading.Barrier(4)

    def ask(_: int) -> str:
        barrier.wait()
        return keyed(server, method.partition(" ")[0], query, key="race", image=image).id

    with ThreadPoolExecutor(4) as threads:
        ids = set(threads.map(ask, range(4)))
    assert len(ids) == 1
    (task,) = server.call("listTasks")
    assert {task.id} == ids
    assert len(files(server, tmp_path)) == before + bool(image)
    assert task.files_count == before + (bool(image) or method == "processRemoteImage")
    assert {accepted.id for accepted in server.accepted} <= ids


@pytest.mark.parametrize("method", STARTING)
def test_a_request_whose_double_is_faster_leaves_no_file_and_gets_the_doubles_task(
    method: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, image = starting_request(server, method)
    before, made = len(files(server, tmp_path)), []
    look = server.store.find_by_key

    def look_before_the_double_comes(application: str, key: str) -> StoredTask | None:
        found = look(application, key)
        if not made:
            made.append("about to be")
            made.append(keyed(server, method.partition(" ")[0], query, key="race", image=image).id)
        return found

    monkeypatch.setattr(server.store, "find_by_key", look_before_the_double_comes)
    assert keyed(server, method.partition(" ")[0], query, key="race", image=image).id == made[1]
    assert [task.id for task in server.call("listTasks")] == [made[1]]
    assert len(files(server, tmp_path)) == before + bool(image)


@one_database
@pytest.mark.parametrize("method", STARTING)
def test_a_key_that_is_too_long_is_refused(method: str, server: Server) -> None:
    query, image = starting_request(server, method)
    before = server.call("listTasks")
    with pytest.raises(RejectedError, match=r"^Idempotency-Key: it is longer than 255"):
        keyed(server, method.partition(" ")[0], query, key="k" * 256, image=image)
    assert server.call("listTasks") == before
