# SPDX-License-Identifier: Apache-2.0
"""``airflow ocr delete``: deletes tasks with their images and results, and asks before it does."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter

import pendulum

from airflow_provider_ocr.cli.asking import all_tasks
from airflow_provider_ocr.cli.each import Answers, ask_for_each, show_each
from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode, may_have_been_done, nothing_done, words_of
from airflow_provider_ocr.cli.printing import ask, progress, tell
from airflow_provider_ocr.cli.running import command, connected
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus

# A NotEnoughCredits task has not had its turn; who wants it gone names it.
_FINISHED = frozenset({TaskStatus.COMPLETED, TaskStatus.PROCESSING_FAILED})
_NOTHING = "Nothing was deleted."
_BEFORE_ALL_TASKS = pendulum.datetime(2010, 1, 1)


@command
def delete_command(given: Namespace) -> None:
    """Delete the named tasks, or those that ended before a date.

    :param given: what the command line says.
    """
    if bool(given.ocr_task_ids) == bool(given.finished_before):
        raise CommandFailed("Name OCR tasks, or a date with --finished-before.", code=ExitCode.USAGE)
    with connected(given) as client:
        ocr_task_ids = _agreed(client, given)
        answers = _delete(client, ocr_task_ids)
    how_many = f"{len(answers.tasks)} of {len(ocr_task_ids)} OCR tasks were deleted"
    show_each(
        answers,
        given.output,
        words=_not_deleted,
        interrupted=f"Interrupted. {how_many}; it is not known whether {answers.unanswered} was.",
        refused=f"{how_many}.",
    )


def _agreed(client: CloudOcrClient, given: Namespace) -> list[str]:
    """The tasks to be deleted, after the person's word where that is wanted."""
    with nothing_done(_NOTHING):
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
        return ocr_task_ids


def _finished_before(client: CloudOcrClient, date: pendulum.DateTime) -> list[OcrTask]:
    return [
        task
        for task in all_tasks(client, _BEFORE_ALL_TASKS, None)
        if task.status in _FINISHED and task.status_change_time is not None and task.status_change_time < date
    ]


def _ask(which: str) -> None:
    if not sys.stdin.isatty():
        raise CommandFailed(
            f"{_NOTHING} There is nobody to ask: say --yes to delete without asking.",
            code=ExitCode.USAGE,
        )
    tell(f"OCR tasks to be deleted with their images and results: {which}.")
    if ask("Go on? [y/N]").lower() not in ("y", "yes"):
        raise CommandFailed(_NOTHING)


def _delete(client: CloudOcrClient, ocr_task_ids: list[str]) -> Answers:
    from rich.progress import BarColumn, MofNCompleteColumn

    with progress("{task.description}", BarColumn(), MofNCompleteColumn()) as bar:
        row = bar.add_task("Deleting", total=len(ocr_task_ids))

        def delete(ocr_task_id: str) -> OcrTask:
            try:
                return client.delete_task(ocr_task_id)
            finally:
                bar.advance(row)

        return ask_for_each(ocr_task_ids, delete)


def _not_deleted(error: OcrError) -> str:
    if may_have_been_done(error):
        return f"It is not known whether OCR task {error.ocr_task_id} was deleted. {words_of(error)}"
    return f"OCR task {error.ocr_task_id} was not deleted. {words_of(error)}"
