# SPDX-License-Identifier: Apache-2.0
"""One Python method for each method of the API: its path, its query, its answer, its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.transport import Timeouts
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.messages import render_application_info
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

ID = "c3187247-7e81-4d12-8767-bc886c1ab878"
SETTINGS = ProcessingSettings.parse(language="German", export_format="txt,pdfSearchable", correct_skew=False)
SENT = {"language": "German", "exportFormat": "txt,pdfSearchable", "correctSkew": "false"}
IMAGE = b"\x89PNG & more"
FROM = pendulum.datetime(2026, 11, 22, 15, 44, 23, tz="Europe/Berlin")
TO = pendulum.datetime(2026, 11, 23)


@pytest.mark.parametrize(
    ("method", "call", "query"),
    [
        (
            "processRemoteImage",
            lambda client: client.process_remote_image("https://a.example/b?c=d&e", SETTINGS),
            {"source": "https://a.example/b?c=d&e", **SENT},
        ),
        ("processDocument", lambda client: client.process_document(ID, SETTINGS), {"taskId": ID, **SENT}),
        ("getTaskStatus", lambda client: client.get_task_status(ID), {"taskId": ID}),
        ("deleteTask", lambda client: client.delete_task(ID), {"taskId": ID}),
    ],
)
def test_a_method_about_one_task_asks_by_its_path_and_query_and_gives_the_task(
    *,
    server: ScriptedServer,
    client: CloudOcrClient,
    tasks_body: Callable[..., bytes],
    method: str,
    call: Callable[[CloudOcrClient], OcrTask],
    query: dict[str, str],
) -> None:
    server.reply(method, tasks_body(id=ID, status="Queued"))
    assert call(client) == OcrTask(id=ID, status="Queued")
    assert [(received.path, received.query) for received in server.received] == [(method, query)]


@pytest.mark.parametrize(
    ("method", "call", "query"),
    [
        ("processImage", lambda client: client.process_image(IMAGE, SETTINGS), SENT),
        ("submitImage", lambda client: client.submit_image(IMAGE), {}),
        ("submitImage", lambda client: client.submit_image(IMAGE, ID), {"taskId": ID}),
        ("submitImage", lambda client: client.submit_image(IMAGE, pdf_password=""), {}),
        (
            "submitImage",
            lambda client: client.submit_image(IMAGE, ID, pdf_password="let me in"),
            {"taskId": ID, "pdfPassword": "let me in"},
        ),
    ],
)
def test_an_image_is_the_body_of_a_post(
    *,
    server: ScriptedServer,
    client: CloudOcrClient,
    tasks_body: Callable[..., bytes],
    method: str,
    call: Callable[[CloudOcrClient], OcrTask],
    query: dict[str, str],
) -> None:
    server.reply(method, tasks_body(id=ID, status="Queued"))
    assert call(client) == OcrTask(id=ID, status="Queued")
    (received,) = server.received
    assert (received.verb, received.path, received.query) == ("POST", method, query)
    assert (received.body, received.headers["Content-Type"]) == (IMAGE, "application/octet-stream")


def test_the_application_is_asked_for_and_told(server: ScriptedServer, client: CloudOcrClient) -> None:
    told = ApplicationInfo(id=ID, name="my app", pages=99, fields=495, type="Normal")
    server.reply("getApplicationInfo", status=503)
    server.reply("getApplicationInfo", render_application_info(told))
    assert client.get_application_info() == told
    assert len(server.received) == 2


def test_an_application_that_may_not_be_told_says_so(server: ScriptedServer, client: CloudOcrClient) -> None:
    server.refuse("getApplicationInfo", 403, "Not enabled.")
    with pytest.raises(errors.NotEnabledError, match="Not enabled"):
        client.get_application_info()


@pytest.mark.parametrize(
    ("method", "call", "query"),
    [
        ("listTasks", lambda client: client.list_tasks(), {}),
        (
            "listTasks",
            lambda client: client.list_tasks(from_date=FROM, to_date=TO, exclude_deleted=True),
            {"fromDate": "2026-11-22T14:44:23Z", "toDate": "2026-11-23T00:00:00Z", "excludeDeleted": "true"},
        ),
        ("listTasks", lambda client: client.list_tasks(to_date=TO), {"toDate": "2026-11-23T00:00:00Z"}),
        ("listFinishedTasks", lambda client: client.list_finished_tasks(), {}),
    ],
)
def test_a_list_asks_by_its_path_and_query_and_gives_its_tasks(
    server: ScriptedServer,
    client: CloudOcrClient,
    method: str,
    call: Callable[[CloudOcrClient], list[OcrTask]],
    query: dict[str, str],
) -> None:
    server.reply(
        method, b'<response><task id="b" status="Queued"/><task id="a" status="Deleted"/></response>'
    )
    assert [task.id for task in call(client)] == ["b", "a"]
    assert [(received.path, received.query) for received in server.received] == [(method, query)]


def test_an_empty_list_is_an_empty_list(server: ScriptedServer, client: CloudOcrClient) -> None:
    server.reply("listTasks", b"<response/>")
    assert client.list_tasks() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.process_remote_image("", SETTINGS),
        lambda client: client.get_task_status(""),
        lambda client: client.get_task_status("00000000-0000-0000-0000-000000000000"),
        lambda client: client.delete_task("00000000-0000-0000-0000-000000000000"),
        lambda client: client.process_document("00000000-0000-0000-0000-000000000000", SETTINGS),
        lambda client: client.process_image(b"", SETTINGS),
        lambda client: client.submit_image(b""),
        lambda client: client.submit_image(IMAGE, ""),
        lambda client: client.submit_image(IMAGE, "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_what_denotes_nothing_is_refused_before_anything_is_sent(
    server: ScriptedServer, client: CloudOcrClient, call: Callable[[CloudOcrClient], Any]
) -> None:
    with pytest.raises(errors.InvalidParameterError):
        call(client)
    assert server.received == []


@pytest.mark.parametrize("body", [b"<response/>", b'<response><task id="a"/><task id="b"/></response>'])
def test_anything_but_one_task_is_unreadable_where_one_is_due(
    server: ScriptedServer, client: CloudOcrClient, body: bytes
) -> None:
    server.reply("getTaskStatus", body)
    with pytest.raises(errors.UnreadableAnswerError, match="one was expected") as caught:
        client.get_task_status(ID)
    assert caught.value.ocr_task_id == ID


@pytest.mark.parametrize(
    "path", ["processRemoteImage", "processImage", "submitImage", "processDocument", "deleteTask"]
)
@pytest.mark.parametrize("trouble", [{"cut": 0}, {"status": 503}, {"status": 429}, {"stall": 3.0}])
def test_what_changes_something_is_sent_once(
    server: ScriptedServer, client: CloudOcrClient, path: str, trouble: dict[str, Any]
) -> None:
    calls: dict[str, Callable[[], OcrTask]] = {
        "processRemoteImage": lambda: client.process_remote_image("https://a.example/b", SETTINGS),
        "processImage": lambda: client.process_image(IMAGE, SETTINGS),
        "submitImage": lambda: client.submit_image(IMAGE, ID),
        "processDocument": lambda: client.process_document(ID, SETTINGS),
        "deleteTask": lambda: client.delete_task(ID),
    }
    server.reply(path, **trouble)
    with pytest.raises((errors.ConnectionFailedError, errors.ServerError)):
        calls[path]()
    assert len(server.received) == 1


@pytest.mark.parametrize("words", ["There is no such task.", "taskId is unknown", ""])
def test_450_for_a_tasks_status_means_that_it_is_gone(
    server: ScriptedServer, client: CloudOcrClient, words: str
) -> None:
    server.refuse("getTaskStatus", 450, words)
    with pytest.raises(errors.TaskDeletedError) as caught:
        client.get_task_status(ID)
    assert caught.value.ocr_task_id == ID
    assert ID in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("status", [404, 408, 413])
def test_another_refusal_of_a_tasks_status_does_not_mean_that_it_is_gone(
    server: ScriptedServer, client: CloudOcrClient, status: int
) -> None:
    server.reply("getTaskStatus", b"<html>not the service</html>", status=status)
    with pytest.raises(errors.RequestRejectedError) as caught:
        client.get_task_status(ID)
    assert caught.value.ocr_task_id == ID


REFUSED: dict[str, Callable[[CloudOcrClient], OcrTask]] = {
    "processDocument": lambda client: client.process_document(ID, SETTINGS),
    "deleteTask": lambda client: client.delete_task(ID),
}


@pytest.mark.parametrize("method", REFUSED)
@pytest.mark.parametrize("state", ["unknown", "Deleted"])
def test_450_for_a_change_of_a_task_that_is_gone_says_so(
    server: ScriptedServer,
    client: CloudOcrClient,
    tasks_body: Callable[..., bytes],
    method: str,
    state: str,
) -> None:
    server.refuse(method, 450, "No such thing.")
    if state == "unknown":
        server.refuse("getTaskStatus", 450, "There is no such task.")
    else:
        server.reply("getTaskStatus", tasks_body(id=ID, status=state))
    with pytest.raises(errors.TaskDeletedError, match="No such thing") as caught:
        REFUSED[method](client)
    assert caught.value.ocr_task_id == ID
    assert len(server.asked(method)) == 1


@pytest.mark.parametrize("method", REFUSED)
@pytest.mark.parametrize("status", [200, 401, 404])
def test_450_for_a_change_of_a_task_that_is_there_stays_what_it_is(
    server: ScriptedServer,
    client: CloudOcrClient,
    tasks_body: Callable[..., bytes],
    method: str,
    status: int,
) -> None:
    server.refuse(method, 450, "Not now.")
    server.reply("getTaskStatus", tasks_body(id=ID, status="InProgress"), status=status)
    with pytest.raises(errors.RequestRejectedError, match="Not now") as caught:
        REFUSED[method](client)
    assert caught.value.ocr_task_id == ID


@pytest.mark.parametrize("method", ["getTaskStatus", "submitImage", "processDocument", "deleteTask"])
def test_every_error_about_a_task_names_it(
    server: ScriptedServer, client: CloudOcrClient, method: str
) -> None:
    server.refuse(method, 401, "Who are you?")
    calls: dict[str, Callable[[], OcrTask]] = {
        "getTaskStatus": lambda: client.get_task_status(ID),
        "submitImage": lambda: client.submit_image(IMAGE, ID),
        "processDocument": lambda: client.process_document(ID, SETTINGS),
        "deleteTask": lambda: client.delete_task(ID),
    }
    with pytest.raises(errors.AuthenticationError) as caught:
        calls[method]()
    assert caught.value.ocr_task_id == ID


@pytest.mark.parametrize("method", ["processRemoteImage", "processImage", "submitImage", "processDocument"])
@pytest.mark.parametrize("key", [None, "run 7/page 3", "x" * 255])
def test_an_idempotency_key_is_sent_with_what_starts_something(
    *,
    server: ScriptedServer,
    client: CloudOcrClient,
    tasks_body: Callable[..., bytes],
    method: str,
    key: str | None,
) -> None:
    server.reply(method, tasks_body(id=ID, status="Queued"))
    _STARTING[method](client, key)
    assert server.received[0].headers["Idempotency-Key"] == key


@pytest.mark.parametrize("key", ["", "x" * 256, "a\r\nb: c", "Schl\u00fcssel", " a", "a\x7f"])
@pytest.mark.parametrize("method", ["processRemoteImage", "processImage", "submitImage", "processDocument"])
def test_an_idempotency_key_that_no_header_can_hold_is_refused_before_anything_is_sent(
    server: ScriptedServer, client: CloudOcrClient, method: str, key: str
) -> None:
    with pytest.raises(errors.InvalidParameterError, match="Idempotency-Key: it takes 1 to 255"):
        _STARTING[method](client, key)
    assert server.received == []


_STARTING: dict[str, Callable[[CloudOcrClient, str | None], OcrTask]] = {
    "processRemoteImage": lambda client, key: client.process_remote_image(
        "https://a.example/b", SETTINGS, idempotency_key=key
    ),
    "processImage": lambda client, key: client.process_image(IMAGE, SETTINGS, idempotency_key=key),
    "submitImage": lambda client, key: client.submit_image(IMAGE, idempotency_key=key),
    "processDocument": lambda client, key: client.process_document(ID, SETTINGS, idempotency_key=key),
}


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("getTaskStatus", lambda client: client.get_task_status(ID)),
        ("submitImage", lambda client: client.submit_image(IMAGE, ID)),
        ("processDocument", lambda client: client.process_document(ID, SETTINGS)),
        ("deleteTask", lambda client: client.delete_task(ID)),
    ],
)
@pytest.mark.parametrize("trouble", [{"cut": 0}, {"body": b"<html/>"}, {"status": 407}, {"status": 302}])
def test_the_task_is_named_on_what_goes_wrong_on_the_way_and_in_the_answer(
    *,
    server: ScriptedServer,
    method: str,
    call: Callable[[CloudOcrClient], OcrTask],
    trouble: dict[str, Any],
) -> None:
    server.reply(method, **trouble)
    with (
        CloudOcrClient(base_url=server.url, application_id="a", password="b", read_attempts=1) as client,
        pytest.raises(errors.OcrError) as caught,
    ):
        call(client)
    assert caught.value.ocr_task_id == ID
    assert method in str(caught.value)


def test_a_new_task_is_named_when_another_one_came_with_it(
    server: ScriptedServer, client: CloudOcrClient
) -> None:
    server.reply("processRemoteImage", b'<response><task id="a"/><task id="b"/></response>')
    with pytest.raises(errors.UnreadableAnswerError) as caught:
        client.process_remote_image("https://a.example/b", SETTINGS)
    assert caught.value.ocr_task_id == "a"


def test_a_lost_answer_names_the_task_whose_id_came_through(
    server: ScriptedServer, client: CloudOcrClient, tasks_body: Callable[..., bytes]
) -> None:
    server.reply("processRemoteImage", tasks_body(id=ID, status="Submitted", files_count=1), cut=120)
    with pytest.raises(errors.ConnectionFailedError) as caught:
        client.process_remote_image("https://a.example/b", SETTINGS)
    assert caught.value.ocr_task_id == ID


_WHOLE = f'<?xml version="1.0"?><response><task id="{ID}" status="Submitted"/></response>'.encode()


@pytest.mark.parametrize(
    "reply",
    [
        {"body": _WHOLE[:-30]},
        {"body": _WHOLE + b"<html>and what a proxy adds"},
        {"body": _WHOLE.replace(b"Submitted", b"Subm\xfftted")},
        {"body": _WHOLE + bytes(16 * 2**20)},
        {"body": _WHOLE, "status": 502},
        {"body": _WHOLE, "status": 202},
        {"body": _WHOLE, "status": 403},
        {"body": _WHOLE, "headers": {"Content-Encoding": "gzip, gzip"}},
    ],
    ids=["truncated", "junk behind", "no UTF-8", "too long", "502", "202", "403", "packed"],
)
@pytest.mark.parametrize("method", ["processRemoteImage", "processImage", "submitImage"])
def test_an_answer_that_cannot_be_used_names_the_task_that_stands_in_it(
    server: ScriptedServer, client: CloudOcrClient, method: str, reply: dict[str, Any]
) -> None:
    server.reply(method, **reply)
    with pytest.raises(errors.OcrError) as caught:
        _STARTING[method](client, None)
    # What is packed in a way that nobody asked for is not looked into.
    assert caught.value.ocr_task_id == (None if "headers" in reply else ID)
    assert len(server.received) == 1


@pytest.mark.parametrize("reply", [{"body": _WHOLE[:-30]}, {"body": _WHOLE, "status": 503}])
def test_a_list_that_cannot_be_read_is_not_about_its_first_task(
    server: ScriptedServer, reply: dict[str, Any]
) -> None:
    server.reply("listTasks", **reply)
    with (
        CloudOcrClient(base_url=server.url, application_id="a", password="b", read_attempts=1) as client,
        pytest.raises(errors.OcrError) as caught,
    ):
        client.list_tasks()
    assert caught.value.ocr_task_id is None


@pytest.mark.parametrize("ocr_task_id", [None, ID])
def test_a_download_that_fails_names_its_task_where_it_is_told(
    server: ScriptedServer, client: CloudOcrClient, ocr_task_id: str | None
) -> None:
    server.reply("files/a1.result", status=403)
    with pytest.raises(errors.ResultUnavailableError) as caught:
        list(client.download_result(f"{server.url}/files/a1.result", ocr_task_id=ocr_task_id))
    assert caught.value.ocr_task_id == ocr_task_id


def test_a_result_is_streamed_without_credentials(server: ScriptedServer, client: CloudOcrClient) -> None:
    server.reply("files/a1.result", b"text")
    assert b"".join(client.download_result(f"{server.url}/files/a1.result?sig=x")) == b"text"
    assert server.received[0].headers["Authorization"] is None


def test_a_client_tells_its_server_and_its_timeouts() -> None:
    timeouts = Timeouts(connect=1.0, read=2.0)
    with CloudOcrClient(
        base_url="https://ocr.example/", application_id="a", password="b", timeouts=timeouts
    ) as client:
        assert (client.base_url, client.timeouts) == ("https://ocr.example", timeouts)


def test_without_timeouts_there_are_some() -> None:
    with CloudOcrClient(base_url="https://ocr.example", application_id="a", password="b") as client:
        assert client.timeouts == Timeouts(connect=10.0, read=20.0)


def test_403_with_a_web_page_comes_from_what_stands_before_the_service(
    server: ScriptedServer, client: CloudOcrClient
) -> None:
    server.reply("getApplicationInfo", b"<html><title>Blocked</title></html>", status=403)
    with pytest.raises(errors.ForbiddenByGatewayError, match="Blocked"):
        client.get_application_info()
