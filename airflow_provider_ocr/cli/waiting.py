# SPDX-License-Identifier: Apache-2.0
"""``airflow ocr wait``: looks at tasks until each has ended, with the verdicts of the sensor."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pendulum

from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode, words_of
from airflow_provider_ocr.cli.printing import plain_text, print_tasks, progress, tell
from airflow_provider_ocr.cli.running import command, connected
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.verdict import Observation, Outcome, Policy, judge
from airflow_provider_ocr.protocol.errors import AuthenticationError, OcrError, WaitTimeoutError
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL


@dataclass(slots=True)
class Waited:
    """One task that is waited for.

    :param ocr_task_id: the task's ID.
    :param state: what it was when it was last seen.
    :param trouble: why its state could not be learned at the last look.
    :param error: why it will have no results, or none in time.
    :param ended: whether it is not looked at any more.
    """

    ocr_task_id: str
    state: OcrTask | None = None
    trouble: str | None = None
    error: OcrError | None = None
    ended: bool = False


@command
def wait_command(given: Namespace) -> None:
    """Wait until the named tasks have ended.

    :param given: what the command line says.
    """
    wait_and_print(given, given.ocr_task_ids, pause_first=False)


def wait_and_print(given: Namespace, ocr_task_ids: Sequence[str], *, pause_first: bool) -> None:
    """Wait for tasks, print what became of them, and fail if that is not Completed for each.

    :param given: what the command line says.
    :param ocr_task_ids: the tasks' IDs.
    :param pause_first: leave new tasks alone before the first look, as the service asks.
    :raises CommandFailed: if a task failed or did not end in time.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn

    tasks = [Waited(ocr_task_id) for ocr_task_id in dict.fromkeys(ocr_task_ids)]
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # One attempt: the next look is the retry, and a server that hangs must not eat up the timeout.
    with connected(given, read_attempts=1) as client, progress(*columns) as bar:
        row = bar.add_task("OCR tasks", total=len(tasks))
        wait_for(
            client,
            tasks,
            timeout=given.timeout,
            poll_interval=given.poll_interval,
            pause_first=pause_first,
            on_end=lambda: bar.advance(row),
        )
    if given.output is not None:
        print_tasks([task.state for task in tasks if task.state is not None], given.output)
    failures = [task.error for task in tasks if task.error is not None]
    if failures:
        late = all(isinstance(error, WaitTimeoutError) for error in failures)
        code = ExitCode.NOT_FINISHED if late else ExitCode.TASK_FAILED
        raise CommandFailed(*map(words_of, failures), code=code)


def wait_for(
    client: CloudOcrClient,
    tasks: Sequence[Waited],
    *,
    timeout: float,
    poll_interval: float,
    pause_first: bool,
    on_end: Callable[[], object],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Look at tasks until each has ended or the time is up; the last look comes at the end of the time.

    :param client: speaks for the application that made the tasks.
    :param tasks: what is waited for.
    :param pause_first: leave new tasks alone before the first look, as the service asks.
    :param timeout: seconds.
    :param poll_interval: seconds between two looks at a task.
    :param on_end: called for each task that has ended.
    :param sleep: waits that many seconds; tests replace it.
    :raises AuthenticationError: if the service accepts the credentials no more.
    """
    deadline = pendulum.now("UTC").add(seconds=timeout)
    if pause_first:
        sleep(SHORTEST_POLL_INTERVAL)
    while True:
        for task in tasks:
            if not task.ended:
                _look(client, task, deadline, timeout)
                if task.ended:
                    on_end()
        if all(task.ended for task in tasks):
            return
        left = (deadline - pendulum.now("UTC")).total_seconds()
        sleep(max(SHORTEST_POLL_INTERVAL, min(poll_interval, left)))


def _look(client: CloudOcrClient, task: Waited, deadline: pendulum.DateTime, timeout: float) -> None:
    try:
        observation: Observation = client.get_task_status(task.ocr_task_id)
    except AuthenticationError:
        raise
    except OcrError as error:
        observation = error
    verdict = judge(
        observation,
        ocr_task_id=task.ocr_task_id,
        policy=Policy(),
        deadline=deadline,
        now=pendulum.now("UTC"),
    )
    task.ended = verdict.outcome is not Outcome.WAIT
    task.error = verdict.error
    if isinstance(observation, OcrTask):
        task.state, task.trouble = observation, None
    elif not task.ended and task.trouble != str(observation):
        task.trouble = str(observation)
        tell(plain_text(f"OCR task {task.ocr_task_id}: {_sentence(task.trouble)} Waiting goes on."))
    if isinstance(task.error, WaitTimeoutError):
        task.error = _too_late(task, observation, timeout)


def _too_late(task: Waited, observation: Observation, timeout: float) -> WaitTimeoutError:
    if isinstance(observation, OcrTask):
        state = f"is still {observation.status} after {timeout:g} seconds."
    else:
        state = f"is silent after {timeout:g} seconds. {_sentence(str(observation))}"
    return WaitTimeoutError(
        f"OCR task {task.ocr_task_id} {state} It goes on at the service: "
        f"`airflow ocr wait {task.ocr_task_id}` waits again.",
        ocr_task_id=task.ocr_task_id,
    )


def _sentence(text: str) -> str:
    """Words that others may have written, fit to stand before the next sentence."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
