# SPDX-License-Identifier: Apache-2.0
"""What is printed: answers on standard output, everything for the person on standard error.

Texts that others wrote lose the secrets of URLs and whatever a terminal would take for a command. Result
URLs are signed, so only their number is shown.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TYPE_CHECKING, TextIO

from airflow_provider_ocr.protocol.redaction import without_url_secrets
from airflow_provider_ocr.protocol.times import render_time

if TYPE_CHECKING:
    import pendulum
    from rich.progress import Progress, ProgressColumn

    from airflow_provider_ocr.protocol.task import OcrTask

Row = Mapping[str, str | int | None]

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2
_answers: ContextVar[TextIO | None] = ContextVar("answers", default=None)


def print_rows(rows: Sequence[Row], output: str) -> None:
    """Print rows, all with the same columns, on standard output.

    :param output: table, json, yaml or plain; json and yaml keep numbers as numbers.
    """
    from airflow.cli.simple_table import AirflowConsole

    with redirect_stdout(_answers.get() or sys.stdout):
        # Square brackets and colons in a description are no markup.
        console = AirflowConsole(markup=False, emoji=False, highlight=False)
        if output == "json":
            console.print_as_json([dict(row) for row in rows])  # type: ignore[arg-type]  # takes a list as well
        elif output == "yaml":
            console.print_as_yaml([dict(row) for row in rows])  # type: ignore[arg-type]  # likewise
        else:
            filled = [{name: "" if value is None else value for name, value in row.items()} for row in rows]
            console.print_as(filled, output)


def print_line(text: str) -> None:
    """Print one line on standard output, at once."""
    print(text, file=_answers.get() or sys.stdout, flush=True)


def tell(text: str) -> None:
    """Print one line for the person, on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - standard output has the answer


@contextmanager
def answers_apart() -> Iterator[None]:
    """Sends to standard error whatever goes to standard output and is no answer: logs.

    Some of Airflow's loggers write to ``sys.stdout``, some hold on to the one that they were made with.
    """
    sys.stdout.flush()
    with (
        os.fdopen(os.dup(_STANDARD_OUTPUT), "w", encoding=sys.stdout.encoding) as answers,
        redirect_stdout(sys.stderr),
    ):
        os.dup2(_STANDARD_ERROR, _STANDARD_OUTPUT)
        token = _answers.set(answers)
        try:
            yield
        finally:
            _answers.reset(token)
            answers.flush()
            os.dup2(answers.fileno(), _STANDARD_OUTPUT)


def task_row(task: OcrTask) -> Row:
    """A task as every command shows it."""
    return {
        "id": plain_text(task.id),
        "status": plain_text(task.status),
        "registered": _time(task.registration_time),
        "changed": _time(task.status_change_time),
        "files": task.files_count,
        "credits": task.credits,
        "seconds_left": task.estimated_processing_time,
        "results": len(task.result_urls),
        "error": None if task.error is None else plain_text(task.error),
        "description": None if task.description is None else plain_text(task.description),
    }


def plain_text(text: str) -> str:
    """``text`` on one line, without secrets of URLs and without control characters."""
    line = " ".join(without_url_secrets(text).split())
    return "".join(character if character.isprintable() else "\ufffd" for character in line)


def progress(*columns: str | ProgressColumn) -> Progress:
    """A progress bar on standard error if that is a terminal, else nothing."""
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns, console=Console(stderr=True, markup=False, emoji=False), disable=not sys.stderr.isatty()
    )


def _time(moment: pendulum.DateTime | None) -> str | None:
    return None if moment is None else render_time(moment)
