# SPDX-License-Identifier: Apache-2.0
"""``airflow ocr delete``: deletes tasks with their images and results, and asks before it does."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter

import pendulum

from airflow_provider_ocr.cli.asking import all_tasks
from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode, code_of, words_of
from airflow_provider_ocr.cli.printing import print_rows, progress, task_row, tell
from airflow_provider_ocr.cli.running import command, connected
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import AuthenticationError, OcrError
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus

# A NotEnoughCredits task has not had its turn; who wants it gone names it.
_FINISHED = frozenset({TaskStatus.COMPLETED, TaskStatus.PROCESSING_FAILED})
_BEFORE_ALL_TASKS = pendulum.datetime(2010, 1, 1)


@command
def delete_command(given: Namespace) -> None:
    """Delete the named tasks, or those that ended before a date."""
    if bool(given.ocr_task_ids) == bool(given.finished_before):
        raise CommandFailed("Name OCR tasks, or a date with --finished-before.", code=ExitCode.USAGE)
    with connected(given) as client:
        if given.finished_before:
            found = _finished_before(client, given.finished_before)
            ocr_task_ids = [task.id for task in found]
            counts = Counter(task.status for task in found)
            which = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        else:
            ocr_task_ids = list(dict.fromkeys(given.ocr_task_ids))
            which = f"{len(ocr_task_ids)} named"
        if ocr_task_ids and not given.yes:
            _ask(which)
        _delete(client, ocr_task_ids, given.output)


def _finished_before(client: CloudOcrClient, date: pendulum.DateTime) -> list[OcrTask]:
    return [
        task
        for task in all_tasks(client, _BEFORE_ALL_TASKS, None)
        if task.status in _FINISHED and task.status_change_time is not None and task.status_change_time < date
    ]


def _ask(which: str) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed(
            "Nothing was deleted: there is nobody to ask. Say --yes to delete without asking.",
            code=ExitCode.USAGE,
        )
    tell(f"OCR tasks to be deleted with their images and results: {which}.")
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 - as `tell`, without a line's end
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandFailed("Nothing was deleted.")


def _delete(client: CloudOcrClient, ocr_task_ids: list[str], output: str) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn

    deleted, failures = [], []
    with progress("{task.description}", BarColumn(), MofNCompleteColumn()) as bar:
        row = bar.add_task("Deleting", total=len(ocr_task_ids))
        for ocr_task_id in ocr_task_ids:
            try:
                deleted.append(client.delete_task(ocr_task_id))
            except AuthenticationError:
                raise
            except OcrError as error:
                failures.append(error)
            bar.advance(row)
    print_rows([task_row(task) for task in deleted], output)
    if failures:
        codes = {code_of(error) for error in failures}
        lines = [f"OCR task {error.ocr_task_id} was not deleted. {words_of(error)}" for error in failures]
        raise CommandFailed(*lines, code=codes.pop() if len(codes) == 1 else ExitCode.FAILED)
