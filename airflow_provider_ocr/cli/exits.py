# SPDX-License-Identifier: Apache-2.0
"""How a command ends: a number for scripts, and a line for whoever reads the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum

from airflow_provider_ocr.protocol import errors


class ExitCode(IntEnum):
    """The exit statuses of every ``airflow ocr`` command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    TASK_FAILED = 3
    NOT_FINISHED = 4
    NO_ACCESS = 5
    OUTCOME_UNKNOWN = 6
    INTERRUPTED = 130


EXIT_CODES = """exit codes:
  0    done
  1    failed in another way than those below
  2    the command line says something that cannot be meant; nothing was sent
  3    an OCR task failed, is deleted or unknown, or waits for credits
  4    an OCR task did not end in time, or has not ended yet
  5    no connection: not defined, not reachable, no Cloud OCR server, or wrong credentials
  6    it is not known whether the service started an OCR task
  130  interrupted; OCR tasks go on"""

_CODES: dict[type[errors.OcrError], ExitCode] = {
    errors.InvalidParameterError: ExitCode.USAGE,
    errors.AuthenticationError: ExitCode.NO_ACCESS,
    errors.ConnectionFailedError: ExitCode.NO_ACCESS,
    errors.ForbiddenByGatewayError: ExitCode.NO_ACCESS,
    errors.UnreadableAnswerError: ExitCode.NO_ACCESS,
    errors.TaskFailedError: ExitCode.TASK_FAILED,
    errors.TaskDeletedError: ExitCode.TASK_FAILED,
    errors.NotEnoughCreditsError: ExitCode.TASK_FAILED,
    errors.WaitTimeoutError: ExitCode.NOT_FINISHED,
    errors.TaskNotFinishedError: ExitCode.NOT_FINISHED,
}

_NEVER_SENT = (errors.NameResolutionError, errors.ConnectFailedError, errors.TlsError)
_MAYBE_SENT = (errors.ConnectionFailedError, errors.ServerError, errors.UnreadableAnswerError)


class CommandFailed(Exception):  # noqa: N818 - it ends a command as SystemExit does
    """Ends a command that did not do what it was told.

    :param lines: what to tell on standard error, one failure a line.
    :param code: the exit status.
    """

    def __init__(self, *lines: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(*lines)
        self.lines: Sequence[str] = lines
        self.code = code


def code_of(error: errors.OcrError) -> ExitCode:
    """The exit status for an error of the client or the three phases.

    :param error: what the client or one of the phases raised.
    """
    kinds = (_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
    return next(kinds, ExitCode.FAILED)


def may_have_been_done(error: errors.OcrError) -> bool:
    """Whether a call that changes something may have arrived, though no answer says so.

    :param error: what the call raised.
    """
    return isinstance(error, _MAYBE_SENT) and not isinstance(error, _NEVER_SENT)


@contextmanager
def nothing_done(words: str) -> Iterator[None]:
    """Ends the command where it is interrupted before it has changed anything.

    :param words: what was not done, as a sentence.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise CommandFailed(f"Interrupted. {words}", code=ExitCode.INTERRUPTED) from None


def words_of(error: errors.OcrError) -> str:
    """The error for a person at a terminal, with the command that helps where there is one.

    :param error: what the client or one of the phases raised.
    """
    task = error.ocr_task_id
    if isinstance(error, errors.NotEnoughCreditsError):
        return f"OCR task {task} waits for credits: top the application up, then `airflow ocr resume {task}`."
    if isinstance(error, errors.TaskNotFinishedError):
        return f"OCR task {task} has not ended yet: `airflow ocr wait {task}` waits for it."
    if isinstance(error, errors.ForbiddenByGatewayError):
        return f"{error} Check the server's URL and the proxy of the connection."
    if isinstance(error, errors.NotEnabledError):
        return f"{error} This method is not enabled in the application's settings at the service."
    return str(error)
