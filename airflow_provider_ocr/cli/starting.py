# SPDX-License-Identifier: Apache-2.0
"""The commands that start tasks: ``submit`` and ``resume``. Each sends its call once, whatever happens.

The task's ID is printed as soon as it is known, because the task costs money from then on.
"""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode, may_have_been_done, nothing_done, words_of
from airflow_provider_ocr.cli.printing import ask, print_line, print_tasks, progress, tell
from airflow_provider_ocr.cli.running import command, connected
from airflow_provider_ocr.cli.settings_flags import STANDARD_INPUT, settings_of
from airflow_provider_ocr.cli.waiting import wait_and_print
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.submission import Submitter, idempotency_key, remote_image
from airflow_provider_ocr.lifecycle.verdict import failure_of
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.source_url import url_warning
from airflow_provider_ocr.protocol.task import OcrTask


@command
def submit_command(given: Namespace) -> None:
    """Submit the image at a URL.

    :param given: what the command line says.
    """
    with nothing_done("Nothing was submitted."):
        settings = settings_of(given)
        source = _source(given)
    if (warning := url_warning(source)) is not None:
        tell(warning)
    with connected(given) as client:
        if given.idempotency_key:
            with _outcome_told("give the same command again; with the same key it starts no second one."):
                task = _submit_by_key(client, source, settings, given.idempotency_key)
        else:
            with _outcome_told("look with `airflow ocr list` before you submit again."):
                task = client.process_remote_image(source, settings)
    _report(task, given)


@command
def resume_command(given: Namespace) -> None:
    """Start a task again with these settings.

    :param given: what the command line says.
    """
    settings = settings_of(given)
    with (
        connected(given) as client,
        _outcome_told(f"look with `airflow ocr status {given.ocr_task_id}` before you start it again."),
    ):
        task = client.process_document(given.ocr_task_id, settings)
    _report(task, given)


def _submit_by_key(client: CloudOcrClient, source: str, settings: ProcessingSettings, name: str) -> OcrTask:
    """The task that an earlier call with this key made, or a new one."""
    key = idempotency_key("airflow ocr submit", name, source=source, settings=settings)
    # Nothing remembers whether this is the first call, so it counts as a retry: it looks, and looks again.
    submitter = Submitter(client=client, record=None, is_retry=True)
    with progress("{task.description}") as bar:
        bar.add_task("Looking for a task of an earlier call; up to a minute ...", total=None)
        submission = submitter.submit(remote_image(client, source), settings, key=key)
    tell(f"OCR task {submission.task.id}: {submission.decision} ({submission.reason}).")
    return submission.task


@contextmanager
def _outcome_told(advice: str) -> Iterator[None]:
    """Ends the command with a warning where a call that costs money may have arrived."""
    unknown = f"It is not known whether the service started an OCR task: {advice}"
    try:
        yield
    except OcrError as error:
        if not may_have_been_done(error):
            raise
        raise CommandFailed(f"{error} {unknown}", code=ExitCode.OUTCOME_UNKNOWN) from None
    except KeyboardInterrupt:
        raise CommandFailed(f"Interrupted. {unknown}", code=ExitCode.INTERRUPTED) from None


def _report(task: OcrTask, given: Namespace) -> None:
    if given.output is None:
        print_line(task.id)
    elif given.wait:
        tell(f"OCR task {task.id} is {task.status}.")
    else:
        print_tasks([task], given.output)
    failure = failure_of(task)
    if failure is not None:
        raise CommandFailed(words_of(failure), code=ExitCode.TASK_FAILED)
    if given.wait:
        wait_and_print(given, [task.id], pause_first=True)


def _source(given: Namespace) -> str:
    named = [url for url in (given.url, given.source) if url]
    if len(named) != 1:
        raise CommandFailed("Name the image's URL, once: as an argument or as --source.", code=ExitCode.USAGE)
    source: str = _read_source() if named[0] == STANDARD_INPUT else named[0]
    if not source:
        raise CommandFailed("Standard input has no URL in its first line.", code=ExitCode.USAGE)
    if not _can_be_fetched(source):
        # It is not repeated: somebody may have taken it for a place for a password.
        raise CommandFailed(
            "The image's URL does not begin with http:// or https:// and a host. Nothing was submitted.",
            code=ExitCode.USAGE,
        )
    return source


def _read_source() -> str:
    return ask("URL of the image:") if sys.stdin.isatty() else sys.stdin.readline().strip()


def _can_be_fetched(url: str) -> bool:
    """Whether a server can fetch this at all, as far as its scheme, host and port tell."""
    try:
        parts = urlsplit(url)
        is_numbered = parts.port is None or parts.port > 0
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme in ("http", "https") and is_numbered and host != "" and not re.search(r"\s", host)
