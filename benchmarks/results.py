# SPDX-License-Identifier: Apache-2.0
"""A service whose every task is completed, with results as big as its ID says: see `results_of`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from demo.processes import LOOPBACK

MEGABYTE = 1024 * 1024

_PIECE = bytes(range(256)) * 4096


def results_of(megabytes: int, files: int) -> str:
    """The ID of the task that has so many results.

    :param megabytes: size of each.
    :param files: how many, up to three.
    """
    return f"{megabytes:08x}-{files:04x}"


def result_url(service: str, megabytes: int) -> str:
    """Where a result of that size is.

    :param service: the service's base URL.
    :param megabytes: its size.
    """
    return f"{service}/results/{megabytes}/0"


class _Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer, whatever the method of the API; it is ``getTaskStatus``."""
        if self.path.startswith("/results/"):
            megabytes = int(self.path.split("/")[2])
            self._begin(megabytes * MEGABYTE)
            for _ in range(megabytes):
                self.wfile.write(_PIECE)
            return
        ocr_task_id = self.path.rpartition("=")[2]
        megabytes, files = (int(part, 16) for part in ocr_task_id.split("-"))
        urls = tuple(f"http://{self.headers['Host']}/results/{megabytes}/{file}" for file in range(files))
        body = render_tasks([OcrTask(id=ocr_task_id, status=TaskStatus.COMPLETED, result_urls=urls)])
        self._begin(len(body))
        self.wfile.write(body)

    def _begin(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def serving_results() -> Iterator[str]:
    """The service at work, in a thread; gives its base URL."""
    server = ThreadingHTTPServer((LOOPBACK, 0), _Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
