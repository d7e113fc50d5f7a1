# SPDX-License-Identifier: Apache-2.0
"""What goes over the wire is the contract's to the letter, however it is asked for; the log has no secret."""

from __future__ import annotations

import logging
import re
import socket
import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import requests

from airflow_provider_ocr.protocol.vocabulary import TaskStatus

if TYPE_CHECKING:
    from tests.unit.server.conftest import Site

GUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
AUTH = ("my app", "pass:word")
SOURCE = "https://example.com/scan.png?signature=canary-source"


def test_the_server_says_that_it_lives_to_anyone(site: Site) -> None:
    assert site.get("health", application=None).text == "ok\n"


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


@pytest.mark.parametrize("status", [TaskStatus.QUEUED, TaskStatus.IN_PROGRESS])
def test_a_running_task_tells_an_estimate_in_its_place(status: TaskStatus, site: Site) -> None:
    ocr_task_id = site.submit(description="d")
    site.backend.tasks.bring(ocr_task_id, status)
    body = site.get("getTaskStatus", taskId=ocr_task_id).text
    assert re.search(
        f'status="{status}" filesCount="1" credits="5" estimatedProcessingTime="7" description="d" ?/>', body
    )
    if status is TaskStatus.QUEUED:
        site.get("deleteTask", taskId=ocr_task_id)


def test_a_completed_task_tells_its_results_one_after_the_other_in_the_order_asked(site: Site) -> None:
    ocr_task_id = site.complete(exportFormat="pdfSearchable,txt,xml", description='a & <b> "c"\u00e4')
    body = site.get("getTaskStatus", taskId=ocr_task_id).text
    url = f"{re.escape(site.url)}/results/{ocr_task_id}"
    query = r"\?run=run-1&amp;expires=\d+&amp;signature=[0-9a-f]{64}"
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
    work = site.backend.tasks.work
    task = work.claim_source(ocr_task_id)
    assert task is not None
    assert work.fail(task, "No <image> & no text\x1b.")
    body = site.get("getTaskStatus", taskId=ocr_task_id).text
    assert 'status="ProcessingFailed" error="No &lt;image&gt; &amp; no text\ufffd." filesCount="1"' in body


def test_a_list_is_one_line_with_its_tasks_and_without_any_it_is_still_a_document(site: Site) -> None:
    ids = [site.submit(), site.submit()]
    body = site.get("listTasks").text
    assert "\n" not in body
    assert [
        ocr_task_id for ocr_task_id in re.findall(f'<task id="({GUID})"', body) if ocr_task_id in ids
    ] == sorted(ids, key=body.index)
    assert site.get("listTasks", application="other").text in (
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


def test_parameters_may_stand_in_a_form_and_the_querys_own_count(site: Site) -> None:
    ocr_task_id, url = site.submit(), f"{site.url}/getTaskStatus"
    for data in ({"taskId": ocr_task_id}, {"TASKID": ocr_task_id.upper()}):
        assert f'id="{ocr_task_id}"' in requests.post(url, auth=AUTH, data=data, timeout=10).text
    answer = requests.post(f"{url}?taskId={ocr_task_id}", auth=AUTH, data={"taskId": "x"}, timeout=10)
    assert f'id="{ocr_task_id}"' in answer.text
    twice = [("taskId", ocr_task_id), ("taskid", ocr_task_id)]
    site.check_error(requests.post(url, auth=AUTH, data=twice, timeout=10), 450, "more than once")
    other = {"Content-Type": "text/plain"}
    raw = requests.post(url, auth=AUTH, data=f"taskId={ocr_task_id}", headers=other, timeout=10)
    site.check_error(raw, 450, "taskId: the parameter is missing")


def test_a_form_has_its_limits(site: Site) -> None:
    url = f"{site.url}/listTasks"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, said in ((b"x" * 70_000, "64 KB"), (b"&".join([b"a=1"] * 200), "100 parameters")):
        site.check_error(requests.post(url, auth=AUTH, data=body, headers=form, timeout=10), 450, said)


@pytest.mark.parametrize(
    ("path", "query", "said"),
    [
        ("processRemoteImage", "exportFormat=txt", "source"),
        ("processRemoteImage", "source=http://h/x&exportFormat=pdf", "exportFormat"),
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
    site.check_error(requests.get(f"{site.url}/{path}?{query}", auth=AUTH, timeout=10), 450, said)


def test_a_deleted_task_is_unknown_to_gettaskstatus_and_may_be_deleted_again(site: Site) -> None:
    ocr_task_id = site.complete()
    (url,) = site.result_urls(ocr_task_id)
    for _ in range(2):
        assert 'status="Deleted"' in site.get("deleteTask", taskId=ocr_task_id).text
        site.check_error(site.get("getTaskStatus", taskId=ocr_task_id), 450, ocr_task_id, "deleted")
    site.check_error(requests.get(url, timeout=10), 404)


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic", "Basic bm9ib2R5OnBhc3M=", "Basic \u00e9\u00e8", "Bearer x", "Basic bXkgYXBwOnBhc3M="],
)
@pytest.mark.parametrize("path", ["listTasks", "processRemoteImage", "DELETETASK"])
def test_without_the_password_the_answer_is_401(path: str, authorization: str | None, site: Site) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    answer = requests.get(f"{site.url}/{path}", headers=headers, timeout=10)
    site.check_error(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Cloud OCR"'


@pytest.mark.parametrize(
    "path",
    [
        "",
        "processField",
        "getTaskStatus/x",
        "a/b/c",
        "%3Cx%3E",
        "results",
        "favicon.ico",
        "listTasks/",
        "health/",
    ],
)
def test_an_unknown_path_is_404_with_and_without_credentials(path: str, site: Site) -> None:
    site.check_error(site.get(path), 404)
    site.check_error(site.get(path, application=None), 404)


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        *((verb, "processRemoteImage", "GET, POST") for verb in ("PUT", "DELETE", "PATCH", "OPTIONS")),
        ("POST", "results/x/1", "GET, HEAD"),
        ("DELETE", "health", "GET, HEAD"),
    ],
)
def test_other_verbs_are_405_and_are_told_which_are_not(
    verb: str, path: str, allowed: str, site: Site
) -> None:
    answer = requests.request(verb, f"{site.url}/{path}", auth=AUTH, timeout=10)
    site.check_error(answer, 405, "This path takes only")
    assert sorted(answer.headers["Allow"].split(", ")) == allowed.split(", ")


def test_whoever_wants_no_answer_makes_no_task(site: Site) -> None:
    before = len(site.backend.workforce.accepted)
    query = {"source": SOURCE, "exportFormat": "txt"}
    answer = requests.head(f"{site.url}/processRemoteImage", params=query, auth=AUTH, timeout=10)
    assert answer.status_code == 405
    assert len(site.backend.workforce.accepted) == before


def test_an_internal_error_is_a_550_that_says_nothing_and_a_log_that_shows_no_source(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database = site.backend.tasks.database
    with database.write() as connection:
        connection.exec_driver_sql("alter table tasks rename to away")
    try:
        answer = site.get(
            "processRemoteImage", source=SOURCE, exportFormat="txt", description="canary-description"
        )
    finally:
        with database.write() as connection:
            connection.exec_driver_sql("alter table away rename to tasks")
    site.check_error(answer, 550, "Internal error")
    assert "no such table" in caplog.text
    assert "canary" not in caplog.text


def test_result_urls_begin_as_the_caller_reached_the_server(site: Site) -> None:
    ocr_task_id = site.complete()
    headers = {"Host": "ocr.example:8443"}
    answer = requests.get(
        f"{site.url}/getTaskStatus?taskId={ocr_task_id}", auth=AUTH, headers=headers, timeout=10
    )
    url = ET.fromstring(answer.content)[0].attrib["resultUrl"]
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
    requests.get(url, timeout=10)
    site.get("listTasks", password="canary-password")
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

    # A line comes after its answer has left; the first two are of the requests that made the task.
    while len(lines()) < 7 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [line.rpartition(" ")[0] for line in lines()[2:]] == [
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


def test_the_application_is_told_about_in_the_documented_form(site: Site) -> None:
    answer = site.get("getapplicationINFO")
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert re.fullmatch(
        re.escape(f'{DECLARATION}<info xmlns="http://ocrsdk.com/schema/appInfo-1.0.xsd">')
        + f"<application><id>{GUID}</id><displayName>my app</displayName><name>my app</name>"
        "<pages>100000000</pages><fields>500000000</fields><expires>2099-12-31T00:00:00</expires>"
        "<type>Normal</type></application></info>",
        answer.text,
    )


def test_urls_of_an_earlier_run_open_nothing_of_a_later_one(site: Site) -> None:
    ocr_task_id = site.complete(exportFormat="txt,pdfSearchable,xml")
    urls = site.result_urls(ocr_task_id)
    answer = site.get("processDocument", taskId=ocr_task_id, exportFormat="xml")
    assert 'status="Queued"' in answer.text
    assert "resultUrl" not in answer.text
    for url in urls:
        site.check_error(requests.get(url, timeout=10), 404, "not there any more")
    tasks, files = site.backend.tasks, site.backend.files
    task = tasks.claimed(ocr_task_id)
    (files.new_run(ocr_task_id, "run-2") / "result1.xml").write_text("<new/>")
    files.publish(ocr_task_id, "run-2")
    for url in urls:
        site.check_error(requests.get(url, timeout=10), 404, "not there any more")
    assert tasks.work.complete(task, run="run-2", pages=1, quality={})
    for url in urls:
        site.check_error(requests.get(url, timeout=10), 404, "earlier run")
    (url,) = site.result_urls(ocr_task_id)
    assert requests.get(url, timeout=10).text == "<new/>"
