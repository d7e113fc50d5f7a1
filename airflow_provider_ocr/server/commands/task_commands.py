# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server tasks``: what an operator does with tasks, whether the server is running or not."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_ocr.server.commands import flag_values
from airflow_provider_ocr.server.commands.environment import add_flags, option_values
from airflow_provider_ocr.server.commands.serve_flags import DATA, DATABASE, SECRET_FILE, STORAGE
from airflow_provider_ocr.server.operations.command_errors import CommandError

if TYPE_CHECKING:
    from airflow_provider_ocr.protocol.vocabulary import TaskStatus
    from airflow_provider_ocr.server.operations.purging import Purge
    from airflow_provider_ocr.server.records.database import Database

_FLAGS = (DATA, DATABASE, STORAGE, SECRET_FILE)
_PURGING = (
    "delete tasks with their images, pages, results, descriptions and sources before their time is over; "
    "also those that wait to be recognised, but none that is being recognised"
)


def add_task_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Let a command line have these commands."""
    tasks = commands.add_parser("tasks", help="delete tasks with everything that they hold")
    actions = tasks.add_subparsers(dest="action", required=True)
    purge = actions.add_parser("purge", help=_PURGING, description=_PURGING, allow_abbrev=False)
    add_flags(purge, _FLAGS)
    # Not the application of `serve`, which comes with a password.
    purge.add_argument(
        "--application",
        type=flag_values.application_name,
        dest="owner",
        metavar="NAME",
        help="only this application's (default: everybody's)",
    )
    purge.add_argument(
        "--older-than",
        type=flag_values.period,
        metavar="HOURS",
        help="only those that have not changed for so long (default: all)",
    )
    purge.add_argument("--yes", action="store_true", help="do not ask first")
    purge.set_defaults(run=_purge, parser=purge)


def _purge(given: argparse.Namespace) -> None:
    from airflow_provider_ocr.protocol.vocabulary import TaskStatus
    from airflow_provider_ocr.server.records.tasks import can_delete

    with _opened(given) as purge:
        found = purge.count()
        running = found.get(TaskStatus.IN_PROGRESS, 0)
        deletable = {status: count for status, count in found.items() if can_delete(status)}
        if deletable and not given.yes:
            _ask(deletable)
        deleted = purge.run()
    print(f"Tasks deleted, with everything that they held: {deleted}.")  # noqa: T201 - the command's answer
    if running:
        _tell(f"Tasks left because they are being recognised: {running}. Purge again when they are done.")


@contextmanager
def _opened(given: argparse.Namespace) -> Iterator[Purge]:
    import pendulum
    from sqlalchemy.exc import SQLAlchemyError

    from airflow_provider_ocr.server.operations.opening import (
        explain,
        open_database,
        open_files,
        open_secret,
        require_server,
    )
    from airflow_provider_ocr.server.operations.purging import Purge, Selection
    from airflow_provider_ocr.server.records.sealing import Sealer, UnreadableSealError

    values = option_values(_FLAGS, given, os.environ)
    os.umask(0o077)
    require_server(values["data"], values["database"])
    database = open_database(values["data"], values["database"])
    try:
        _require_application(database, given.owner)
        before = pendulum.now("UTC").subtract(seconds=int((given.older_than or 0) * 3600))
        yield Purge(
            database=database,
            sealer=Sealer(open_secret(values["data"], values["secret_file"])),
            files=open_files(values["data"], values["storage"]),
            which=Selection(application=given.owner, before=before),
        )
    except SQLAlchemyError as error:
        raise CommandError(explain(error)) from None
    except (LookupError, OSError, UnreadableSealError) as error:
        raise CommandError(str(error)) from None
    finally:
        database.close()


def _require_application(database: Database, name: str | None) -> None:
    from airflow_provider_ocr.server.records.applications import Applications

    if name is not None and Applications(database).find(name) is None:
        raise CommandError(
            f"there is no application {name!r}; `cloud-ocr-server applications list` shows all."
        )


def _ask(found: Mapping[TaskStatus, int]) -> None:
    if not sys.stdin.isatty():
        raise CommandError("nothing was deleted: there is nobody to ask; say --yes to delete without asking.")
    parts = ", ".join(f"{count} {status}" for status, count in found.items())
    _tell(f"Tasks to be deleted, with everything that they hold: {parts}.")
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - as `_tell`
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was deleted.")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - for the person; standard output has the answer
