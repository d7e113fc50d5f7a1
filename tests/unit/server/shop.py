# SPDX-License-Identifier: Apache-2.0
"""All of a server but HTTP, on real parts: methods are called, and who works on tasks may be stopped and
started again on the same data.
"""

from __future__ import annotations

import ipaddress
import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.api.call import Call
from airflow_provider_ocr.server.api.methods import ApiMethods
from airflow_provider_ocr.server.api.signing import UrlSigner
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.spool import Spool
from airflow_provider_ocr.server.recognition.support import supported
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database, tasks
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.store import Store
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.sources.fetching import Fetchers
from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import SourceFetcher
from airflow_provider_ocr.server.workers.children import PageFailure, RecognitionChild
from airflow_provider_ocr.server.workers.intake import Intake
from airflow_provider_ocr.server.workers.leases import Leases
from airflow_provider_ocr.server.workers.measuring import Measuring
from airflow_provider_ocr.server.workers.pace import Pace
from airflow_provider_ocr.server.workers.worker import Workers
from airflow_provider_ocr.server.workers.workforce import Workforce

SECONDS = 40.0
SECRET = b"a secret of thirty-two bytes ...."
ENDED = (TaskStatus.COMPLETED, TaskStatus.PROCESSING_FAILED, TaskStatus.NOT_ENOUGH_CREDITS)


class Shop:
    """A data folder and a database, with the application ``app`` and ``other``.

    :param slice_seconds: how long a document keeps a worker while others wait.
    :param server: which server this is.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        tessdata: Tessdata,
        measuring: Measuring,
        slice_seconds: float = 10.0,
        server: str = "here",
    ) -> None:
        self.folder = folder
        self.database = database
        self.applications = Applications(database)
        for name in ("app", "other"):
            if self.applications.find(name) is None:
                self.applications.add(name, "no password")
        sealer = Sealer(SECRET)
        self.store = Store(database, sealer)
        self.work = Work(database, sealer, server=server)
        self.files = ResultFiles(folder)
        self._tessdata = tessdata
        self._new_child = partial(RecognitionChild, tessdata=tessdata.folder)
        self._measuring = measuring
        self._slice_seconds = slice_seconds
        self.is_open = False
        self._make_workforce()

    def _make_workforce(self) -> None:
        self.pace = Pace()
        self.leases = Leases(self.work)
        self.fetcher = SourceFetcher(AddressPolicy([ipaddress.ip_network("127.0.0.0/8")]))
        self._intakes_measuring = Measuring(self._new_child)
        self.intake = Intake(
            work=self.work,
            leases=self.leases,
            files=self.files,
            fetcher=self.fetcher,
            measuring=self._intakes_measuring,
            pace=self.pace,
        )
        spool = Spool(
            self.folder, budget_bytes=2**40, min_free_bytes=0, held_bytes=self.store.unprocessed_bytes
        )
        self.fetchers = Fetchers(
            fetch=self.intake.fetch, spool=spool, image_bytes=2**20, interrupt=self.fetcher.close
        )
        self.workers = Workers(
            work=self.work,
            leases=self.leases,
            files=self.files,
            new_child=self._new_child,
            count=1,
            page_failure=PageFailure.FAIL,
            pace=self.pace,
            slice_seconds=self._slice_seconds,
        )
        self.workforce = Workforce(
            work=self.work,
            leases=self.leases,
            fetchers=self.fetchers,
            measuring=self._intakes_measuring,
            workers=self.workers,
            pace=self.pace,
            count=1,
        )
        self._methods = ApiMethods(
            store=self.store,
            applications=self.applications,
            files=self.files,
            signer=UrlSigner(SECRET),
            runners=self.workforce,
            measure=self._measuring.measure,
            require_supported=partial(supported, tessdata=self._tessdata),
        )

    def open(self) -> None:
        """Begin to work."""
        self.workforce.start()
        self.is_open = True

    def close(self) -> None:
        """Stop, if anybody works; `open` starts everybody anew."""
        if self.is_open:
            self.workforce.stop()
        else:
            self._intakes_measuring.stop()
        self.is_open = False
        self._make_workforce()

    def call(self, method: str, application: str = "app", *, image: bytes = b"", **query: str) -> Any:
        """What a method answers; the one task if it is one."""
        found = self._methods.find(method)
        assert found is not None
        lower = {name.lower(): value for name, value in query.items()}
        with self.files.incoming() as path:
            path.write_bytes(image)
            call = Call(
                application=application, query=lower, base_url="http://h", image=path if image else None
            )
            answer = found.answer(call)
        return answer[0] if isinstance(answer, list) and len(answer) == 1 else answer

    def process(self, image: bytes, application: str = "app", **query: str) -> str:
        """The ID of a new task that is Queued with an image."""
        ocr_task_id: str = self.call(
            "processImage", application, image=image, **{"exportFormat": "txt", **query}
        ).id
        return ocr_task_id

    def fetch(self, source: str, application: str = "app") -> str:
        """The ID of a new task for a remote image."""
        ocr_task_id: str = self.call("processRemoteImage", application, source=source, exportFormat="txt").id
        return ocr_task_id

    def again(self, ocr_task_id: str, **query: str) -> None:
        """Start a task by processDocument."""
        self.call("processDocument", taskId=ocr_task_id, **{"exportFormat": "txt", **query})

    def see(self, ocr_task_id: str) -> StoredTask:
        """A task as it is now."""
        found = self.store.find(ocr_task_id)
        assert found is not None
        return found

    def wait_for(self, ocr_task_id: str, *statuses: TaskStatus) -> StoredTask:
        """A task as soon as it is in one of these states; without any, as soon as it has ended."""
        wait_until(lambda: self.see(ocr_task_id).status in (statuses or ENDED))
        return self.see(ocr_task_id)

    def result(self, ocr_task_id: str, position: int = 1) -> bytes:
        """A published result."""
        task = self.see(ocr_task_id)
        assert task.run is not None, task.error
        export_format = task.settings.export_format[position - 1]
        with self.files.open_result(ocr_task_id, task.run, position, export_format) as file:
            return file.read(0, file.size)

    def words(self, ocr_task_id: str) -> list[str]:
        """The words of a text result."""
        assert self.see(ocr_task_id).settings.export_format[0] is ExportFormat.TXT
        return re.findall(r"\w+", self.result(ocr_task_id).decode("utf-8-sig"))

    def files_of(self, ocr_task_id: str) -> list[str]:
        """The folders in which there are files of a task."""
        # Not by a pattern: folders may go while they are looked at.
        folders = (Path(folder) for folder, _, files in os.walk(self.folder) if files)
        parts = [folder.relative_to(self.folder).parts for folder in folders]
        return sorted({names[0] for names in parts if ocr_task_id in names})

    def set_columns(self, ocr_task_id: str, **values: Any) -> None:
        """Change a task behind everybody's back."""
        with self.database.write() as connection:
            connection.execute(sa.update(tasks).where(tasks.c.id == ocr_task_id).values(values))

    def column(self, ocr_task_id: str, name: str) -> Any:
        """What the database has of a task."""
        with self.database.read() as connection:
            return connection.execute(sa.select(tasks.c[name]).where(tasks.c.id == ocr_task_id)).scalar_one()


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as something has come to pass."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)
