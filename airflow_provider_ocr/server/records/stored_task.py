# SPDX-License-Identifier: Apache-2.0
"""A task as the database keeps it: a row, of which what is private is sealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pendulum
import sqlalchemy as sa

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.records.database import tasks, to_time
from airflow_provider_ocr.server.records.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """One row of the task table.

    :param settings: with ``description`` and ``pdf_password``, the latter only until it was used.
    :param source: the image's URL; None once the image is held.
    :param protected: whether a password came with it, that may have been dropped since.
    :param files_count: how many images it has, or will have once its source is fetched.
    :param image_bytes: how large its images are together; 0 once they are gone.
    :param holds_images: whether its images are there.
    :param pages: of its images; 0 until they were measured.
    :param billed_pages: the same in pages of A4 size.
    :param credits: what it cost, or will.
    :param charged: whether it was paid for.
    :param quality: what recognition found out about the document, as the names of HTTP headers.
    :param run: which recognition's results are its own; None while there are none.
    :param lease: what the worker that has it proves itself with; None while nobody has it.
    :param faults: how often the server itself failed on it.
    """

    id: str
    application: str
    status: TaskStatus
    registered: pendulum.DateTime
    changed: pendulum.DateTime
    settings: ProcessingSettings
    source: str | None
    protected: bool
    error: str | None
    files_count: int
    image_bytes: int
    holds_images: bool
    pages: int
    billed_pages: int
    credits: int
    charged: bool
    quality: Mapping[str, str]
    run: str | None
    lease: str | None
    faults: int


_PLAIN = (
    "id",
    "application",
    "protected",
    "error",
    "files_count",
    "image_bytes",
    "pages",
    "billed_pages",
    "credits",
    "charged",
    "run",
    "lease",
    "faults",
)


class TaskRows:
    """Turns rows into tasks and back.

    :param sealer: for what is private.
    """

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def encode(self, settings: ProcessingSettings, source: str | None) -> dict[str, Any]:
        """The columns that keep what a client asked for."""
        private = {
            "source": source or "",
            "description": settings.description,
            "password": settings.pdf_password,
        }
        return {
            "settings": json.dumps(replace(settings, description="", pdf_password="").to_query()),
            "sealed": self._sealer.seal(private),
            "awaits_source": source is not None,
            "protected": bool(settings.pdf_password),
        }

    def decode(self, row: sa.engine.RowMapping) -> StoredTask:
        """The task in a row."""
        private = self._sealer.open(row["sealed"])
        settings = ProcessingSettings.from_query(json.loads(row["settings"]))
        return StoredTask(
            status=TaskStatus(row["status"]),
            registered=to_time(row["registered_ms"]),
            changed=to_time(row["changed_ms"]),
            settings=replace(
                settings,
                description=private.get("description", ""),
                pdf_password=private.get("password", ""),
            ),
            source=private.get("source"),
            holds_images=row["imaged_ms"] is not None,
            quality=json.loads(row["quality"] or "{}"),
            **{name: row[name] for name in _PLAIN},
        )

    def without_secrets(self, task: StoredTask) -> dict[str, Any]:
        """The columns of a task whose source and password have served their purpose."""
        return self.encode(replace(task.settings, pdf_password=""), None) | {"protected": task.protected}

    def find(self, connection: sa.Connection, ocr_task_id: str) -> StoredTask:
        """The task with this ID, within a transaction that has seen it."""
        query = sa.select(tasks).where(tasks.c.id == ocr_task_id)
        return self.decode(connection.execute(query).mappings().one())


WIPED: Mapping[str, Any] = {
    # The format stands for all: what is wiped is not recognised again.
    "settings": json.dumps({"exportFormat": "txt"}),
    "sealed": None,
    "awaits_source": False,
    "error": None,
    "quality": None,
    "run": None,
    "imaged_ms": None,
    "image_bytes": 0,
    "lease": None,
    "lease_until_ms": 0,
}
"""The columns of a task of which nothing private is left."""


def encode_quality(quality: Mapping[str, str]) -> str:
    """The form in which the ``quality`` column keeps its value."""
    return json.dumps(dict(quality))
