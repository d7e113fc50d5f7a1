# SPDX-License-Identifier: Apache-2.0
"""Opens what a server keeps: its database, files and secret, for the server itself and for the commands that
work beside it. What is wrong with them is said in a sentence that holds no password.
"""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa

from airflow_provider_ocr.server.files.results import OtherOwnerError, ResultFiles
from airflow_provider_ocr.server.files.storage import open_storage
from airflow_provider_ocr.server.operations.command_errors import CommandError
from airflow_provider_ocr.server.records.database import Database, OtherSchemaError
from airflow_provider_ocr.server.records.sealing import load_or_make_secret

_SECRET_NAME = "server.secret"  # noqa: S105 - a file's name
_DATABASE_NAME = "server.sqlite"
_ELSEWHERE_NAME = "server.database-elsewhere"
_POSTGRESQL = ("postgresql://", "postgres://")


def open_database(data: Path | None, url: str | None) -> Database:
    """The database of a server.

    :param data: its data folder; not needed where ``url`` is given.
    :param url: an SQLAlchemy URL, or PostgreSQL's own; None for SQLite in ``data``.
    :raises CommandError: if it cannot be opened.
    """
    try:
        if url is not None:
            return Database(_with_driver(url))
        if data is None:
            raise CommandError("either --data or --database says which server is meant.")
        return Database.in_folder(data)
    except (OtherSchemaError, ModuleNotFoundError, sa.exc.SQLAlchemyError) as error:
        raise CommandError(explain(error)) from None


def note_database(data: Path, url: str | None) -> None:
    """Leave in a server's data folder whether its database lies there, for the commands beside it.

    :param url: what the server was started with; None for SQLite in ``data``.
    :raises CommandError: if that cannot be written.
    """
    note = data / _ELSEWHERE_NAME
    try:
        if url is None:
            note.unlink(missing_ok=True)
        else:
            # Not the URL, which may hold a password.
            note.write_text("This folder's server was started with --database.\n")
    except OSError as error:
        raise CommandError(f"{note} cannot be written: {error.strerror}.") from None


def open_files(data: Path, url: str | None) -> ResultFiles:
    """The images, pages and results of a server.

    :param url: an fsspec URL; None for the data folder.
    :raises CommandError: if there is nothing like it.
    """
    try:
        return ResultFiles(data, storage=None if url is None else open_storage(url))
    except (ImportError, OSError, ValueError) as error:
        raise CommandError(f"--storage cannot be used: {error}") from None


def claim_files(files: ResultFiles, database: Database) -> None:
    """See to it that a storage has one database's files only, because its servers delete all others.

    :raises CommandError: if it has another database's files, or cannot be used.
    """
    try:
        files.claim(database.identity)
    except OtherOwnerError as error:
        raise CommandError(
            f"the storage {error} has the files of another database, and they would be deleted; name that "
            "database with --database, or, above all if it is gone, an empty folder or prefix with --storage."
        ) from None
    except OSError as error:
        raise CommandError(f"--storage cannot be used: {error}") from None


def open_secret(data: Path, file: Path | None) -> bytes:
    """The secret that a server seals and signs with.

    :param file: where it is; None for the data folder, where it is made if it is not there.
    :raises CommandError: if it cannot be read, or is too short.
    """
    path = file or data / _SECRET_NAME
    try:
        return load_or_make_secret(path)
    except OSError as error:
        raise CommandError(f"the secret in {path} cannot be used: {error.strerror}.") from None
    except ValueError as error:
        raise CommandError(str(error)) from None


def require_server(data: Path | None, url: str | None, *, new: bool = False) -> None:
    """See to it that a command works on the server that is meant, as its own user.

    :param new: whether there need not be a database yet; then the folder is made.
    :raises CommandError: if there is no server in the folder, its database is not there, or the folder is
        another user's.
    """
    if url is not None or data is None:
        return
    if (data / _ELSEWHERE_NAME).exists():
        raise CommandError(
            f"the server in {data} has its database elsewhere; name it as the server's start does, with "
            "--database or CLOUD_OCR_SERVER_DATABASE."
        )
    database = data / _DATABASE_NAME
    if new:
        try:
            data.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CommandError(f"the data folder {data} cannot be used: {error.strerror}.") from None
    elif not database.exists():
        raise CommandError(
            f"there is no server's database in {data}; name the folder that the server is started with."
        )
    owner = (database if database.exists() else data).stat().st_uid
    if os.geteuid() == 0 != owner:
        # What root makes, the server could not write to.
        raise CommandError(f"{data} is user {owner}'s; run this as that user: sudo --user '#{owner}' ...")


def _with_driver(url: str) -> str:
    # SQLAlchemy 2.1 would take another driver than 2.0 does, for the same URL.
    for scheme in _POSTGRESQL:
        if url.startswith(scheme):
            return f"postgresql+psycopg2://{url.removeprefix(scheme)}"
    return url


def explain(error: Exception) -> str:
    """What went wrong with a database, in one line, without values and passwords."""
    if isinstance(error, sa.exc.NoSuchModuleError | sa.exc.ArgumentError):
        return "--database is no URL that SQLAlchemy takes, for example postgresql://HOST/NAME."
    if isinstance(error, ModuleNotFoundError):
        return (
            f"the database needs the Python package {error.name}; for PostgreSQL: "
            "pip install 'airflow-provider-ocr[postgresql]'"
        )
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return f"the database cannot be used: {' '.join(str(cause).split())}"
