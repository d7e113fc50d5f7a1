# SPDX-License-Identifier: Apache-2.0
"""Empty databases, for fixtures whose parameter says of which kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgresql import PostgresqlServer


def empty_database(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a database.

    :param request: of a fixture whose parameter is ``sqlite`` or ``postgresql``.
    :param folder: where an SQLite file goes.
    """
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'server.sqlite'}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.empty_database()
