# SPDX-License-Identifier: Apache-2.0
"""Pages to one result file per format: ``start(summary)``, ``page(page)`` for each, ``finish()``."""

from __future__ import annotations

from airflow_provider_ocr.server.export.registry import (
    FORMATS,
    DocumentSummary,
    Exporter,
    exporter_for,
)

__all__ = ["FORMATS", "DocumentSummary", "Exporter", "exporter_for"]
