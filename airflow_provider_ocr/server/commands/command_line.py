# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server``: starts the server, keeps its accounts, says what it needs to run without Airflow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import requires

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server.commands.account_commands import add_account_commands
from airflow_provider_ocr.server.commands.environment import PREFIX, add_flags
from airflow_provider_ocr.server.commands.language_commands import add_language_commands
from airflow_provider_ocr.server.commands.serve_flags import SERVE_FLAGS, TEST_FLAGS
from airflow_provider_ocr.server.commands.task_commands import add_task_commands
from airflow_provider_ocr.server.operations.command_errors import CommandError, UsageError

DISTRIBUTION = "airflow-provider-ocr"
_INTERRUPTED = 130

_ENVIRONMENT = (
    f"Each option with a value may also stand in the environment: --data as {PREFIX}DATA and so on."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    :returns: the exit status: 0 if it did what it was told, 1 if it could not, 130 if it was interrupted.
    :raises SystemExit: with 2 if the command line or the environment is wrong.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        given.run(given)
    except UsageError as error:
        given.parser.error(str(error))
    except CommandError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)  # noqa: T201 - logging is for what runs
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def server_requirements() -> list[str]:
    """What the server needs beside this package, as pip takes it."""
    marker = 'extra == "server"'
    found = (entry.partition(";") for entry in requires(DISTRIBUTION) or ())
    return [
        requirement.strip() for requirement, _, condition in found if marker in condition.replace("'", '"')
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloud-ocr-server", description=__doc__, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser(
        "serve",
        help="answer the Cloud OCR SDK API and recognise",
        epilog=_ENVIRONMENT,
        allow_abbrev=False,
    )
    add_flags(serving, SERVE_FLAGS)
    add_flags(
        serving.add_argument_group(
            "to test clients: without recognition, and with what the API's documentation leaves open"
        ),
        TEST_FLAGS,
    )
    serving.set_defaults(run=_serve, parser=serving)
    add_account_commands(commands)
    add_task_commands(commands)
    add_language_commands(commands)
    needed = commands.add_parser(
        "requirements",
        help="print the packages that the server needs, one a line, for machines without Airflow",
    )
    needed.set_defaults(run=_print_requirements, parser=needed)
    return parser


def _serve(given: argparse.Namespace) -> None:
    from airflow_provider_ocr.server.commands.serving import serve

    serve(given)


def _print_requirements(_: argparse.Namespace) -> None:
    print("\n".join(server_requirements()))  # noqa: T201 - this is what the command is for
