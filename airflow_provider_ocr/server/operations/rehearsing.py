# SPDX-License-Identifier: Apache-2.0
"""A server that rehearses, within the process that tests a client: no process is started, none is left."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
import uvicorn

from airflow_provider_ocr.server.api.lenient_http import LenientHTTPProtocol
from airflow_provider_ocr.server.operations.assembly import make_app, open_parts, start_work
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.records.applications import Application
from airflow_provider_ocr.server.records.choices import Choices
from airflow_provider_ocr.server.records.database import applications, ledger, request_keys, tasks
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.rehearsal.interference import BreakableConnection, Interference
from airflow_provider_ocr.server.rehearsal.rehearsal import Rehearsal
from airflow_provider_ocr.server.rehearsal.script import Script

LOOPBACK = "127.0.0.1"
_WORKERS = 4
_SECONDS = 10.0


class _BreakableHTTPProtocol(BreakableConnection, LenientHTTPProtocol):
    """HTTP as the server speaks it, over connections that can be broken off."""


class RehearsalServer:
    """Answers on a free port of the loopback address within a ``with`` block.

    :param folder: an existing, empty folder for what it keeps.
    :param application: the name of the one application that may log in.
    :param password: its password.
    :param choices: what it does where the API's documentation leaves it open; by default what servers do.
    """

    def __init__(
        self, folder: Path, *, application: str, password: str, choices: Choices | None = None
    ) -> None:
        self._options = ServeOptions(
            data=folder,
            applications={application: password},
            workers=_WORKERS,
            recognition="none",
            spool_bytes=2**40,
            min_free_bytes=0,
            choices=choices or Choices(),
        )
        self._application = application
        self._running = ExitStack()
        self._removals: list[Future[None]] = []
        self.script = Script()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            listener = starting.enter_context(socket.create_server((LOOPBACK, 0)))
            self.port: int = listener.getsockname()[1]
            self._parts = open_parts(self._options, Rehearsal(self.script), starting)
            self._workforce = start_work(self._parts, starting)
            self.interference = Interference(make_app(self._parts, self._workforce))
            self._remover = starting.enter_context(ThreadPoolExecutor(1, "remove forgotten files"))
            self._answer(listener, starting)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.script.begin_anew()
        self._running.close()
        for removal in self._removals:
            removal.result()

    @property
    def application(self) -> Application:
        """The account of the one application."""
        found = self._parts.applications.find(self._application)
        assert found is not None  # noqa: S101 - it was let in at the start, and nobody else is here
        return found

    def tasks(self) -> list[StoredTask]:
        """All tasks, the oldest first."""
        with self._parts.database.read() as connection:
            order = sa.select(tasks.c.id).order_by(tasks.c.registered_ms, sa.literal_column("rowid"))
            identities = connection.execute(order).scalars().all()
        found = (self._parts.store.find(identity) for identity in identities)
        return [task for task in found if task is not None]

    def credit(self, credits: int) -> None:  # noqa: A002 - the API's word
        """Add credits to the account; one that was not limited has just these from then on."""
        self._parts.applications.credit(self._application, credits)

    def release(self) -> None:
        """Let all held tasks go on."""
        self.script.release()
        for _ in range(_WORKERS):
            self._workforce.wake()

    def begin_anew(self) -> None:
        """Forget all tasks, rules, faults and requests; the account is not limited any more."""
        self.script.begin_anew()
        self.interference.begin_anew()
        with self._parts.database.write() as connection:
            identities = connection.execute(sa.select(tasks.c.id)).scalars().all()
            for table in (tasks, ledger, request_keys):
                connection.execute(sa.delete(table))
            connection.execute(sa.update(applications).values(credits=None, reserved=0, used=0))
        # Nobody finds a file whose task is not known, so no test has to wait until the disk is through.
        self._removals += [
            self._remover.submit(self._parts.files.delete, identity) for identity in identities
        ]

    def _answer(self, listener: socket.socket, running: ExitStack) -> None:
        """Answer in a thread of its own.

        :param running: is told how to stop it.
        """
        config = uvicorn.Config(
            self.interference,
            http=_BreakableHTTPProtocol,
            access_log=False,
            log_config=None,
            log_level="warning",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="cloud-ocr-rehearsal", daemon=True
        )
        thread.start()

        def stop() -> None:
            server.should_exit = True
            thread.join(_SECONDS)

        running.callback(stop)
        deadline = time.monotonic() + _SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("The rehearsing server did not start; its log says why.")
            time.sleep(0.01)
