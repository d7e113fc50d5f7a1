# SPDX-License-Identifier: Apache-2.0
"""The server's database: its five tables, and transactions on SQLite and PostgreSQL.

What a writing transaction has done is durable when it is over. On SQLite writing transactions run one
after the other; on PostgreSQL they lock the rows that they change, a task's before its application's.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pendulum
import sqlalchemy as sa

SCHEMA = "2"

_metadata = sa.MetaData()

applications = sa.Table(
    "applications",
    _metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    sa.Column("password_hash", sa.String(255), nullable=False),
    sa.Column("credits", sa.BigInteger),  # none: unlimited
    sa.Column("reserved", sa.BigInteger, nullable=False, default=0),
    sa.Column("used", sa.BigInteger, nullable=False, default=0),
    sa.Column("disabled", sa.Boolean, nullable=False, default=False),
    sa.Column("keep_images_hours", sa.Float),
    sa.Column("keep_results_hours", sa.Float),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("served_ms", sa.BigInteger, nullable=False, default=0),
)

tasks = sa.Table(
    "tasks",
    _metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("application", sa.String(255), nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("registered_ms", sa.BigInteger, nullable=False),
    sa.Column("changed_ms", sa.BigInteger, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("sealed", sa.Text),
    sa.Column("awaits_source", sa.Boolean, nullable=False, default=False),
    sa.Column("protected", sa.Boolean, nullable=False, default=False),
    sa.Column("error", sa.Text),
    sa.Column("files_count", sa.Integer, nullable=False, default=1),
    sa.Column("image_bytes", sa.BigInteger, nullable=False, default=0),
    sa.Column("imaged_ms", sa.BigInteger),  # when the last image came; none: no image is held
    sa.Column("pages", sa.Integer, nullable=False, default=0),
    sa.Column("billed_pages", sa.Integer, nullable=False, default=0),
    sa.Column("credits", sa.BigInteger, nullable=False, default=0),
    sa.Column("reserved", sa.BigInteger, nullable=False, default=0),
    sa.Column("charged", sa.Boolean, nullable=False, default=False),
    sa.Column("quality", sa.Text),
    sa.Column("run", sa.String(36)),
    sa.Column("lease", sa.String(36)),
    sa.Column("lease_until_ms", sa.BigInteger, nullable=False, default=0),
    sa.Column("ready_ms", sa.BigInteger, nullable=False, default=0),
    sa.Column("faults", sa.Integer, nullable=False, default=0),
    sa.Index("ix_tasks_application_changed", "application", "changed_ms"),
    sa.Index("ix_tasks_application_registered", "application", "registered_ms"),
    sa.Index("ix_tasks_status_application_ready", "status", "application", "ready_ms"),
)

ledger = sa.Table(
    "ledger",
    _metadata,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("application", sa.String(255), nullable=False, index=True),
    # A task is charged once in its life; the database itself sees to that.
    sa.Column("ocr_task_id", sa.String(36), unique=True),
    sa.Column("time_ms", sa.BigInteger, nullable=False),
    sa.Column("pages", sa.Integer, nullable=False, default=0),
    sa.Column("credits", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
)

request_keys = sa.Table(
    "request_keys",
    _metadata,
    sa.Column("application", sa.String(255), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("ocr_task_id", sa.String(36), nullable=False, index=True),
)

_schema = sa.Table(
    "schema",
    _metadata,
    sa.Column("version", sa.String(32), primary_key=True),
    sa.Column("identity", sa.String(32), nullable=False),
)


class OtherSchemaError(Exception):
    """The database was made by another version of the server, with other tables."""


class Database:
    """One database.

    :param url: an SQLAlchemy URL of SQLite or PostgreSQL.
    :raises OtherSchemaError: if its tables are another version's.
    """

    def __init__(self, url: str) -> None:
        # Errors would show parameters, and with them what clients sent.
        self._engine = sa.create_engine(
            url,
            future=True,
            hide_parameters=True,
            # A database elsewhere may have been restarted; a file has not.
            pool_pre_ping=sa.engine.make_url(url).get_backend_name() != "sqlite",
        )
        # SQLite has those who wait for its lock ask again and again, and the unlucky wait for seconds.
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()
        if self.is_sqlite:
            sa.event.listen(self._engine, "connect", _configure_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)
        self._make_tables()

    @classmethod
    def in_folder(cls, folder: Path) -> Database:
        """The SQLite database in a data folder."""
        return cls(f"sqlite:///{folder / 'server.sqlite'}")

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self._engine.dialect.name == "sqlite"

    @property
    def identity(self) -> str:
        """What tells it from every other database; made with its tables, and copied with them."""
        with self.read() as connection:
            return str(connection.execute(sa.select(_schema.c.identity)).scalar_one())

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def check(self) -> None:
        """Return if the database answers; raise what it says if not."""
        with self.read() as connection:
            connection.execute(sa.select(_schema.c.version))

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read from."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction; done for good afterwards, undone if an exception leaves it."""
        with self._turn, self._engine.connect() as plain:
            connection = plain.execution_options(writes=True)
            with connection.begin():
                yield connection

    def compact(self) -> bool:
        """Make SQLite overwrite what its log still tells of rows that are gone.

        :returns: False if somebody was just reading, so that it has to be tried again.
        """
        if not self.is_sqlite:
            return True
        with self._engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        return not busy

    def _make_tables(self) -> None:
        with self.write() as connection:
            if self._engine.dialect.name == "postgresql":
                # Two servers that start at once make the tables once.
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(20263)"))
            _metadata.create_all(connection)
            version = connection.execute(sa.select(_schema.c.version)).scalar()
            if version is None:
                connection.execute(sa.insert(_schema).values(version=SCHEMA, identity=uuid.uuid4().hex))
            elif version != SCHEMA:
                raise OtherSchemaError(
                    f"The database has tables of version {version}, this server needs version {SCHEMA}; "
                    "start the server that made it, or name another database."
                )


def now_ms() -> int:
    """The time, in milliseconds since 1970."""
    return int(pendulum.now("UTC").timestamp() * 1000)


def to_ms(time: pendulum.DateTime) -> int:
    """A time as the tables have it."""
    return int(time.timestamp() * 1000)


def to_time(milliseconds: int) -> pendulum.DateTime:
    """A time out of the tables."""
    return pendulum.from_timestamp(milliseconds / 1000)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # sqlite3 begins no transaction by itself then; `_begin_sqlite` does.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A reader that became a writer midway would be refused if another had written in between.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
