# SPDX-License-Identifier: Apache-2.0
"""The rehearsing server as the package's own client sees it, switch by switch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import requests
from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_ocr import testing
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.transport import Timeouts
from airflow_provider_ocr.protocol.errors import (
    AuthenticationError,
    ConnectionFailedError,
    OcrError,
    RequestRejectedError,
    ServerError,
)
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.testing import APPLICATION_ID, PASSWORD, CloudOcrRehearsal

SOURCE = "https://nowhere.invalid/scans/a.tif"
SECONDS = 20.0
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(cloud_ocr: CloudOcrRehearsal) -> Iterator[CloudOcrClient]:
    with CloudOcrClient(
        base_url=cloud_ocr.url,
        application_id=APPLICATION_ID,
        password=PASSWORD,
        timeouts=Timeouts(connect=5, read=2),
    ) as client:
        yield client


def submit(client: CloudOcrClient, source: str = SOURCE, **settings: Any) -> OcrTask:
    return client.process_remote_image(
        source, ProcessingSettings.parse(**{"export_format": "txt", **settings})
    )


def wait_for(client: CloudOcrClient, ocr_task_id: str, *statuses: str) -> OcrTask:
    deadline = time.monotonic() + SECONDS
    while True:
        task = client.get_task_status(ocr_task_id)
        if task.status in (statuses or ("Completed", "ProcessingFailed", "NotEnoughCredits")):
            return task
        assert time.monotonic() < deadline, f"the task is still {task.status}"
        time.sleep(0.01)


def text_of(client: CloudOcrClient, task: OcrTask) -> str:
    return b"".join(client.download_result(task.result_urls[0])).decode("utf-8-sig")


def test_the_connection_leads_to_the_server(cloud_ocr: CloudOcrRehearsal) -> None:
    connection = BaseHook.get_connection("cloud_ocr_default")
    assert (connection.conn_type, connection.host) == ("cloud_ocr", cloud_ocr.url)
    assert (connection.login, connection.password) == (APPLICATION_ID, PASSWORD)
    assert json.loads(cloud_ocr.connection)["host"] == cloud_ocr.url


def test_a_task_is_completed_at_once_charged_and_says_that_nothing_was_recognised(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    begin = time.monotonic()
    task = wait_for(client, submit(client).id)
    assert time.monotonic() - begin < 2
    assert (task.status, task.credits, task.files_count) == ("Completed", 5, 1)
    assert text_of(client, task) == "Nothing was recognised: this file comes from a server that rehearses.\n"
    assert requests.head(task.result_urls[0], timeout=5).headers["X-Ocr-Engine"].startswith("none")
    assert (cloud_ocr.credits_charged, cloud_ocr.credits_left) == (5, None)


def test_no_source_is_fetched(
    client: CloudOcrClient, serve: Callable[[Callable[[BaseHTTPRequestHandler], None]], str]
) -> None:
    asked: list[str] = []
    base = serve(lambda request: asked.append(request.path))
    assert wait_for(client, submit(client, f"{base}/a.tif").id).status == "Completed"
    assert asked == []


@pytest.mark.parametrize(
    "formats", ["rtf,docx,xlsx", "pptx,pdfTextAndImages,pdfa", "alto,xml,txtUnstructured"]
)
def test_every_format_language_and_profile_of_the_api_is_taken(client: CloudOcrClient, formats: str) -> None:
    made = submit(
        client,
        export_format=formats,
        language="Zulu,ChinesePRC",
        profile="textExtraction",
        text_type="gothic",
    )
    task = wait_for(client, made.id)
    kinds = [ExportFormat(name) for name in formats.split(",")]
    assert all(
        b"".join(client.download_result(url, kind)) for url, kind in zip(task.result_urls, kinds, strict=True)
    )


def test_texts_are_chosen_by_source_and_each_page_costs(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.recognise_as("any\n")
    cloud_ocr.recognise_as("first page\fsecond page", source="*/long.tif")
    other = wait_for(client, submit(client).id)
    long = wait_for(client, submit(client, "https://u:p@nowhere.invalid/long.tif?sig=x").id)
    assert [text_of(client, task) for task in (other, long)] == ["any\n", "first page\n\fsecond page\n"]
    assert [task.credits for task in (other, long)] == [5, 10]


def test_a_failed_task_has_the_reason_and_costs_nothing(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.fail("The page is torn.", source="*/torn.tif")
    torn = wait_for(client, submit(client, "https://nowhere.invalid/torn.tif").id)
    assert (torn.status, torn.error, torn.credits) == ("ProcessingFailed", "The page is torn.", 0)
    assert wait_for(client, submit(client).id).status == "Completed"
    assert cloud_ocr.credits_charged == 5


@pytest.mark.parametrize("status", ["Submitted", "Queued", "InProgress"])
def test_a_held_task_goes_on_when_it_is_released(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient, status: str
) -> None:
    cloud_ocr.hold(status)
    made = submit(client)
    wait_for(client, made.id, status)
    time.sleep(0.1)
    assert client.get_task_status(made.id).status == status
    cloud_ocr.release()
    assert wait_for(client, made.id).status == "Completed"


def test_recognition_takes_as_long_as_it_is_told(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.recognise_as("slowly", seconds=0.4)
    begin = time.monotonic()
    made = submit(client)
    assert wait_for(client, made.id, "InProgress").estimated_processing_time
    assert wait_for(client, made.id).status == "Completed"
    assert time.monotonic() - begin >= 0.4


def test_a_task_without_credits_goes_on_after_the_account_is_topped_up(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.limit_credits(4)
    made = wait_for(client, submit(client).id)
    assert (made.status, cloud_ocr.credits_left) == ("NotEnoughCredits", 4)
    cloud_ocr.top_up(10)
    client.process_document(made.id, ProcessingSettings.parse(export_format="txt"))
    assert wait_for(client, made.id, "Completed").credits == 5
    assert (cloud_ocr.credits_left, cloud_ocr.credits_charged) == (9, 5)


def test_the_quota_is_exceeded_on_demand(cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient) -> None:
    cloud_ocr.exceed_quota(times=1)
    with pytest.raises(RequestRejectedError, match="quota of images is exceeded") as caught:
        submit(client)
    assert caught.value.http_status == 450
    assert submit(client).id


def test_the_quota_is_exceeded_by_images_that_wait_for_money_as_with_the_service(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.limit_credits(0)
    for _ in range(10):
        wait_for(client, submit(client).id, "NotEnoughCredits")
    with pytest.raises(RequestRejectedError, match="quota"):
        submit(client)


def test_an_image_that_is_sent_is_a_task_without_source(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    made = client.process_image(PNG_SIGNATURE, ProcessingSettings.parse(export_format="txt"))
    assert wait_for(client, made.id).status == "Completed"
    assert [task.source for task in cloud_ocr.tasks()] == [None]


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthenticationError), (450, RequestRejectedError), (503, ServerError)]
)
def test_an_error_is_answered_as_often_as_asked_and_nothing_is_carried_out(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient, status: int, error: type[OcrError]
) -> None:
    cloud_ocr.answer(status, methods=("processRemoteImage",), message="Not today.")
    with pytest.raises(error, match="Not today"):
        submit(client)
    assert cloud_ocr.tasks() == []
    submit(client)
    assert [request.status for request in cloud_ocr.requests("processRemoteImage")] == [status, 200]


def test_reads_are_tried_again_and_each_try_is_seen(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.answer(503, times=1, headers={"Retry-After": "0"})
    cloud_ocr.break_connection()
    assert client.list_tasks() == []
    assert [request.status for request in cloud_ocr.requests()] == [503, None, 200]


@pytest.mark.parametrize("carried_out", [False, True])
def test_a_connection_breaks_before_or_after_the_work_is_done(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient, carried_out: bool
) -> None:
    cloud_ocr.break_connection(methods=("processRemoteImage",), carried_out=carried_out)
    with pytest.raises(ConnectionFailedError):
        submit(client)
    [request] = cloud_ocr.requests("processRemoteImage")
    assert request.status is None
    assert [task.id for task in cloud_ocr.tasks()] == ([request.ocr_task_id] if carried_out else [])


def test_requests_are_slow_on_demand(cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient) -> None:
    made = submit(client)
    cloud_ocr.slow_down(0.3, methods=("getTaskStatus",), times=1)
    begin = time.monotonic()
    client.get_task_status(made.id)
    assert 0.3 <= time.monotonic() - begin < 2


def test_downloads_fail_on_demand(cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient) -> None:
    task = wait_for(client, submit(client).id)
    cloud_ocr.answer(404, methods=("results",))
    with pytest.raises(OcrError):
        text_of(client, task)
    assert text_of(client, task)
    assert [request.status for request in cloud_ocr.requests("results")] == [404, 200]


@pytest.mark.parametrize("method", ["processImages", "gettaskstatus"])
def test_a_method_that_there_is_not_is_named(cloud_ocr: CloudOcrRehearsal, method: str) -> None:
    with pytest.raises(ValueError, match=f"no method '{method}'; there are processRemoteImage, "):
        cloud_ocr.answer(503, methods=(method,))


@pytest.mark.parametrize("status", [99999, 600, 100, 0, -1, "503"])
def test_what_is_no_http_status_is_refused(cloud_ocr: CloudOcrRehearsal, status: Any) -> None:
    with pytest.raises(ValueError, match=f"{status!r} is no HTTP status of an answer"):
        cloud_ocr.answer(status)


@pytest.mark.parametrize("times", [0, -1])
def test_a_fault_concerns_at_least_one_request(cloud_ocr: CloudOcrRehearsal, times: int) -> None:
    with pytest.raises(ValueError, match=f"{times} is no number of requests"):
        cloud_ocr.break_connection(times=times)


def test_a_reset_does_not_wait_until_files_are_removed(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, gone = threading.Event(), threading.Event()
    delete = ResultFiles.delete

    def hesitate(files: ResultFiles, ocr_task_id: str) -> None:
        going.wait(SECONDS)
        delete(files, ocr_task_id)
        gone.set()

    monkeypatch.setattr(ResultFiles, "delete", hesitate)
    url = wait_for(client, submit(client).id).result_urls[0]
    cloud_ocr.reset()
    assert cloud_ocr.tasks() == []
    assert requests.get(url, timeout=5).status_code == 404
    going.set()
    assert gone.wait(SECONDS)


def test_what_was_asked_can_be_looked_at(cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient) -> None:
    made = submit(client, f"{SOURCE}?sig=1", language="German", description="invoice 7")
    [request] = cloud_ocr.requests("processRemoteImage")
    assert (request.ocr_task_id, request.status) == (made.id, 200)
    assert request.parameters == {
        "source": f"{SOURCE}?sig=1",
        "language": "German",
        "exportFormat": "txt",
        "description": "invoice 7",
    }
    [task] = cloud_ocr.tasks()
    assert (task.id, task.source) == (made.id, f"{SOURCE}?sig=1")
    assert (task.settings.language, task.settings.description) == (("German",), "invoice 7")


def test_tasks_are_in_the_order_of_their_submission_and_chosen_by_status(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.fail(source="*/1.tif")
    made = [submit(client, f"https://nowhere.invalid/{number}.tif").id for number in range(5)]
    for ocr_task_id in made:
        wait_for(client, ocr_task_id)
    client.delete_task(made[3])
    assert [task.id for task in cloud_ocr.tasks()] == made
    assert [task.id for task in cloud_ocr.tasks("ProcessingFailed")] == [made[1]]
    assert [task.id for task in cloud_ocr.tasks("Completed")] == [made[0], made[2], made[4]]


def test_a_reset_leaves_nothing_of_what_was_before(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    wait_for(client, submit(client).id)
    cloud_ocr.limit_credits(3)
    cloud_ocr.fail()
    cloud_ocr.hold("Queued")
    cloud_ocr.answer(503, times=None)
    cloud_ocr.reset()
    assert (cloud_ocr.tasks(), cloud_ocr.requests()) == ([], [])
    assert (cloud_ocr.credits_left, cloud_ocr.credits_charged) == (None, 0)
    assert client.list_tasks() == []
    assert wait_for(client, submit(client).id).status == "Completed"


def test_a_reset_while_a_task_is_under_way_is_not_in_the_next_tests_way(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    for status in ("InProgress", "Submitted"):
        cloud_ocr.hold(status)
        wait_for(client, submit(client).id, status)
        cloud_ocr.reset()
    made = [submit(client).id for _ in range(8)]
    assert {wait_for(client, ocr_task_id).status for ocr_task_id in made} == {"Completed"}
    assert [task.id for task in cloud_ocr.tasks()] == made
    assert cloud_ocr.credits_charged == 40


def test_many_documents_at_once_are_each_charged_once(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: submit(client, f"{SOURCE}?{number}").id, range(24)))
    for ocr_task_id in made:
        wait_for(client, ocr_task_id)
    assert len(cloud_ocr.tasks("Completed")) == len(cloud_ocr.requests("processRemoteImage")) == 24
    assert cloud_ocr.credits_charged == 120


def needed_only_by(extra: str, *, beside: str) -> list[str]:
    """The modules of the packages that one extra brings, and neither another nor this package by itself."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = {
        kind: {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in requirements}
        for kind, requirements in {"itself": project["dependencies"], **extras}.items()
    }
    wanted = names[extra] - names[beside] - names["itself"]
    return sorted(
        module
        for module, distributions in packages_distributions().items()
        if wanted & {distribution.lower() for distribution in distributions}
    )


MISSING_MODULES = needed_only_by("server", beside="testing")

INNER_TESTS = f"""
import os, sys
import pytest
import requests

pytest_plugins = ["airflow_provider_ocr.testing"]
MISSING = {MISSING_MODULES!r}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in (*MISSING, "airflow"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())

def test_with_server(cloud_ocr):
    assert os.environ["AIRFLOW_CONN_CLOUD_OCR_DEFAULT"] == cloud_ocr.connection
    assert os.environ["no_proxy"] == "intranet.example,127.0.0.1"
    answer = requests.get(cloud_ocr.url + "/processRemoteImage?source=https://x.invalid/a&exportFormat=xml,docx,pdfa",
        auth=("{APPLICATION_ID}", "{PASSWORD}"), timeout=5)
    assert answer.status_code == 200, answer.text

def test_without():
    assert "AIRFLOW_CONN_CLOUD_OCR_DEFAULT" not in os.environ
    assert os.environ["no_proxy"] == "intranet.example"
    assert not set(MISSING) & {{name.partition(".")[0] for name in sys.modules}}
"""


def test_engine_and_image_libraries_are_among_what_only_recognition_needs() -> None:
    assert {"cv2", "lxml", "numpy", "pikepdf", "PIL", "pypdfium2", "tesserocr"} <= set(MISSING_MODULES)


def test_it_works_without_airflow_engine_and_image_libraries_and_leaves_the_environment_as_it_was(
    tmp_path: Path,
) -> None:
    (tmp_path / "test_inner.py").write_text(INNER_TESTS)
    environment = {name: value for name, value in os.environ.items() if "_CONN_" not in name}
    environment |= {
        "no_proxy": "intranet.example",
        "http_proxy": "http://127.0.0.1:9",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "airflow_provider_ocr.server.operations.rehearsing", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(pytest.UsageError, match=r"needs the package uvicorn: pip .*-ocr\[testing\]'"):
        testing._server_class()
