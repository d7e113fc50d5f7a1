# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire is the contract's to the letter, however it is asked for; the log has no secret."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import requests
import uvicorn

from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.accounts import Accounts
from airflow_provider_ocr.server.app import create_app
from airflow_provider_ocr.server.methods import ApiMethods
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.store import Store, StoredTask, encode_quality
from airflow_provider_ocr.server.tasks import Move

LOOPBACK = "127.0.0.1"
AUTH = ("my app", "pass:word")
OTHER = ("other", "secret")
SOURCE = "https://example.com/scan.png?signature=canary-source"
TEXT = "\ufeffDear reader,\nthis is a result.\n" * 100
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

Q, P, C = TaskStatus.QUEUED, TaskStatus.IN_PROGRESS, TaskStatus.COMPLETED


class Workforce:
    """Takes tasks and does nothing with them."""

    def accept(self, task: StoredTask) -> None:
        """Leave the task Submitted."""

    def seconds_until_done(self) -> int:
        return 7


class Site:
    """The application behind a real HTTP server, and what lies behind it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.url = url
        self.store = Store.in_folder(folder)
        self.files = ResultFiles(folder)
        self.methods = ApiMethods(
            store=self.store,
            files=self.files,
            workforce=Workforce(),
            tessdata=gather_tessdata(folder / "tessdata"),
        )

    def get(self, path: str, /, auth: tuple[str, str] | None = AUTH, **query: str) -> requests.Response:
        return requests.get(f"{self.url}/{path}", params=query, auth=auth, timeout=10)

    def submit(self, **query: str) -> str:
        """The ID of a new task."""
        answer = self.get("processRemoteImage", AUTH, **{"source": SOURCE, "exportFormat": "txt", **query})
        assert answer.status_code == 200, answer.text
        (ocr_task_id,) = re.findall(f'<task id="({GUID})"', answer.text)
        return str(ocr_task_id)

    def complete(self, **query: str) -> str:
        """The ID of a task that is completed, its results TEXT in every format."""
        ocr_task_id = self.submit(**query)
        work = self.files.new_work_folder(ocr_task_id)
        for place, name in enumerate(query.get("exportFormat", "txt").split(","), start=1):
            extension = ExportFormat(name).file_type.extension
            (work / f"result{place}.{extension}").write_text(TEXT, encoding="utf-8")
        self.files.publish(ocr_task_id)
        for origin, target in ((TaskStatus.SUBMITTED, Q), (Q, P)):
            self.store.move(ocr_task_id, Move(origin, target))
        quality = encode_quality({"X-Ocr-Pages": "3"})
        self.store.move(ocr_task_id, Move(P, C), credits=15, quality=quality)
        return ocr_task_id

    def result_urls(self, ocr_task_id: str) -> list[str]:
        return result_urls(self.get("getTaskStatus", taskId=ocr_task_id).text)


def result_urls(body: str) -> list[str]:
    task = ET.fromstring(body)[0]
    return [value for name, value in task.attrib.items() if name.startswith("resultUrl")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The application, served on the loopback address."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        site = Site(tmp_path_factory.mktemp("data"), f"http://{LOOPBACK}:{listener.getsockname()[1]}")
        accounts = Accounts(dict([AUTH, OTHER]))
        app = create_app(accounts=accounts, methods=site.methods, store=site.store, files=site.files)
        server = uvicorn.Server(
            # As run_server has it: uvicorn's own access log would print queries.
            uvicorn.Config(app, access_log=False, log_config=None, log_level="warning")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield site
        server.should_exit = True
        thread.join()
    site.store.close()


def check_error(answer: requests.Response, status: int, *said: str) -> None:
    """The answer is an error document in the form that clients of all languages read."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.text.startswith(f'{DECLARATION}<error><message language="english">')
    assert answer.text.endswith("</message></error>")
    assert "\n" not in answer.text
    message = ET.fromstring(answer.content)[0].text or ""
    for words in said or (" ",):
        assert words in message


def test_the_server_says_that_it_lives_to_anyone(site: Site) -> None:
    assert site.get("health", auth=None).text == "ok\n"


def test_the_first_answer_is_submitted_and_is_to_the_letter(site: Site) -> None:
    answer = site.get("processRemoteImage", source=SOURCE, exportFormat="txt")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert re.fullmatch(
        re.escape(DECLARATION)
        + f'<response><task id="{GUID}" registrationTime="({TIME})" statusChangeTime="({TIME})" '
        'status="Submitted" filesCount="1" credits="0" ?/></response>',
        answer.content.decode("ascii"),
    )


@pytest.mark.parametrize("moves", [[Q], [Q, P]])
def test_a_running_task_tells_an_estimate_in_its_place(moves: list[TaskStatus], site: Site) -> None:
    ocr_task_id, origin = site.submit(description="d"), TaskStatus.SUBMITTED
    for target in moves:
        site.store.move(ocr_task_id, Move(origin, target))
        origin = target
    body = site.get("getTaskStatus", taskId=ocr_task_id).text
    assert re.search(
        f'status="{origin}" filesCount="1" credits="0" estimatedProcessingTime="7" description="d" ?/>', body
    )


def test_a_completed_task_tells_its_results_one_after_the_other_in_the_order_asked(site: Site) -> None:
    ocr_task_id = site.complete(exportFormat="pdfSearchable,txt,xml", description='a & <b> "c"\u00e4')
    body = site.get("getTaskStatus", taskId=ocr_task_id).text
    url = f"{re.escape(site.url)}/results/{ocr_task_id}"
    query = r"\?expires=\d+&amp;signature=[0-9a-f]{64}"
    assert re.fullmatch(
        re.escape(DECLARATION)
        + f'<response><task id="{ocr_task_id}" registrationTime="{TIME}" statusChangeTime="{TIME}" '
        f'status="Completed" filesCount="1" credits="15" resultUrl="{url}/1{query}" '
        f'resultUrl2="{url}/2{query}" resultUrl3="{url}/3{query}" '
        'description="a &amp; &lt;b&gt; &quot;c&quot;\u00e4" ?/></response>',
        body,
    )


def test_a_failed_task_tells_why_after_its_status(site: Site) -> None:
    ocr_task_id = site.submit()
    failed = Move(TaskStatus.SUBMITTED, TaskStatus.PROCESSING_FAILED)
    site.store.move(ocr_task_id, failed, error="No <image> & no text\x00.")
    body = site.get("getTaskStatus", taskId=ocr_task_id).text
    assert 'status="ProcessingFailed" error="No &lt;image&gt; &amp; no text\ufffd." filesCount="1"' in body


def test_a_list_is_one_line_with_its_tasks_and_without_any_it_is_still_a_document(site: Site) -> None:
    ids = [site.submit(), site.submit()]
    body = site.get("listTasks").text
    assert "\n" not in body
    assert [
        ocr_task_id for ocr_task_id in re.findall(f'<task id="({GUID})"', body) if ocr_task_id in ids
    ] == sorted(ids, key=body.index)
    assert site.get("listTasks", auth=OTHER).text in (
        f"{DECLARATION}<response />",
        f"{DECLARATION}<response/>",
    )


def test_a_small_answer_has_its_length_and_comes_in_one_piece(site: Site) -> None:
    answer = site.get("listFinishedTasks")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert "Content-Encoding" not in answer.headers
    assert "Transfer-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "path", ["processRemoteImage", "PROCESSREMOTEIMAGE", "processremoteimage", "%70rocessRemoteImage"]
)
@pytest.mark.parametrize(
    "query",
    [
        "source=http://h/x&exportFormat=txt&xml:writeRecognitionVariants=false",
        "SOURCE=http://h/x&exportformat=TXT&XML%3AwriteRecognitionVariants=FALSE",
        "Source=http%3A%2F%2Fh%2Fx&EXPORTFORMAT=Txt,pdfsearchable&xml%3awriterecognitionvariants=False",
        "source=http://h/x&exportFormat=txt%2Cxml&Language=english,german&pdf:writeTags=DONTWRITE",
    ],
)
@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_names_and_values_are_taken_in_any_case_and_spelling_by_get_and_post(
    verb: str, path: str, query: str, site: Site
) -> None:
    answer = requests.request(verb, f"{site.url}/{path}?{query}", auth=AUTH, timeout=10)
    assert answer.status_code == 200, answer.text
    assert 'status="Submitted"' in answer.text


def test_the_body_of_a_post_is_not_looked_at(site: Site) -> None:
    answer = requests.post(
        f"{site.url}/getTaskStatus?taskId={site.submit()}", auth=AUTH, data={"taskId": "x"}, timeout=10
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("processRemoteImage", "exportFormat=txt", "source"),
        ("processRemoteImage", "source=http://h/x", "exportFormat"),
        ("processRemoteImage", "source=http://h/x&exportFormat=txt&region=", "region"),
        ("processRemoteImage", "source=http://h/x&exportFormat=txt&exportFormat=txt", "exportFormat"),
        ("processRemoteImage", "source=http://h/x&exportFormat=txt&SOURCE=http://h/y", "SOURCE"),
        ("processRemoteImage", "source=http://h/x&exportFormat=txt&description=a%00b", "description"),
        ("processRemoteImage", "source=http://h/x?a=1&b=2&exportFormat=txt", "b:"),
        (
            "processRemoteImage",
            "source=http://h/x&exportFormat=txt&xml%3AwriteRecognitionVariants=true",
            "xml:write",
        ),
        ("getTaskStatus", "", "taskId"),
        ("getTaskStatus", "taskId=00000000-0000-0000-0000-000000000000", "taskId"),
        ("getTaskStatus", "taskId=%00%ff%3Cx%3E", "taskId"),
        ("getTaskStatus", "taskId=a&taskid=a", "taskid"),
        ("deleteTask", "", "taskId"),
        ("listTasks", "fromDate=never", "fromDate"),
        ("listTasks", "toDate=0001-01-02T00:00:00Z", "toDate"),
        ("listFinishedTasks", "x=1", "x"),
    ],
)
def test_a_bad_request_is_a_450_that_names_the_parameter(
    path: str, query: str, said: str, site: Site
) -> None:
    check_error(requests.get(f"{site.url}/{path}?{query}", auth=AUTH, timeout=10), 450, said)


def test_a_deleted_task_is_unknown_to_gettaskstatus_and_may_be_deleted_again(site: Site) -> None:
    ocr_task_id = site.complete()
    (url,) = site.result_urls(ocr_task_id)
    for _ in range(2):
        assert 'status="Deleted"' in site.get("deleteTask", taskId=ocr_task_id).text
        check_error(site.get("getTaskStatus", taskId=ocr_task_id), 450, ocr_task_id, "deleted")
    check_error(requests.get(url, timeout=10), 404)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic", "Basic bm9ib2R5OnBhc3M=", "Basic \u00e9\u00e8", "Bearer x", "Basic bXkgYXBwOnBhc3M="],
)
@pytest.mark.parametrize("path", ["listTasks", "processRemoteImage", "DELETETASK"])
def test_without_the_password_the_answer_is_401(path: str, authorization: str | None, site: Site) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    answer = requests.get(f"{site.url}/{path}", headers=headers, timeout=10)
    check_error(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Cloud OCR"'


@pytest.mark.parametrize(
    "path", ["", "processImage", "getTaskStatus/x", "a/b/c", "%3Cx%3E", "results", "favicon.ico"]
)
def test_an_unknown_path_is_404_with_and_without_credentials(path: str, site: Site) -> None:
    check_error(site.get(path), 404)
    check_error(site.get(path, auth=None), 404)


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        *((verb, "processRemoteImage", "GET, HEAD, POST") for verb in ("PUT", "DELETE", "PATCH", "OPTIONS")),
        ("POST", "results/x/1", "GET, HEAD"),
        ("DELETE", "health", "GET, HEAD"),
    ],
)
def test_other_verbs_are_405_and_are_told_which_are_not(
    verb: str, path: str, allowed: str, site: Site
) -> None:
    answer = requests.request(verb, f"{site.url}/{path}", auth=AUTH, timeout=10)
    check_error(answer, 405, "This path takes only")
    assert sorted(answer.headers["Allow"].split(", ")) == allowed.split(", ")


def test_an_internal_error_is_a_550_that_says_nothing_and_a_log_that_shows_no_source(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with site.store._engine.begin() as connection:
        connection.exec_driver_sql("alter table tasks rename to away")
    try:
        answer = site.get(
            "processRemoteImage", source=SOURCE, exportFormat="txt", description="canary-description"
        )
    finally:
        with site.store._engine.begin() as connection:
            connection.exec_driver_sql("alter table away rename to tasks")
    check_error(answer, 550, "Internal error")
    assert "no such table" in caplog.text
    assert "canary" not in caplog.text


def test_a_result_needs_no_credentials_and_has_type_length_and_quality(site: Site) -> None:
    urls = site.result_urls(site.complete(exportFormat="txt,pdfSearchable,xml"))
    answers = [requests.get(url, timeout=10) for url in urls]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    types = ["text/plain; charset=utf-8", "application/pdf", "text/xml; charset=utf-8"]
    assert [answer.headers["Content-Type"] for answer in answers] == types
    for answer in answers:
        assert answer.content.decode() == TEXT
        assert int(answer.headers["Content-Length"]) == len(TEXT.encode())
        assert answer.headers["X-Ocr-Pages"] == "3"
        assert "Last-Modified" in answer.headers


def test_a_result_is_never_compressed(site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    with requests.get(
        url, headers={"Accept-Encoding": "gzip, deflate, br"}, stream=True, timeout=10
    ) as answer:
        assert "Content-Encoding" not in answer.headers
        assert answer.raw.read(decode_content=False).decode() == TEXT


def test_the_head_of_a_result_is_that_of_its_get_without_a_body(site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    head, get = requests.head(url, timeout=10), requests.get(url, timeout=10)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("Content-Length", "Content-Type", "Last-Modified", "ETag", "X-Ocr-Pages"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-5", 5, 5)],
)
def test_a_range_of_a_result_is_sent(asked: str, first: int, last: int | None, site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    answer = requests.get(url, headers={"Range": asked}, timeout=10)
    whole = TEXT.encode()
    assert answer.status_code == 206
    assert answer.content == (whole[first:] if last is None else whole[first : last + 1])
    start = first % len(whole)
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(answer.content) - 1}/{len(whole)}"


def test_a_range_behind_the_end_is_416(site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    assert requests.get(url, headers={"Range": "bytes=999999-"}, timeout=10).status_code == 416


def test_a_url_opens_its_own_result_only_and_only_as_it_was_given(site: Site) -> None:
    ocr_task_id, other = site.complete(exportFormat="txt,xml"), site.complete()
    url, _ = site.result_urls(ocr_task_id)
    assert requests.get(url, timeout=10).status_code == 200
    query = url.partition("?")[2]
    expires = re.findall(r"expires=(\d+)", url)[0]
    tampered = [
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/2"),
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/0"),
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/x"),
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/{'1' * 5000}"),
        url.replace(ocr_task_id, other),
        url.replace(ocr_task_id, ocr_task_id.upper()),
        url.replace(expires, str(int(expires) + 1)),
        url.replace(expires, "1" * 5000),
        url.replace(expires, ""),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url[:-1],
        url.replace("signature=", "signature=%C3%A9"),
        url.partition("?")[0],
        url.partition("&")[0],
        f"{url}&{query.replace(expires, '1')}",
    ]
    for changed in tampered:
        check_error(requests.get(changed, timeout=10), 403, "not valid")
    check_error(requests.get(url.replace("/1?", "/1/../2?"), timeout=10), 403)


def test_an_expired_url_is_403_and_gettaskstatus_gives_a_fresh_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocr_task_id = site.complete()
    with monkeypatch.context() as patch:
        patch.setattr("airflow_provider_ocr.server.results.URL_LIFETIME_HOURS", -1)
        (expired,) = site.result_urls(ocr_task_id)
    check_error(requests.get(expired, timeout=10), 403, "expired", "getTaskStatus")
    (fresh,) = site.result_urls(ocr_task_id)
    assert requests.get(fresh, timeout=10).status_code == 200


def test_result_urls_begin_as_the_caller_reached_the_server(site: Site) -> None:
    ocr_task_id = site.complete()
    headers = {"Host": "ocr.example:8443"}
    answer = requests.get(
        f"{site.url}/getTaskStatus?taskId={ocr_task_id}", auth=AUTH, headers=headers, timeout=10
    )
    (url,) = result_urls(answer.text)
    assert url.startswith(f"http://ocr.example:8443/results/{ocr_task_id}/1?")


def test_a_request_without_a_host_is_answered(site: Site) -> None:
    address = site.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=10) as connection:
        connection.sendall(b"GET /listTasks HTTP/1.0\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 401 ")
    assert b'<error><message language="english">' in received


def test_the_log_has_a_line_for_each_request_and_no_query_in_it(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ocr_task_id = site.complete(description="canary-description")
    (url,) = site.result_urls(ocr_task_id)
    signature = url.partition("signature=")[2]
    caplog.clear()
    requests.get(url, timeout=10)
    site.get("listTasks", auth=("my app", "canary-password"))
    site.get("getTaskStatus", taskId="canary-task")
    site.get("nothing\nhere", canary="canary-value")
    site.get(f"results/{ocr_task_id}/1", expires="1", signature="canary-signature")
    deadline = time.monotonic() + 5

    def lines() -> list[str]:
        # Without the time that each took.
        logged = [
            record.getMessage() for record in caplog.records if record.name == "cloud_ocr_server.access"
        ]
        return [re.sub(r" \d+ ms ", " ", line) for line in logged]

    while len(lines()) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [line.rpartition(" ")[0] for line in lines()] == [
        f"GET /results/{ocr_task_id}/1 200 -",
        "GET /listTasks 401 -",
        "GET /getTaskStatus 450 my app",
        "GET /nothing\\nhere 404 -",
        f"GET /results/{ocr_task_id}/1 403 -",
    ]
    # The test's own client is in this process too, and its log is not the server's.
    told = "\n".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")
    )
    assert "canary" not in told
    assert signature not in told
