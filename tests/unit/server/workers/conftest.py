# SPDX-License-Identifier: Apache-2.0
"""On every day workers work on SQLite: what they ask of a database, `records` and `api` ask of both kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import empty_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    return empty_database(request, tmp_path)
