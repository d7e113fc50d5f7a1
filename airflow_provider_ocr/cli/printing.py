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
    from airflow.cli.simple_table import AirflowConsole
    from rich.progress import Progress, ProgressColumn

    from airflow_provider_ocr.protocol.task import OcrTask

Row = Mapping[str, str | int | None]

_TEXTS = frozenset({"error", "description"})
_NARROWEST_TEXT = 20
_BETWEEN_COLUMNS = " | "

_STANDARD_OUTPUT, _STANDARD_ERROR = 1, 2
_answers: ContextVar[TextIO | None] = ContextVar("answers", default=None)


def print_rows(rows: Sequence[Row], output: str) -> None:
    """Print rows, all with the same columns, on standard output.

    :param rows: one for each line, values by column.
    :param output: table, json, yaml or plain; json and yaml keep numbers as numbers.
    """
    with _console() as console:
        if output == "json":
            console.print_as_json([dict(row) for row in rows])  # type: ignore[arg-type]  # takes a list as well
        elif output == "yaml":
            console.print_as_yaml([dict(row) for row in rows])  # type: ignore[arg-type]  # likewise
        else:
            filled = [{name: "" if value is None else value for name, value in row.items()} for row in rows]
            console.print_as(filled, output)


def print_tasks(tasks: Sequence[OcrTask], output: str) -> None:
    """Print tasks; a table has the first columns, as many as the terminal is wide, and unbroken IDs.

    :param tasks: in the order of the rows.
    :param output: as of `print_rows`.
    """
    from airflow.cli.simple_table import SimpleTable

    rows = [task_row(task) for task in tasks]
    if output != "table" or not rows:
        print_rows(rows, output)
        return
    filled = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    with _console() as console:
        console.width = max(console.width, *(len(row["id"]) for row in filled))
        names = _fitting(filled, console.width)
        table = SimpleTable(show_header=True)
        for name in names:
            table.add_column(name, no_wrap=name not in _TEXTS)
        for row in filled:
            table.add_row(*(row[name] for name in names))
        console.print(table)
    left_out = list(filled[0])[len(names) :]
    if left_out:
        tell(f"The terminal is too narrow for {', '.join(left_out)}: -o plain, json or yaml has everything.")


def print_line(text: str) -> None:
    """Print one line on standard output, at once.

    :param text: the line.
    """
    print(text, file=_answers.get() or sys.stdout, flush=True)


def ask(question: str) -> str:
    """What the person at the terminal types, without blanks around; the question is on standard error.

    :param question: without a blank at its end.
    """
    print(question, end=" ", file=sys.stderr, flush=True)  # noqa: T201 - as `tell`, without a line's end
    line = ""
    try:
        line = sys.stdin.readline()
    finally:
        if not line.endswith("\n"):
            tell("")
    return line.strip()


def tell(text: str) -> None:
    """Print one line for the person, on standard error.

    :param text: the line.
    """
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
    """A task as every command shows it.

    :param task: as the service told it.
    """
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


def _fitting(rows: Sequence[Mapping[str, str]], width: int) -> list[str]:
    """The first columns, as many as that many characters take when only texts are broken."""
    from rich.cells import cell_len

    names: list[str] = []
    for name in rows[0]:
        needed = max(cell_len(text) for text in (name, *(row[name] for row in rows)))
        width -= min(needed, _NARROWEST_TEXT) if name in _TEXTS else needed
        if width < 0 and names:
            break
        names.append(name)
        width -= len(_BETWEEN_COLUMNS)
    return names


@contextmanager
def _console() -> Iterator[AirflowConsole]:
    """Airflow's own, which prints answers."""
    from airflow.cli.simple_table import AirflowConsole

    with redirect_stdout(_answers.get() or sys.stdout):
        # Square brackets and colons in a description are no markup.
        yield AirflowConsole(markup=False, emoji=False, highlight=False)


def plain_text(text: str) -> str:
    """``text`` on one line, without secrets of URLs and without control characters.

    :param text: what somebody else wrote.
    """
    line = " ".join(without_url_secrets(text).split())
    return "".join(character if character.isprintable() else "\ufffd" for character in line)


def progress(*columns: str | ProgressColumn) -> Progress:
    """A progress bar on standard error if that is a terminal, else nothing.

    :param columns: as rich takes them.
    """
    from rich.console import Console
    from rich.progress import Progress

    return Progress(
        *columns, console=Console(stderr=True, markup=False, emoji=False), disable=not sys.stderr.isatty()
    )


def _time(moment: pendulum.DateTime | None) -> str | None:
    return None if moment is None else render_time(moment)
