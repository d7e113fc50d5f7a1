# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server applications``: who may use the server, and how many credits each has.

They work on the server's database, whether it is running or not; it heeds them with the next request.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_ocr.server.commands import flag_values
from airflow_provider_ocr.server.commands.environment import add_flags, option_values
from airflow_provider_ocr.server.commands.listing import Output, list_text
from airflow_provider_ocr.server.commands.serve_flags import DATA, DATABASE
from airflow_provider_ocr.server.operations.command_errors import CommandError

if TYPE_CHECKING:
    from airflow_provider_ocr.server.records.applications import Application, Applications

_FLAGS = (replace(DATA, required=False), DATABASE)
_GENERATED_BYTES = 24
_ABSENT = {"credits": "unlimited", "keep_images_hours": "default", "keep_results_hours": "default"}


def add_account_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Let a command line have these commands."""
    applications = commands.add_parser(
        "applications", help="who may use the server, and how many credits each has"
    )
    actions = applications.add_subparsers(dest="action", required=True)
    _add_add(actions)
    listing = _command(actions, "list", _list, "list all applications", named=False)
    _add_output(listing)
    _command(actions, "disable", _disable, "shut an application out; what it has sent is still recognised")
    _command(actions, "enable", _enable, "let an application in again")
    _add_password(_command(actions, "set-password", _set_password, "give an application another password"))
    credit = _command(
        actions, "credit", _credit, "give an application credits; if it was unlimited, it has just these then"
    )
    credit.add_argument("credits", type=flag_values.credit_change, metavar="N", help="may be negative")
    _add_output(_command(actions, "ledger", _ledger, "list each change of an application's credits"))


def _add_add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = _command(actions, "add", _add, "make an application")
    _add_password(add)
    add.add_argument(
        "--credits",
        type=flag_values.credit_count,
        metavar="N",
        help="5 for each A4 page (default: unlimited)",
    )
    for name in ("images", "results"):
        add.add_argument(
            f"--keep-{name}",
            type=flag_values.period,
            metavar="HOURS",
            help=f"how long its {name} are kept (default: as the server's --keep-{name})",
        )


def _add_password(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--password-file",
        metavar="FILE",
        help="file with its password; - for standard input (default: one is made up and printed once)",
    )


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        *("-o", "--output"),
        type=Output,
        choices=list(Output),
        default=Output.TABLE,
        help="format (default: table)",
    )


def _command(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], None],
    explanation: str,
    *,
    named: bool = True,
) -> argparse.ArgumentParser:
    command = actions.add_parser(name, help=explanation, description=explanation, allow_abbrev=False)
    add_flags(command, _FLAGS)
    if named:
        command.add_argument("name", type=flag_values.application_name, metavar="NAME")
    command.set_defaults(run=run, parser=command)
    return command


@contextmanager
def _applications(given: argparse.Namespace, *, new: bool = False) -> Iterator[Applications]:
    from sqlalchemy.exc import SQLAlchemyError

    from airflow_provider_ocr.server.operations.opening import explain, open_database, require_server
    from airflow_provider_ocr.server.records.applications import Applications

    values = option_values(_FLAGS, given, os.environ)
    os.umask(0o077)
    require_server(values["data"], values["database"], new=new)
    database = open_database(values["data"], values["database"])
    try:
        yield Applications(database)
    except (LookupError, ValueError) as error:
        raise CommandError(str(error)) from None
    except SQLAlchemyError as error:
        raise CommandError(explain(error)) from None
    finally:
        database.close()


def _add(given: argparse.Namespace) -> None:
    from airflow_provider_ocr.server.accounts.passwords import hash_password

    password, generated = _password(given.password_file)
    with _applications(given, new=True) as applications:
        applications.add(
            given.name,
            hash_password(password),
            credits=given.credits,
            keep_images_hours=given.keep_images,
            keep_results_hours=given.keep_results,
        )
    _tell(f"Application {given.name!r} may use the server now.")
    _show_generated(password, generated=generated)


def _set_password(given: argparse.Namespace) -> None:
    from airflow_provider_ocr.server.accounts.passwords import hash_password

    password, generated = _password(given.password_file)
    with _applications(given) as applications:
        applications.set_password(given.name, hash_password(password))
    _tell(f"Application {given.name!r} has another password now.")
    _show_generated(password, generated=generated)


def _list(given: argparse.Namespace) -> None:
    with _applications(given) as applications:
        rows = [
            {
                "name": application.name,
                "credits": application.credits,
                "reserved": application.reserved,
                "used": application.used,
                "disabled": application.disabled,
                "keep_images_hours": application.keep_images_hours,
                "keep_results_hours": application.keep_results_hours,
                "created": application.created.to_iso8601_string(),
            }
            for application in applications.all()
        ]
    _print(list_text(rows, given.output, absent=_ABSENT))


def _disable(given: argparse.Namespace) -> None:
    with _applications(given) as applications:
        applications.set_disabled(given.name, True)
    _tell(f"Application {given.name!r} is shut out.")


def _enable(given: argparse.Namespace) -> None:
    with _applications(given) as applications:
        applications.set_disabled(given.name, False)
    _tell(f"Application {given.name!r} may use the server again.")


def _credit(given: argparse.Namespace) -> None:
    with _applications(given) as applications:
        application: Application = applications.credit(given.name, given.credits)
    _tell(
        f"Application {given.name!r} has {application.credits} credits now, "
        f"{application.reserved} of them reserved for what it has sent."
    )


def _ledger(given: argparse.Namespace) -> None:
    with _applications(given) as applications:
        rows = [
            {
                "time": entry.time.to_iso8601_string(),
                "task": entry.ocr_task_id,
                "pages": entry.pages,
                "credits": entry.credits,
                "reason": entry.reason,
            }
            for entry in applications.ledger(given.name)
        ]
    _print(list_text(rows, given.output))


def _password(file: str | None) -> tuple[str, bool]:
    """The password that a file has, or a new one; and whether it is a new one."""
    if file is None:
        return secrets.token_urlsafe(_GENERATED_BYTES), True
    if file == "-" and sys.stdin.isatty():
        text = getpass("Password: ")
    else:
        try:
            text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise CommandError(f"--password-file: {file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"--password-file: {file} is not UTF-8 text.") from None
    password = text.removesuffix("\n").removesuffix("\r")
    if not password or not password.isprintable():
        raise CommandError("the password may not be empty, or have a line end or control character in it.")
    return password, False


def _show_generated(password: str, *, generated: bool) -> None:
    if generated:
        _tell("Its password, which is not shown again:")
        _print(password)


def _print(text: str) -> None:
    print(text)  # noqa: T201 - what the command is asked for


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - for the person; standard output is for programs
