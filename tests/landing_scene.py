# SPDX-License-Identifier: Apache-2.0
"""A result that waits to be landed, and a host on its way with which things go wrong; for ``pytest_plugins``.

The client is the real one and so is the server, which rehearses. Goes together with ``tests.stores``.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.transport import Timeouts
from airflow_provider_ocr.lifecycle.existing import IfExists
from airflow_provider_ocr.lifecycle.landing import LandedFile, land
from airflow_provider_ocr.lifecycle.publishing import BLOCK_BYTES
from airflow_provider_ocr.lifecycle.two_hands import BATCH_BYTES, MOST_BATCHES
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.testing import APPLICATION_ID, PASSWORD, CloudOcrRehearsal
from demo.processes import direct_session
from tests.landing_faults import NAME, OLD, Fault

if TYPE_CHECKING:
    from tests.stores import Store

STALL_PERCENT = 95

# So that a store has a block already when it breaks off near the end, whatever waits to be written.
_SIZE = 2 * BLOCK_BYTES + MOST_BATCHES * BATCH_BYTES // 2
_SECONDS = 120.0
_SENT_ON = ("Content-Length", "Content-Type", "Content-Range", "ETag", "Accept-Ranges")


class Host:
    """Hands requests on to the server and its answers back, and does to results what a test wants.

    :param upstream: the server's base URL.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.url = ""
        self.fault: Fault | None = None
        self.before_result: Callable[[], object] = lambda: None
        self.over = threading.Event()
        self.faults_shown = 0

    @property
    def connection(self) -> str:
        """An Airflow connection that leads here, in Airflow's JSON form."""
        login = {"login": APPLICATION_ID, "password": PASSWORD}
        return json.dumps({"conn_type": "cloud_ocr", "host": self.url, **login})

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        is_result = request.path.startswith("/results/")
        fault = self.fault if is_result else None
        # A host that has a fault does not send the rest of a file.
        headers = {name: value for name, value in request.headers.items() if not (fault and name == "Range")}
        with direct_session() as session:
            given = session.get(f"{self._upstream}{request.path}", headers=headers, timeout=_SECONDS)
        if is_result:
            self.before_result()
        if fault is None:
            _send(request, given.status_code, given.headers, given.content)
        else:
            self._send_badly(request, given.headers, given.content, fault)

    def _send_badly(
        self, request: BaseHTTPRequestHandler, headers: Mapping[str, str], body: bytes, fault: Fault
    ) -> None:
        self.faults_shown += 1
        if fault.percent == 0:
            return
        percent = STALL_PERCENT if fault.stalls else fault.percent
        sent = body if percent is None else body[: len(body) * percent // 100]
        announced = {**headers, "Content-Length": str(len(body) + fault.too_many)}
        _send(request, fault.status, announced, sent)
        if fault.stalls:
            self.over.wait(_SECONDS)


def _send(request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
    with suppress(ConnectionError):  # who asked may have gone
        request.send_response(status)
        for name in _SENT_ON:
            if name in headers:
                request.send_header(name, headers[name])
        request.end_headers()
        request.wfile.write(body)
        request.wfile.flush()


@dataclass(frozen=True, slots=True)
class Scene:
    """A completed task whose result is to land, and where to.

    :param host: what the client talks to.
    :param ocr_task_id: the task's ID.
    :param content: its one result.
    :param store: where it lands.
    """

    host: Host
    ocr_task_id: str
    content: bytes
    store: Store

    def land(
        self,
        *,
        store: Store | None = None,
        read: float = _SECONDS,
        if_exists: IfExists = IfExists.OVERWRITE,
        **options: Any,
    ) -> LandedFile:
        """Land the one file.

        :param store: another place for it.
        :param read: seconds of silence that are too many.
        :param if_exists: what becomes of a file that is there.
        :param options: what the filesystem is told instead of the store's own options.
        """
        place = store or self.store
        with CloudOcrClient(
            base_url=self.host.url,
            application_id=APPLICATION_ID,
            password=PASSWORD,
            timeouts=Timeouts(read=read),
        ) as client:
            _, (file,) = land(
                client=client,
                ocr_task_id=self.ocr_task_id,
                export_formats=[ExportFormat.TXT],
                filesystem=place.filesystem(**options),
                folder=place.folder,
                stem=NAME.removesuffix(".txt"),
                on_file=lambda _: None,
                if_exists=if_exists,
            )
        return file

    def has_landed(self) -> bool:
        """Whether the file is there, whole, and nothing beside it."""
        files = self.store.files()
        return list(files) == [NAME] and files[NAME] == self.content

    def lands(self) -> bool:
        """Whether it does when nothing goes wrong."""
        self.host.fault = None
        return self.land().sha256 == hashlib.sha256(self.content).hexdigest() and self.has_landed()


@pytest.fixture(scope="module")
def completed(cloud_ocr_session: CloudOcrRehearsal) -> Iterator[tuple[str, bytes]]:
    """The ID of a completed task, and its result."""
    line = "".join(Random(3).choices("abcdefghij", k=99)) + "\n"
    cloud_ocr_session.reset()
    cloud_ocr_session.recognise_as(line * (_SIZE // len(line)))
    with CloudOcrClient(
        base_url=cloud_ocr_session.url, application_id=APPLICATION_ID, password=PASSWORD
    ) as client:
        settings = ProcessingSettings.parse(export_format="txt")
        task = client.process_remote_image("https://nowhere.invalid/a.tif", settings)
        deadline = time.monotonic() + _SECONDS
        while not task.result_urls:
            assert time.monotonic() < deadline, f"the task is still {task.status}"
            time.sleep(0.05)
            task = client.get_task_status(task.id)
    with direct_session() as session:
        answer = session.get(task.result_urls[0], timeout=_SECONDS)
    assert answer.status_code == HTTPStatus.OK
    yield task.id, answer.content
    cloud_ocr_session.reset()


@pytest.fixture
def host(
    cloud_ocr_session: CloudOcrRehearsal,
    serve: Callable[[Callable[[BaseHTTPRequestHandler], None]], str],
) -> Iterator[Host]:
    """What stands between the client and the server."""
    host = Host(cloud_ocr_session.url)
    host.url = serve(host.answer)
    yield host
    host.over.set()


@pytest.fixture
def scene(host: Host, completed: tuple[str, bytes], store: Store) -> Scene:
    """A result that waits to be landed where nothing is."""
    return Scene(host, *completed, store)


@pytest.fixture
def scene_over_old(scene: Scene) -> Scene:
    """A result that waits to be landed where a file of that name is."""
    filesystem = scene.store.filesystem()
    if scene.store.protocol == "file":
        filesystem.makedirs(scene.store.folder)
    filesystem.pipe_file(f"{scene.store.folder}/{NAME}", OLD)
    return scene
