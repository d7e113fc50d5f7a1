# SPDX-License-Identifier: Apache-2.0
"""What Airflow's command line is told about ``airflow ocr``.

Every ``airflow`` command reads this, whatever it is about; so it imports values only, and the commands
themselves are loaded when one is called.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from datetime import datetime

from airflow.cli.cli_config import (  # type: ignore[attr-defined]  # parsedate: dates as in other commands
    ARG_OUTPUT,
    ARG_VERBOSE,
    ARG_YES,
    ActionCommand,
    Arg,
    CLICommand,
    GroupCommand,
    lazy_load_command,
    parsedate,
)

from airflow_provider_ocr.cli.exits import EXIT_CODES
from airflow_provider_ocr.cli.settings_flags import refused_args, settings_args
from airflow_provider_ocr.hooks.connection_form import DEFAULT_CONN_ID
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL, ExportFormat, TaskStatus

_YEARS = range(1900, 9000)
_DATE_FORMS = "as in 2026-11-22 or 2026-11-22T14:30:00+01:00"


def get_cloud_ocr_cli_commands() -> list[CLICommand]:
    """The commands, for the ``cli`` entry of the provider's description (Airflow 3.2 and newer)."""
    return [
        GroupCommand(
            name="ocr",
            help="Recognise documents with a Cloud OCR SDK server",
            description="Recognise documents with a Cloud OCR SDK server.",
            subcommands=(*_starting_commands(), *_asking_commands(), *_ending_commands()),
            epilog=EXIT_CODES,
        )
    ]


def _number(at_least: float, words: str) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not at_least <= value < float("inf"):
            raise ArgumentTypeError(f"{text!r} is not {words}")
        return value

    return number


def _date(text: str) -> datetime:
    """A moment as other commands of Airflow read it, which take spans of time such as P1D as well."""
    try:
        moment: object = parsedate(text)
    except (ValueError, OverflowError):
        moment = None
    if not isinstance(moment, datetime) or moment.year not in _YEARS:
        raise ArgumentTypeError(f"{text!r} is not a date {_DATE_FORMS}")
    return moment


_ARG_CONN_ID = Arg(
    ("--conn-id",),
    help="ID of a connection of type cloud_ocr (default: %(default)s)",
    default=DEFAULT_CONN_ID,
)
# A bare ID is what scripts catch: ID=$(airflow ocr submit ...).
_ARG_OUTPUT_OR_ID = Arg(
    ARG_OUTPUT.flags,
    help="Output format. Allowed values: json, yaml, plain, table (default: only the OCR task's ID)",
    metavar=ARG_OUTPUT.kwargs["metavar"],
    choices=ARG_OUTPUT.kwargs["choices"],
)
_ARG_TASK = Arg(("ocr_task_id",), help="ID of an OCR task", metavar="ID")
_ARG_TASKS = Arg(("ocr_task_ids",), help="IDs of OCR tasks", metavar="ID", nargs="+")
_ARG_WAIT = Arg(
    ("--wait",), help="Wait until the OCR task has ended, as `airflow ocr wait` does", action="store_true"
)
_WAITING = (
    Arg(
        ("--timeout",),
        help="Seconds after which to give up; a day by default, the service keeps results no longer",
        type=_number(0, "a number of seconds"),
        default=24 * 3600.0,
    ),
    Arg(
        ("--poll-interval",),
        help="Seconds between two looks at an OCR task, at least 2 (default: 5)",
        type=_number(SHORTEST_POLL_INTERVAL, "a number of seconds, at least 2, as the service asks"),
        default=5.0,
    ),
)


def _command(
    name: str, module: str, text: str, args: Sequence[Arg], *, output: Arg = ARG_OUTPUT
) -> ActionCommand:
    return ActionCommand(
        name=name,
        help=text,
        func=lazy_load_command(f"airflow_provider_ocr.cli.{module}.{name}_command"),
        args=(*args, _ARG_CONN_ID, output, ARG_VERBOSE),
    )


def _starting_commands() -> list[ActionCommand]:
    settings = (*settings_args(), *refused_args())
    return [
        _command(
            "submit",
            "starting",
            "Submit the image at a URL and print the OCR task's ID (processRemoteImage); costs credits",
            (
                Arg(
                    ("url",),
                    help="URL of the image; - reads it from standard input",
                    metavar="URL",
                    nargs="?",
                ),
                Arg(("--source",), help="The same as a flag", metavar="URL"),
                Arg(
                    ("--idempotency-key",),
                    help="Any text that names this submission: the same command with the same key submits no "
                    "second time. Takes up to a minute where nothing was submitted before",
                    metavar="KEY",
                ),
                *settings,
                _ARG_WAIT,
                *_WAITING,
            ),
            output=_ARG_OUTPUT_OR_ID,
        ),
        _command(
            "resume",
            "starting",
            "Start an OCR task again, after a top-up or with other settings (processDocument)",
            (_ARG_TASK, *settings, _ARG_WAIT, *_WAITING),
            output=_ARG_OUTPUT_OR_ID,
        ),
    ]


def _asking_commands() -> list[ActionCommand]:
    return [
        _command("check", "asking", "Test the connection; costs nothing", ()),
        _command("info", "asking", "Show what the application has left to spend (getApplicationInfo)", ()),
        _command("status", "asking", "Show what OCR tasks are doing (getTaskStatus)", (_ARG_TASKS,)),
        _command(
            "list",
            "asking",
            "List OCR tasks, of the last 7 days by default, however many (listTasks)",
            (
                Arg(("--from-date",), help=f"Start of the window, {_DATE_FORMS}", type=_date),
                Arg(("--to-date",), help=f"End of the window, {_DATE_FORMS}; now by default", type=_date),
                Arg(
                    ("--status",),
                    help=f"Only these, separated by commas: {', '.join(TaskStatus)}",
                    metavar="STATUS",
                ),
                Arg(("--exclude-deleted",), help="Leave deleted ones out", action="store_true"),
                Arg(
                    ("--finished",),
                    help="The 100 finished ones that the service names (listFinishedTasks)",
                    action="store_true",
                ),
            ),
        ),
    ]


def _ending_commands() -> list[ActionCommand]:
    wait = _command("wait", "waiting", "Wait until OCR tasks have ended", (_ARG_TASKS, *_WAITING))
    return [wait, _download_command(), _delete_command()]


def _download_command() -> ActionCommand:
    return _command(
        "download",
        "downloading",
        "Download the results of a completed OCR task, each complete or not at all",
        (
            _ARG_TASK,
            Arg(
                ("--export-format",),
                help="The formats of the submission in its order, separated by commas: "
                f"{', '.join(ExportFormat)}",
                metavar="EXPORT_FORMAT",
                required=True,
            ),
            Arg(
                ("--destination",),
                help="A folder, or a URL of object storage such as s3://aws_default@bucket/texts "
                "(default: the current folder)",
                default=".",
            ),
            Arg(("--name",), help="File name without extension (default: the OCR task's ID)"),
        ),
    )


def _delete_command() -> ActionCommand:
    return _command(
        "delete",
        "deleting",
        "Delete OCR tasks with their images and results (deleteTask); asks first",
        (
            Arg(("ocr_task_ids",), help="IDs of OCR tasks", metavar="ID", nargs="*"),
            Arg(
                ("--finished-before",),
                help=f"All that ended as Completed or ProcessingFailed before then, {_DATE_FORMS}",
                type=_date,
                metavar="DATE",
            ),
            ARG_YES,
        ),
    )
