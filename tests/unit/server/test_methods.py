# SPDX-License-Identifier: Apache-2.0
"""The methods take what the contract allows and this server carries out, and refuse all else by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pendulum
import pytest

from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import render_time
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server import methods as methods_module
from airflow_provider_ocr.server.methods import Call, RejectedError
from airflow_provider_ocr.server.recognition.support import SUPPORTED_FORMATS
from airflow_provider_ocr.server.tasks import Move

if TYPE_CHECKING:
    from tests.unit.server.conftest import Backend

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
WAYS = {S: (), Q: (Q,), P: (Q, P), C: (Q, P, C), F: (F,), N: (N,), D: (D,)}


class Server:
    """Calls the methods of a backend."""

    def __init__(self, backend: Backend) -> None:
        self.store = backend.store
        self.files = backend.files
        self.methods = backend.methods
        self.accepted = backend.workforce.accepted

    def call(
        self, method: str, query: dict[str, str] | None = None, application: str = "app"
    ) -> list[OcrTask]:
        function = self.methods.find(method)
        assert function is not None
        lower = {name.lower(): value for name, value in (query or {}).items()}
        return function(Call(application=application, query=lower, base_url="http://ocr.example"))

    def submit(self, application: str = "app", **query: str) -> OcrTask:
        given = {"source": SOURCE, "exportFormat": "txt", **query}
        (task,) = self.call("processRemoteImage", given, application)
        return task

    def refusal(self, method: str, query: dict[str, str] | None = None, application: str = "app") -> str:
        with pytest.raises(RejectedError) as refused:
            self.call(method, query, application)
        return str(refused.value)

    def task_in(self, status: TaskStatus, application: str = "app", **query: str) -> str:
        """The ID of a task that has come to this state."""
        ocr_task_id, origin = self.submit(application, **query).id, S
        for target in WAYS[status]:
            assert self.store.move(ocr_task_id, Move(origin, target), source=None)
            origin = target
        return ocr_task_id


@pytest.fixture
def server(backend: Backend) -> Server:
    return Server(backend)


@pytest.mark.parametrize(
    "name", ["processRemoteImage", "getTaskStatus", "listTasks", "listFinishedTasks", "deleteTask"]
)
def test_methods_are_found_in_any_case(name: str, server: Server) -> None:
    assert server.methods.find(name) is not None
    assert server.methods.find(name.upper()) == server.methods.find(name.lower()) == server.methods.find(name)


@pytest.mark.parametrize("name", ["", "process", "getTaskStatus ", "__init__", "find"])
def test_what_is_no_method_is_not_found(name: str, server: Server) -> None:
    assert server.methods.find(name) is None


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


@pytest.mark.parametrize("method", ["getTaskStatus", "listTasks", "listFinishedTasks", "deleteTask"])
def test_parameters_that_a_method_does_not_have_are_refused(method: str, server: Server) -> None:
    query = (
        {"taskId": server.task_in(S), "region": ""}
        if "Task" in method and "list" not in method
        else {"region": ""}
    )
    assert server.refusal(method, query) == "region: the method knows no such parameter."


@pytest.mark.parametrize("method", ["getTaskStatus", "deleteTask"])
@pytest.mark.parametrize(
    ("ocr_task_id", "reason"),
    [
        (None, "the parameter is missing"),
        ("", "the parameter is missing"),
        ("00000000-0000-0000-0000-000000000000", "there is no task '00000000-0000-0000-0000-000000000000'"),
        ("0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4", "there is no task"),
        ("' or 1=1 --", "there is no task"),
        ("%", "there is no task"),
        ("../../etc/passwd", "there is no task"),
        ("x" * 10_000, "there is no task"),
    ],
)
def test_a_task_id_that_names_no_task_is_refused(
    method: str, ocr_task_id: str | None, reason: str, server: Server
) -> None:
    server.task_in(C)
    refusal = server.refusal(method, {} if ocr_task_id is None else {"taskId": ocr_task_id})
    assert refusal.startswith(f"taskId: {reason}")
    assert len(refusal) < 200


@pytest.mark.parametrize("status", [S, Q, P, C, F, N])
def test_the_status_is_told_in_any_spelling_of_the_id(status: TaskStatus, server: Server) -> None:
    ocr_task_id = server.task_in(status)
    for spelling in (ocr_task_id, ocr_task_id.upper(), f" {ocr_task_id} "):
        (task,) = server.call("getTaskStatus", {"taskId": spelling})
        assert (task.id, task.status) == (ocr_task_id, status)


@pytest.mark.parametrize("status", list(WAYS))
def test_an_estimate_comes_with_queued_and_in_progress_and_urls_with_completed(
    status: TaskStatus, server: Server
) -> None:
    ocr_task_id = server.task_in(status, exportFormat="txt,xml")
    (task,) = (task for task in server.call("listTasks") if task.id == ocr_task_id)
    assert task.estimated_processing_time == (7 if status in (Q, P) else None)
    paths = [urlsplit(url).path for url in task.result_urls]
    assert paths == ([f"/results/{ocr_task_id}/{place}" for place in (1, 2)] if status is C else [])
    assert all(url.startswith("http://ocr.example/results/") for url in task.result_urls)


def test_an_application_sees_and_deletes_only_its_own_tasks(server: Server) -> None:
    mine, other = server.task_in(C, "me"), server.task_in(C, "other")
    for method in ("getTaskStatus", "deleteTask"):
        assert "there is no task" in server.refusal(method, {"taskId": other}, "me")
    for method in ("listTasks", "listFinishedTasks"):
        assert [task.id for task in server.call(method, application="me")] == [mine]
        assert server.call(method, application="stranger") == []
    (task,) = server.call("getTaskStatus", {"taskId": other}, "other")
    assert task.status == "Completed"


def set_changed(server: Server, ocr_task_id: str, time: pendulum.DateTime) -> None:
    with server.store._engine.begin() as connection:
        values = (int(time.timestamp() * 1000), ocr_task_id)
        connection.exec_driver_sql("update tasks set changed_ms = ? where id = ?", values)


def test_the_list_holds_what_changed_in_the_window_in_the_order_of_change(server: Server) -> None:
    noon = pendulum.datetime(2026, 11, 1, 12)
    tasks = [server.task_in(status) for status in (D, C, S, Q, F)]
    for task, second in zip(tasks, (20, 9, 11, 10, 21), strict=True):
        set_changed(server, task, noon.add(seconds=second))

    def listed(start: int, end: int, **query: str) -> list[int]:
        window = {
            "fromDate": render_time(noon.add(seconds=start)),
            "toDate": render_time(noon.add(seconds=end)),
        }
        return [tasks.index(task.id) for task in server.call("listTasks", {**window, **query})]

    assert listed(10, 20) == [3, 2, 0]
    assert listed(10, 20, excludeDeleted="TRUE") == [3, 2]
    assert listed(10, 20, excludeDeleted="false") == [3, 2, 0]
    assert listed(0, 60) == [1, 3, 2, 0, 4]
    assert listed(11, 11) == [2]
    assert listed(12, 19) == []


def test_the_window_is_the_last_seven_days_up_to_now_unless_told(server: Server) -> None:
    now = pendulum.now("UTC")
    old, recent = server.task_in(C), server.task_in(C)
    fresh = server.task_in(C)
    set_changed(server, old, now.subtract(days=7, minutes=1))
    set_changed(server, recent, now.subtract(days=7).add(minutes=1))
    assert [task.id for task in server.call("listTasks")] == [recent, fresh]
    earlier = {"toDate": render_time(now.subtract(days=1))}
    assert [task.id for task in server.call("listTasks", earlier)] == [old, recent]
    since = {"fromDate": render_time(now.subtract(days=8))}
    assert [task.id for task in server.call("listTasks", since)] == [old, recent, fresh]


def test_a_window_may_lie_anywhere_in_the_calendar(server: Server) -> None:
    task = server.task_in(C)
    window = {"fromDate": "1970-01-01T00:00:00Z", "toDate": "9999-12-31T23:59:59Z"}
    assert [found.id for found in server.call("listTasks", window)] == [task]
    assert server.call("listTasks", {"toDate": "1970-01-01T00:00:00Z"}) == []


@pytest.mark.parametrize("name", ["fromDate", "toDate"])
@pytest.mark.parametrize(
    "value",
    [
        *(
            "yesterday",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-01-01T25:00:00Z",
            "1795384800000000",
        ),
        *("P7D", "2026-01-01/2026-02-01", "0000-01-01T00:00:00Z", "0001-01-03T00:00:00Z", "x" * 5000),
        *(
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "10000-01-01T00:00:00Z",
            "2026-11-22T14:00:00%",
        ),
    ],
)
def test_a_bad_date_is_refused_by_name(name: str, value: str, server: Server) -> None:
    refusal = server.refusal("listTasks", {name: value})
    assert refusal.startswith(f"{name}: ")
    assert "is not a date such as" in refusal
    assert len(refusal) < 200


def test_a_window_that_begins_after_it_ends_is_refused(server: Server) -> None:
    window = {"fromDate": "2026-11-02T00:00:00Z", "toDate": "2026-11-01T00:00:00Z"}
    assert server.refusal("listTasks", window).startswith("fromDate: ")
    assert server.refusal("listTasks", {"fromDate": "2999-01-01T00:00:00Z"}).startswith("fromDate: ")


@pytest.mark.parametrize("value", ["yes", "1", " "])
def test_a_bad_switch_is_refused_by_name(value: str, server: Server) -> None:
    assert server.refusal("listTasks", {"excludeDeleted": value}).startswith("excludeDeleted: ")


def test_an_empty_switch_is_the_default(server: Server) -> None:
    deleted = server.task_in(D)
    assert [task.id for task in server.call("listTasks", {"excludeDeleted": ""})] == [deleted]


def test_finished_tasks_are_listed_in_the_order_in_which_they_ended(server: Server) -> None:
    ended = [server.task_in(status) for status in (F, N, C)]
    for status in (S, Q, P, D):
        server.task_in(status)
    for task, minutes in zip(ended, (3, 1, 2), strict=True):
        set_changed(server, task, pendulum.now("UTC").subtract(minutes=minutes))
    assert [task.id for task in server.call("listFinishedTasks")] == [ended[0], ended[2], ended[1]]


def test_the_lists_end_where_the_contract_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (methods_module.LIST_LIMIT, methods_module.FINISHED_LIMIT) == (1000, 100)
    monkeypatch.setattr(methods_module, "LIST_LIMIT", 3)
    monkeypatch.setattr(methods_module, "FINISHED_LIMIT", 2)
    tasks = [server.task_in(F) for _ in range(4)]
    for place, task in enumerate(tasks):
        set_changed(server, task, pendulum.now("UTC").subtract(minutes=9 - place))
    assert [task.id for task in server.call("listTasks")] == tasks[:3]
    assert [task.id for task in server.call("listFinishedTasks")] == tasks[:2]


@pytest.mark.parametrize("status", [S, Q, C, F, N, D])
def test_a_task_is_deleted_with_its_image_and_results_also_a_second_time(
    status: TaskStatus, server: Server, tmp_path: Path
) -> None:
    ocr_task_id = server.task_in(status)
    server.files.image(ocr_task_id).write_text("image")
    (server.files.new_work_folder(ocr_task_id) / "result1.txt").write_text("text")
    server.files.publish(ocr_task_id)
    for _ in range(2):
        (task,) = server.call("deleteTask", {"taskId": ocr_task_id})
        assert (task.id, task.status, task.result_urls) == (ocr_task_id, "Deleted", ())
        assert [path for path in tmp_path.rglob("*") if ocr_task_id in str(path)] == []
    stored = server.store.find(ocr_task_id)
    assert stored is not None
    assert stored.source is None
    assert (
        server.refusal("getTaskStatus", {"taskId": ocr_task_id})
        == f"taskId: the task {ocr_task_id} is deleted."
    )
    assert [task.status for task in server.call("listTasks")] == ["Deleted"]


def test_a_task_in_progress_is_not_deleted(server: Server) -> None:
    ocr_task_id = server.task_in(P)
    server.files.image(ocr_task_id).write_text("image")
    assert "is in progress" in server.refusal("deleteTask", {"taskId": ocr_task_id})
    assert server.files.image(ocr_task_id).exists()
    assert [task.status for task in server.call("listTasks")] == ["InProgress"]
