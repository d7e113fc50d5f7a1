# SPDX-License-Identifier: Apache-2.0
"""One call for each of several tasks: what was answered is shown however the command ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode, code_of, words_of
from airflow_provider_ocr.cli.printing import print_tasks
from airflow_provider_ocr.protocol.errors import AuthenticationError, InvalidParameterError, OcrError
from airflow_provider_ocr.protocol.task import OcrTask


@dataclass(slots=True)
class Answers:
    """What became of the calls.

    :param tasks: the answers, in the order of the calls.
    :param failures: of calls that failed; each names its task.
    :param end: what kept the remaining tasks from their calls.
    :param unanswered: the task whose call was under way at the end.
    """

    tasks: list[OcrTask] = field(default_factory=list)
    failures: list[OcrError] = field(default_factory=list)
    end: AuthenticationError | KeyboardInterrupt | None = None
    unanswered: str | None = None


def ask_for_each(ocr_task_ids: Sequence[str], call: Callable[[str], OcrTask]) -> Answers:
    """Call once for each task; a failure keeps none of the others, but for wrong credentials.

    :param ocr_task_ids: the tasks, in the order of the calls.
    :param call: given a task's ID, it gives the task or raises.
    """
    answers = Answers()
    for ocr_task_id in ocr_task_ids:
        try:
            answers.tasks.append(call(ocr_task_id))
        except (AuthenticationError, KeyboardInterrupt) as end:
            answers.end, answers.unanswered = end, ocr_task_id
            break
        except OcrError as error:
            answers.failures.append(error)
    return answers


def show_each(
    answers: Answers, output: str, *, words: Callable[[OcrError], str], interrupted: str, refused: str = ""
) -> None:
    """Print the tasks, then end the command with what went wrong.

    :param answers: what `ask_for_each` gave.
    :param output: table, json, yaml or plain.
    :param words: a line for a failure.
    :param interrupted: the line for an interrupt.
    :param refused: what to say behind the words about wrong credentials.
    :raises CommandFailed: if anything went wrong.
    """
    if answers.tasks or answers.end is None:
        print_tasks(answers.tasks, output)
    lines = [words(error) for error in answers.failures]
    if isinstance(answers.end, KeyboardInterrupt):
        raise CommandFailed(*lines, interrupted, code=ExitCode.INTERRUPTED)
    if answers.end is not None:
        raise CommandFailed(*lines, f"{words_of(answers.end)} {refused}".strip(), code=ExitCode.NO_ACCESS)
    if lines:
        codes = {_code_of(error) for error in answers.failures}
        raise CommandFailed(*lines, code=codes.pop() if len(codes) == 1 else ExitCode.FAILED)


def _code_of(error: OcrError) -> ExitCode:
    # An ID that denotes no task is no worse than an unknown one, and the others were sent.
    return ExitCode.TASK_FAILED if isinstance(error, InvalidParameterError) else code_of(error)
