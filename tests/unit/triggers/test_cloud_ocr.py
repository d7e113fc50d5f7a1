# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib

from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger

ARGUMENTS = {
    "ocr_task_id": "0f4d2a86-6a3c-4a55-9c0e-1d2f3a4b5c6d",
    "deadline": "2026-11-22T15:00:00+00:00",
    "poll_interval": 10.0,
    "cloud_ocr_conn_id": "cloud_ocr_default",
}


def test_it_is_made_again_from_what_it_serialises() -> None:
    path, arguments = CloudOcrTaskTrigger(**ARGUMENTS).serialize()
    module, _, name = path.rpartition(".")
    again = getattr(importlib.import_module(module), name)(**arguments)
    assert again.serialize() == (path, ARGUMENTS)


def test_it_leaves_the_task_id_of_airflow_to_airflow() -> None:
    assert "task_id" not in CloudOcrTaskTrigger(**ARGUMENTS).serialize()[1]
