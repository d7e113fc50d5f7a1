# SPDX-License-Identifier: Apache-2.0
"""The two servers that a document pipeline needs: one that has the scans, and one that recognises them."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import requests

from demo.processes import LOOPBACK, Program, clean_environment, direct_session, free_port

APPLICATION_ID = "demo"
PASSWORD = "demo password"  # noqa: S105 - opens a server on the loopback address that lives for a minute

_SECONDS_TO_START = 60.0


class ScanServer:
    """Serves the files of a folder over HTTP on a free loopback port, within a ``with`` block.

    :param folder: its files become ``url``/name.
    """

    def __init__(self, folder: Path) -> None:
        handler = functools.partial(_QuietHandler, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer((LOOPBACK, 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where the folder is, without a slash at the end."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: the OCR server's log tells what it fetched."""


class OcrServer(Program):
    """``cloud-ocr-server`` on a free loopback port, ready to answer.

    :param data: its data folder; what is there from an earlier run goes on.
    :param logs: folder for its log.
    :param workers: documents recognised at the same time.
    :param port: the port to listen on, a free one by default.
    :param environment_folder: the Python environment that has the program, by default the one that runs this.
    :param options: more options of ``serve``.
    :param environment: more of its environment.
    """

    def __init__(
        self,
        *,
        data: Path,
        logs: Path,
        workers: int = 2,
        port: int | None = None,
        environment_folder: Path = Path(sys.prefix),
        options: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.port = port or free_port()
        super().__init__(
            name="cloud-ocr-server",
            command=[
                *(str(environment_folder / "bin" / "cloud-ocr-server"), "serve"),
                *("--host", LOOPBACK, "--port", str(self.port), "--data", str(data)),
                *("--application", f"{APPLICATION_ID}:{PASSWORD}", "--workers", str(workers)),
                *("--allow-source", f"{LOOPBACK}/32", "--admin-listen", "off"),
                *options,
            ],
            environment={**clean_environment(), **environment},
            logs=logs,
        )

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"http://{LOOPBACK}:{self.port}"

    def __enter__(self) -> Self:
        try:
            self.wait_until(self._answers, seconds=_SECONDS_TO_START)
        except BaseException:
            self.stop()
            raise
        return self

    def _answers(self) -> bool:
        try:
            return direct_session().get(f"{self.url}/health", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):  # it listens before it is ready to answer
            return False
