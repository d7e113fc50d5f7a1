# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of the tests' own, on a free port of the loopback address."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from demo.processes import LOOPBACK, free_port

_DEBIAN = Path("/usr/lib/postgresql")
_USER = "postgres"


def find_programs() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``, or None if PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


class PostgresqlServer:
    """Runs while the context lasts; all its data are gone afterwards.

    :param programs: what `find_programs` found.
    """

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._port = free_port()
        # Not among pytest's folders: those are closed to the user that PostgreSQL runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self._folder, _USER)
        data = str(self._folder / "data")
        self._run("initdb", "--pgdata", data, "--username", _USER, "--auth", "trust", "--no-sync")
        options = f"-p {self._port} -k {self._folder} -c listen_addresses={LOOPBACK} -c fsync=off"
        log = str(self._folder / "log")
        self._run("pg_ctl", "--pgdata", data, "--log", log, "--wait", "--options", options, "start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run("pg_ctl", "--pgdata", str(self._folder / "data"), "--mode", "immediate", "stop")
        shutil.rmtree(self._folder)

    def holds(self, word: bytes) -> bool:
        """Whether a word stands anywhere in the server's files, its write-ahead log included."""
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")
        engine.dispose()
        files = (path for path in (self._folder / "data").rglob("*") if path.is_file())
        return any(word in path.read_bytes() for path in files)

    def empty_database(self) -> str:
        """The SQLAlchemy URL of a database that has nothing in it any more; a new one takes longer."""
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        engine.dispose()
        return self._url("postgres")

    def new_database(self) -> str:
        """The SQLAlchemy URL of a database that nobody else uses."""
        name = f"test_{uuid.uuid4().hex}"
        engine = sa.create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg2://{_USER}@{LOOPBACK}:{self._port}/{name}"

    def _run(self, program: str, *arguments: str) -> None:
        # It refuses to run as root.
        user = pwd.getpwnam(_USER) if os.geteuid() == 0 else None
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
