# SPDX-License-Identifier: Apache-2.0
"""Whatever becomes of a run, no secret of it stands in Airflow's database or in any log.

The service is played by a server whose words are as indiscreet as can be: it repeats requests with all that
is in them. How it refuses, fails or hangs is chosen by the path of the source.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

import psutil
import pytest

from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from demo.local_airflow import LocalAirflow
from demo.ocr_server import OcrServer, ScanServer
from demo.processes import LOOPBACK, free_port
from tests.system.secret_search import Leak, search

DAG_ID = "secrets_everywhere"
APPLICATION = "an application"
SECRETS = {
    "application password": 'PASSWORD-OF-THE-APPLICATION "/+%&',
    "password of the PDF": "PASSWORD-OF-THE-PDF '&\"+",
    "user of the source": "USER-OF-THE-SOURCE",
    "password of the source": "PASSWORD-OF-THE-SOURCE%2B%26",
    "signature of the source": "SIGNATURE-OF-THE-SOURCE%2B%3D",
    "short signature of the source": "~7Q~",
    "signature of the result": "SIGNATURE-OF-THE-RESULT%2F%3D",
    "password of the store": "PASSWORD-OF-THE-STORE",
    "signature of the store": "SIGNATURE-OF-THE-STORE",
    "password of the proxy": "PASSWORD-OF-THE-PROXY",
    "wrong password": "not-the-password",
}
CARELESSLY_WRITTEN = {
    "user of the careless": "USER-OF-THE-CARELESS",
    "password of the careless": "PASSWORD-OF-THE-CARELESS%2B%26",
    "signature of the careless": "SIGNATURE-OF-THE-CARELESS%2B%3D",
    "short signature of the careless": "~8R~",
    "PDF password of the careless": "PDF-OF-THE-CARELESS '&\"+",
}
"""What a user's own code writes into log lines and errors. Airflow masks these, but its LocalExecutor
repeats a task's lines on the scheduler's console unmasked, those with a connection's password too."""

CREDENTIALS = f"{APPLICATION}:{SECRETS['application password']}"
CANARY = 'CANARY "/+'


class IndiscreetServer:
    """A Cloud OCR server that repeats what it is told, and works on a document until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.stalled_port: int | None = None
        self._tasks: dict[str, str] = {}
        self._closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = outer._answer(urlsplit(self.path), self.client_address[1])
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Whoever was killed cannot be answered."""

        self._server = Server((LOOPBACK, 0), Handler)
        self.port: int = self._server.server_port
        self.url = f"http://{LOOPBACK}:{self.port}"

    @contextmanager
    def running(self) -> Iterator[IndiscreetServer]:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            self._closing.set()
            self._server.shutdown()
            self._server.server_close()

    def _answer(self, url: SplitResult, port: int) -> tuple[int, bytes]:
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/processRemoteImage":
            return self._start(query["source"], url.query, port)
        if url.path == "/result":
            return 200, b"What was recognised.\n"
        if url.path == "/getTaskStatus":
            return 200, render_tasks([self._task(query["taskId"])])
        return 200, render_tasks([self._task(ocr_task_id) for ocr_task_id in self._tasks])

    def _start(self, source: str, raw_query: str, port: int) -> tuple[int, bytes]:
        if "/refuse" in source:
            words = escape(f"Cannot take {source} of {quote(source, safe='')} in /x?{raw_query}, {raw_query}")
            return 450, f"<error><message>{words}</message></error>".encode()
        if "/stall" in source:
            self.stalled_port = port
            self._closing.wait(120)
            return 503, b""
        ocr_task_id = f"{len(self._tasks) + 1:08x}-0000-4000-8000-000000000000"
        self._tasks[ocr_task_id] = source
        return 200, render_tasks([self._task(ocr_task_id)])

    def _task(self, ocr_task_id: str) -> OcrTask:
        source = self._tasks[ocr_task_id]
        if "/fail" in source:
            words = f"GET {source} and {quote(source, safe='')} and '{source}': 403, see {unquote(source)}"
            return OcrTask(id=ocr_task_id, status=TaskStatus.PROCESSING_FAILED, error=words)
        if not self.released.is_set():
            return OcrTask(id=ocr_task_id, status=TaskStatus.IN_PROGRESS)
        result = f"{self.url}/result?sig={SECRETS['signature of the result']}"
        return OcrTask(id=ocr_task_id, status=TaskStatus.COMPLETED, result_urls=(result,))


@dataclass(frozen=True)
class Case:
    """A run: its input and how it ends."""

    name: str
    state: str
    connection: str = "secrets_indiscreet"


SHORT = [Case("hold", "success"), Case("refuse", "failed"), Case("stall", "failed")]
LONG = [
    *SHORT,
    Case("fail", "failed"),
    Case("wrong", "failed", "cloud_ocr_wrong_password"),
    Case("nobody", "failed", "cloud_ocr_unreachable"),
    # The proxy is not there.
    Case("proxied", "failed", "secrets_proxied"),
    Case("recognise", "success", "cloud_ocr_default"),
]


@pytest.mark.parametrize(
    "cases", [SHORT, pytest.param(LONG, marks=pytest.mark.long)], ids=["three runs", "all runs"]
)
def test_no_secret_stands_in_the_database_or_in_a_log(
    airflow: LocalAirflow, ocr_server: OcrServer, scans: ScanServer, tmp_path: Path, cases: list[Case]
) -> None:
    with IndiscreetServer().running() as server:
        prepare(airflow, server, scans, cases)
        airflow.run_dag("leaking", "leak", {})
        airflow.run_dag("careless", "careless", {})
        for case in cases:
            conf = {
                "source_variable": f"where_to_{case.name}",
                "cloud_ocr_conn_id": case.connection,
                "destination": (tmp_path / case.name).as_uri(),
            }
            airflow.run_dag(DAG_ID, case.name, conf)
        kill_who_hangs(server, airflow)
        wait_until(lambda: state_of(airflow, "hold", "wait") == "deferred")
        while_deferred = leaks(airflow)
        server.released.set()
        ends = {case.name: airflow.wait_for_run(DAG_ID, case.name, seconds=240) for case in cases}
        assert airflow.wait_for_run("leaking", "leak", seconds=120) == "success"
        assert airflow.wait_for_run("careless", "careless", seconds=240) == "failed"
    assert ends == {case.name: case.state for case in cases}
    found = leaks(airflow)
    # The search finds what there is: a leaked text, in the database and in a log, and decrypted kwargs.
    places = {leak.place.partition(".")[0] for leak in found if leak.secret == "canary"}
    assert {"table xcom", "file logs/dag_id=leaking/run_id=leak/task_id=leak/attempt=1"} <= places
    assert "trigger" in {leak.secret for leak in while_deferred}
    assert {leak for leak in found | while_deferred if leak.secret in {*SECRETS, "credentials"}} == set()
    careless = {leak.place for leak in found | while_deferred if leak.secret in CARELESSLY_WRITTEN}
    assert careless <= {"file components/scheduler.log"}
    # It looked at the lines in which the requests' URLs are, and at messages that repeated them.
    log = airflow.task_log(DAG_ID, "refuse", "submit")
    assert '"GET /processRemoteImage?... HTTP/1.1" 450' in log
    assert "Cannot take http://" in log
    # The careless ones got as far as repeating what they had; the destination and the name were refused.
    for task_id, map_index in [("raise", -1), ("mapped", 0)]:
        assert "Carelessly: ***" in airflow.task_log("careless", "careless", task_id, map_index)
    assert "destination: memory://bucket/x?sig=*** was given" in airflow.task_log(
        "careless", "careless", "land"
    )
    assert "cannot be a file name" in airflow.task_log("careless", "careless", "name")


def prepare(airflow: LocalAirflow, server: IndiscreetServer, scans: ScanServer, cases: list[Case]) -> None:
    """Put the secrets where users are told to put them: into connections and variables."""
    indiscreet = {
        "conn_type": "cloud_ocr",
        "host": server.url,
        "login": APPLICATION,
        "password": SECRETS["application password"],
    }
    airflow.create("connections", {"connection_id": "secrets_indiscreet", **indiscreet})
    proxy = f"http://proxy-user:{SECRETS['password of the proxy']}@{LOOPBACK}:{free_port()}"
    extra = f'{{"proxy": "{proxy}"}}'
    airflow.create("connections", {"connection_id": "secrets_proxied", **indiscreet, "extra": extra})
    airflow.create("variables", {"key": "canary", "value": CANARY})
    airflow.create("variables", {"key": "how_to_open_it", "value": SECRETS["password of the PDF"]})
    user_of_the_store = f"user:{SECRETS['password of the store']}"
    airflow.create("variables", {"key": "user_of_the_store", "value": user_of_the_store})
    signature_of_the_store = SECRETS["signature of the store"]
    airflow.create("variables", {"key": "signature_of_the_store", "value": signature_of_the_store})
    written = {name.removesuffix(" of the careless"): text for name, text in CARELESSLY_WRITTEN.items()}
    airflow.create("variables", {"key": "how_to_open_the_careless", "value": written["PDF password"]})
    parameters = f"X-Amz-Signature={written['signature']}&sig={written['short signature']}"
    url = f"http://{written['user']}:{written['password']}@a.example/careless.tif?id=7&{parameters}"
    airflow.create("variables", {"key": "where_to_careless", "value": url})
    user = f"{SECRETS['user of the source']}:{SECRETS['password of the source']}"
    signed = (
        f"X-Amz-Signature={SECRETS['signature of the source']}&sig={SECRETS['short signature of the source']}"
    )
    for case in cases:
        url = f"http://{user}@a.example/{case.name}.tif?id=7&{signed}"
        if case.name == "recognise":
            url = f"{scans.url}/receipt.png?{signed}"
        airflow.create("variables", {"key": f"where_to_{case.name}", "value": url})


def leaks(airflow: LocalAirflow) -> set[Leak]:
    wanted = {
        **SECRETS,
        **CARELESSLY_WRITTEN,
        "credentials": CREDENTIALS,
        "canary": CANARY,
        "trigger": '"ocr_task_id"',
    }
    return search(wanted, airflow.home)


def kill_who_hangs(server: IndiscreetServer, airflow: LocalAirflow) -> None:
    """Kill the task's process in the middle of its paid call, as the kernel kills what takes all memory."""
    wait_until(lambda: server.stalled_port is not None)
    for process in psutil.Process(airflow.programs["scheduler"].pid).children(recursive=True):
        # Other tasks come and go meanwhile.
        with suppress(psutil.NoSuchProcess):
            connections = process.net_connections("tcp")
            if any(connection.laddr.port == server.stalled_port for connection in connections):
                process.kill()
                return
    pytest.fail("Nobody waits for the server.")


def state_of(airflow: LocalAirflow, run_id: str, task_id: str) -> str | None:
    states = {item.task_id: item.state for item in airflow.task_instances(DAG_ID, run_id)}
    return states.get(task_id)


def wait_until(ready: Callable[[], bool], seconds: float = 180.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.3)
