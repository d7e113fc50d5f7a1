# SPDX-License-Identifier: Apache-2.0
"""What the fixture's switches do not show; the rest is in ``tests/unit/test_testing.py``."""

from __future__ import annotations

import pytest
import requests

from airflow_provider_ocr.server.rehearsal.interference import METHODS
from airflow_provider_ocr.testing import CloudOcrRehearsal


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_one_of_the_server_and_is_noted_as_the_api_spells_it(
    cloud_ocr: CloudOcrRehearsal, name: str
) -> None:
    assert requests.get(f"{cloud_ocr.url}/{name.upper()}?a=1", timeout=5).status_code == 401
    [request] = cloud_ocr.requests()
    assert (request.method, request.status, request.parameters) == (name, 401, {"a": "1"})


def test_what_is_no_method_passes_unnoted_and_unharmed(cloud_ocr: CloudOcrRehearsal) -> None:
    cloud_ocr.answer(503, times=None)
    assert requests.get(f"{cloud_ocr.url}/health", timeout=5).text == "ok\n"
    assert requests.get(f"{cloud_ocr.url}/processReceipt", timeout=5).status_code == 404
    assert cloud_ocr.requests() == []


def test_faults_come_in_the_order_in_which_they_were_asked_for(cloud_ocr: CloudOcrRehearsal) -> None:
    cloud_ocr.answer(503, methods=("listTasks",), times=2)
    cloud_ocr.answer(500)
    statuses = [
        requests.get(f"{cloud_ocr.url}/{name}", timeout=5).status_code
        for name in ("listTasks", "getTaskStatus", "listTasks", "listTasks")
    ]
    assert statuses == [503, 500, 503, 401]
