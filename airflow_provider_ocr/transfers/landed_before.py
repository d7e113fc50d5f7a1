# SPDX-License-Identifier: Apache-2.0
"""The manifest of a landing whose OCR task was deleted, for a retry that finds it deleted.

A worker may die between the deletion and the end of its Airflow task. The retry can ask the service for
nothing any more, but the files are there, and Airflow remembers their manifest (Airflow 3.3 and newer).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

_KEY = "cloud_ocr_landed"


def remember_landed(context: Context, manifest: dict[str, Any]) -> None:
    """Note what has landed, where Airflow remembers for its tasks.

    :param context: of the Airflow task that landed it.
    :param manifest: its return value.
    """
    store: Any = context.get("task_state_store")
    if store is not None:
        store.set(_KEY, json.dumps(manifest))


def landed_before(context: Context, ocr_task_id: str) -> dict[str, Any] | None:
    """The manifest that an earlier try noted, if every file of it still is what it says.

    :param context: of the Airflow task.
    :param ocr_task_id: the OCR task that is to land.
    """
    store: Any = context.get("task_state_store")
    noted = None if store is None else store.get(_KEY)
    if noted is None:
        return None
    manifest: dict[str, Any] = json.loads(str(noted))
    if manifest["ocr_task_id"] != ocr_task_id or not all(map(_is_there, manifest["files"])):
        return None
    return manifest


def _is_there(file: dict[str, Any]) -> bool:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_ocr.lifecycle.existing import Found, find

    path = ObjectStoragePath(file["uri"])
    return find(path.fs, path.path, size=file["size"], sha256=file["sha256"]) is Found.SAME
