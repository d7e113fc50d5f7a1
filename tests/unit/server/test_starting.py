# SPDX-License-Identifier: Apache-2.0
"""The methods take what the contract allows and this server carries out, and refuse all else by name."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server import starting as starting_module
from airflow_provider_ocr.server.call import RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.recognition.support import SUPPORTED_FORMATS

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


# What the API allows and this server carries out.
CARRIED_OUT = [
    *({"exportFormat": name} for name in sorted(SUPPORTED_FORMATS)),
    {"exportFormat": "txt,pdfSearchable,xml"},
    {"exportFormat": " XML , txt"},
    {"language": "English"},
    {"language": "english,GERMAN"},
    {"language": ""},
    {"profile": "documentConversion"},
    {"textType": "normal"},
    *({"imageSource": value} for value in ("auto", "scanner", "SCANNER")),
    *({name: value} for name in ("correctOrientation", "correctSkew") for value in ("true", "false", "TRUE")),
    *({"readBarcodes": value} for value in ("true", "false")),
    {"xml:writeRecognitionVariants": "false"},
    *({"pdf:writeTags": value} for value in ("auto", "dontWrite")),
    {"description": "x" * 255},
    {"description": 'ä & <b> " \n\t \U0001f642'},
    {"description": ""},
    {"pdfPassword": ""},
]


@pytest.mark.parametrize("query", CARRIED_OUT, ids=str)
def test_what_is_carried_out_is_accepted(query: dict[str, str], server: Server) -> None:
    task = server.submit(**query)
    assert (task.status, task.credits, task.files_count) == ("Submitted", 0, 1)
    assert server.accepted == [server.store.find(task.id)]


# All values of the API that this server does not carry out, and some that are none of the API's.
REFUSED = {
    "language": "French Klingon English,French English, English,English eng Digits E13B CMC7",
    "profile": "documentArchiving textExtraction barcodeRecognition fieldLevelRecognition x",
    "textType": "typewriter matrix index handprinted ocrA ocrB e13b cmc7 gothic normal,gothic normal, x",
    "imageSource": "photo camera",
    "correctOrientation": "yes 1 auto",
    "correctSkew": "yes 1 auto",
    "readBarcodes": "yes 1 auto",
    "exportFormat": (
        f"{' '.join(sorted(set(ExportFormat) - SUPPORTED_FORMATS))} vCard csv pdf "
        "txt,rtf txt,txt txt, txt,pdfSearchable,xml,alto"
    ),
    "xml:writeRecognitionVariants": "true x",
    "pdf:writeTags": "write true",
    "description": f"{'x' * 256} a\x00b a\x1bb",
    "pdfPassword": "x",
    "source": "scan.png ftp://example.com/x file:///etc/passwd http://h:p/ data:,x",
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name, values in REFUSED.items() for value in values.split(" ")),
        ("exportFormat", ""),
        ("source", ""),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(name: str, value: str, server: Server) -> None:
    query = {"source": SOURCE, "exportFormat": "txt", name: value}
    assert server.refusal("processRemoteImage", query).startswith(f"{name}: ")
    assert server.call("listTasks") == []
    assert server.accepted == []


def test_variants_are_refused_also_where_xml_is_exported(server: Server) -> None:
    query = {"source": SOURCE, "exportFormat": "xml", "xml:writeRecognitionVariants": "true"}
    assert server.refusal("processRemoteImage", query).startswith("xml:writeRecognitionVariants: ")


def test_the_default_format_is_refused_because_rtf_is_not_carried_out(server: Server) -> None:
    refusal = server.refusal("processRemoteImage", {"source": SOURCE})
    assert refusal.startswith("exportFormat: this server does not write rtf (the default)")
    assert "txt" in refusal


def test_a_missing_source_is_refused(server: Server) -> None:
    assert (
        server.refusal("processRemoteImage", {"exportFormat": "txt"}) == "source: the parameter is missing."
    )


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
        assert server.refusal("processRemoteImage", query) == f"{name}: the service knows no such parameter."


PNG = b"\x89PNG\r\n\x1a\nthe rest of an image"
GUID = "0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"


def uploaded(server: Server, application: str = "app", **query: str) -> OcrTask:
    """A new task of submitImage."""
    (task,) = server.call("submitImage", query, application, image=PNG)
    return task


def test_an_image_that_is_processed_is_queued_at_once_and_held(server: Server) -> None:
    (task,) = server.call("processImage", {"exportFormat": "txt", "description": "d"}, image=PNG)
    assert (task.status, task.files_count, task.credits, task.description) == ("Queued", 1, 0, "d")
    assert task.estimated_processing_time == 7
    assert server.files.image(task.id).read_bytes() == PNG
    assert (server.workforce.woken, server.accepted) == (1, [])
    claimed = server.store.claim_queued()
    assert claimed is not None
    assert (claimed.id, claimed.source, claimed.settings.export_format) == (task.id, None, ("txt",))


def test_images_that_are_submitted_wait_in_one_task(server: Server) -> None:
    first = uploaded(server, taskId="", pdfPassword="")
    assert (first.status, first.files_count, first.estimated_processing_time) == ("Submitted", 1, None)
    for count, spelling in ((2, first.id), (3, f" {first.id.upper()} ")):
        (task,) = server.call("submitImage", {"taskId": spelling}, image=PNG + bytes([count]))
        assert (task.id, task.status, task.files_count) == (first.id, "Submitted", count)
    held = [server.files.image(first.id, number).read_bytes()[len(PNG) :] for number in (1, 2, 3)]
    assert held == [b"", b"\x02", b"\x03"]
    assert server.store.claim_queued() is None
    assert server.store.unfetched() == []
    assert server.accepted == []
    assert uploaded(server).id != first.id


def test_images_that_are_submitted_at_the_same_time_are_all_kept(server: Server) -> None:
    task, barrier = uploaded(server), threading.Barrier(6)

    def add(number: int) -> None:
        barrier.wait()
        server.call("submitImage", {"taskId": task.id}, image=PNG + bytes([number]))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(add, range(6)))
    stored = server.store.find(task.id)
    assert stored is not None
    assert stored.files_count == 7
    ends = {server.files.image(task.id, number).read_bytes()[len(PNG) :] for number in range(2, 8)}
    assert ends == {bytes([number]) for number in range(6)}


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
    assert server.store.claim_queued() is None


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
        with pytest.raises(UnsupportedImageError, match="JPEG, PNG, TIFF, PDF, BMP or GIF"):
            server.call(method, query, image=content)
    task = uploaded(server)
    with pytest.raises(UnsupportedImageError):
        server.call("submitImage", {"taskId": task.id}, image=b"<html>")
    assert [(found.id, found.files_count) for found in server.call("listTasks")] == [(task.id, 1)]


@pytest.mark.parametrize(
    ("method", "query", "said"),
    [
        ("processImage", {"exportFormat": "rtf"}, "exportFormat: "),
        ("processImage", {"exportFormat": "txt", "source": "http://h/x"}, "source: "),
        ("processImage", {"exportFormat": "txt", "taskId": GUID}, "taskid: "),
        ("submitImage", {"exportFormat": "txt"}, "exportformat: "),
        ("submitImage", {"pdfPassword": "x"}, "pdfPassword: "),
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
    assert server.workforce.woken == 1
    claimed = server.store.claim_queued()
    assert claimed is not None
    assert claimed.settings.export_format == ("txt", "xml")


@pytest.mark.parametrize("status", [C, N])
def test_a_task_is_started_again_with_new_settings_and_shows_nothing_of_the_old(
    status: TaskStatus, server: Server
) -> None:
    ocr_task_id = server.task_in(status, exportFormat="txt,xml", language="German", description="old")
    query = {"taskId": ocr_task_id, "exportFormat": "pdfSearchable"}
    (task,) = server.call("processDocument", query)
    assert (task.status, task.result_urls, task.description) == ("Queued", (), "old")
    stored = server.store.find(ocr_task_id)
    assert stored is not None
    assert (stored.settings.export_format, stored.settings.language) == (("pdfSearchable",), ("English",))
    assert stored.quality == {}


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
    before = server.store.find(ocr_task_id)
    refusal = server.refusal("processDocument", {"taskId": ocr_task_id, "exportFormat": "xml"})
    assert refusal.startswith(f"taskId: the task {ocr_task_id} is {'deleted' if status is D else status}")
    assert server.store.find(ocr_task_id) == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "taskId: the parameter is missing."),
        ({"taskId": "TASK"}, "exportFormat: "),
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
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = uploaded(server)

    def refuse(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(server.files, "keep", refuse)
    for query in ({}, {"taskId": task.id}):
        with pytest.raises(OSError, match="no space left"):
            server.call("submitImage", query, image=PNG)
    assert [(found.id, found.files_count) for found in server.call("listTasks")] == [(task.id, 1)]
