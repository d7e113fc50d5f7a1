# SPDX-License-Identifier: Apache-2.0
"""The commands that change nothing: ``check``, ``info``, ``status`` and ``list``."""

from __future__ import annotations

from argparse import Namespace

import pendulum
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_ocr.cli.each import ask_for_each, show_each
from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode, words_of
from airflow_provider_ocr.cli.printing import plain_text, print_rows, print_tasks, tell
from airflow_provider_ocr.cli.running import command, connected
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.listing import list_window
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import render_time
from airflow_provider_ocr.protocol.vocabulary import TaskStatus, require_value

_FINISHED_LIMIT = 100
_DEFAULT_DAYS = 7


@command
def check_command(given: Namespace) -> None:
    """Say whether the service accepts the connection.

    :param given: what the command line says.
    """
    try:
        works, message = CloudOcrHook(given.conn_id).test_connection()
    except AirflowException as error:
        works, message = False, str(error)
    if not works:
        raise CommandFailed(message, code=ExitCode.NO_ACCESS)
    print_rows([{"conn_id": given.conn_id, "status": "ok", "message": plain_text(message)}], given.output)


@command
def info_command(given: Namespace) -> None:
    """Show the application's account.

    :param given: what the command line says.
    """
    with connected(given) as client:
        info = client.get_application_info()
    texts = {"id": info.id, "name": info.name, "type": info.type}
    shown = {name: None if text is None else plain_text(text) for name, text in texts.items()}
    expires = None if info.expires is None else render_time(info.expires)
    print_rows([{**shown, "pages": info.pages, "fields": info.fields, "expires": expires}], given.output)


@command
def status_command(given: Namespace) -> None:
    """Show the named tasks; those without an answer are told on standard error, after the others.

    :param given: what the command line says.
    """
    with connected(given) as client:
        answers = ask_for_each(given.ocr_task_ids, client.get_task_status)
    show_each(answers, given.output, words=_unknown, interrupted="Interrupted.")


@command
def list_command(given: Namespace) -> None:
    """List the tasks of a window of time, or the finished ones that the service names.

    :param given: what the command line says.
    """
    wanted = _statuses(given.status)
    if given.finished and (given.from_date or given.to_date):
        raise CommandFailed(
            "--finished knows no dates: listFinishedTasks gives its first 100. "
            "Leave the dates out, or use --status Completed,ProcessingFailed.",
            code=ExitCode.USAGE,
        )
    with connected(given) as client:
        tasks = _finished(client) if given.finished else _window(client, given.from_date, given.to_date)
    if given.exclude_deleted:
        tasks = [task for task in tasks if task.status != TaskStatus.DELETED]
    print_tasks([task for task in tasks if not wanted or task.status in wanted], given.output)


def all_tasks(
    client: CloudOcrClient, start: pendulum.DateTime, end: pendulum.DateTime | None
) -> list[OcrTask]:
    """Every task of a window, once, however many; without an end up to now.

    :param client: speaks for the application.
    :param start: the window's first second.
    :param end: the window's last second; None for now.
    :raises OcrError: if the service cannot be asked.
    """
    # The server's clock is not ours: what was made just now may seem to come from the future.
    found = list_window(client, start, end or pendulum.now("UTC").add(days=1))
    # A task that moves on while the windows are walked is in two of them; the later sight is the newer.
    return list({task.id: task for task in found}.values())


def _unknown(error: OcrError) -> str:
    words = words_of(error)
    named = error.ocr_task_id is None or error.ocr_task_id in words
    return words if named else f"OCR task {error.ocr_task_id}: {words}"


def _window(
    client: CloudOcrClient, start: pendulum.DateTime | None, end: pendulum.DateTime | None
) -> list[OcrTask]:
    latest = end or pendulum.now("UTC")
    if start is not None and start > latest:
        raise CommandFailed("--from-date is later than --to-date.", code=ExitCode.USAGE)
    return all_tasks(client, start or latest.subtract(days=_DEFAULT_DAYS), end)


def _finished(client: CloudOcrClient) -> list[OcrTask]:
    tasks = client.list_finished_tasks()
    if len(tasks) >= _FINISHED_LIMIT:
        tell(f"The service names {_FINISHED_LIMIT} finished OCR tasks at most; there may be more.")
    return tasks


def _statuses(text: str | None) -> frozenset[str]:
    parts = text.split(",") if text else []
    return frozenset(require_value(TaskStatus, part, parameter="--status") for part in parts)
