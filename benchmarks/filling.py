# SPDX-License-Identifier: Apache-2.0
"""Fills a server's database with tasks, far more quickly than clients could."""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa

from airflow_provider_ocr.server.records.database import Database, tasks

_AT_ONCE = 10_000
_MS_BETWEEN = 100


def multiply_task(data: Path, ocr_task_id: str, count: int) -> list[str]:
    """Put ``count`` copies of a task's row into the database of a data folder whose server is stopped.

    The copies have no files. Each was registered and changed a tenth of a second before the one before.

    :returns: the IDs of the copies.
    """
    database = Database.in_folder(data)
    new_ids = [str(uuid.uuid4()) for _ in range(count)]
    try:
        with database.read() as connection:
            query = sa.select(tasks).where(tasks.c.id == ocr_task_id)
            original = dict(connection.execute(query).mappings().one())
        for begin in range(0, count, _AT_ONCE):
            rows = [
                {
                    **original,
                    "id": new_id,
                    "registered_ms": original["registered_ms"] - place * _MS_BETWEEN,
                    "changed_ms": original["changed_ms"] - place * _MS_BETWEEN,
                }
                for place, new_id in enumerate(new_ids[begin : begin + _AT_ONCE], start=begin + 1)
            ]
            with database.write() as connection:
                connection.execute(sa.insert(tasks), rows)
    finally:
        database.close()
    return new_ids
