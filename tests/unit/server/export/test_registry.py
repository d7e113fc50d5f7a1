# SPDX-License-Identifier: Apache-2.0
"""What is announced as supported is what is carried out."""

from __future__ import annotations

from airflow_provider_ocr.server.export import FORMATS
from airflow_provider_ocr.server.recognition.support import SUPPORTED_FORMATS


def test_every_supported_format_has_an_exporter_and_no_other_has() -> None:
    assert FORMATS == SUPPORTED_FORMATS
