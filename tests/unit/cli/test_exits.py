# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_ocr.cli.exits import EXIT_CODES, ExitCode, code_of, words_of
from airflow_provider_ocr.protocol import errors

TASK = "7db0c518-44e9-4033-8ab2-e8b1abff990f"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidParameterError("language", "unknown"), ExitCode.USAGE),
        (errors.AuthenticationError("no"), ExitCode.NO_ACCESS),
        (errors.ConnectionFailedError("no"), ExitCode.NO_ACCESS),
        (errors.TlsError("no"), ExitCode.NO_ACCESS),
        (errors.UnreadableAnswerError("no"), ExitCode.NO_ACCESS),
        (errors.TaskFailedError("no"), ExitCode.TASK_FAILED),
        (errors.TaskDeletedError("no"), ExitCode.TASK_FAILED),
        (errors.NotEnoughCreditsError("no"), ExitCode.TASK_FAILED),
        (errors.WaitTimeoutError("no"), ExitCode.NOT_FINISHED),
        (errors.TaskNotFinishedError("no"), ExitCode.NOT_FINISHED),
        (errors.NotEnabledError("no"), ExitCode.FAILED),
        (errors.ForbiddenByGatewayError("no", http_status=403), ExitCode.NO_ACCESS),
        (errors.ServerError("no"), ExitCode.FAILED),
        (errors.RequestRejectedError("no", http_status=450), ExitCode.FAILED),
        (errors.ResultIntegrityError("no"), ExitCode.FAILED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_exit_code(error: errors.OcrError, code: ExitCode) -> None:
    assert code_of(error) is code


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.NotEnoughCreditsError("", ocr_task_id=TASK), f"`airflow ocr resume {TASK}`"),
        (errors.TaskNotFinishedError("", ocr_task_id=TASK), f"`airflow ocr wait {TASK}`"),
        (errors.NotEnabledError("HTTP 403."), "HTTP 403. This method is not enabled"),
        (errors.ServerError("HTTP 500."), "HTTP 500."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_the_words_name_the_command_that_helps(error: errors.OcrError, words: str) -> None:
    assert words in words_of(error)


def test_the_help_explains_every_exit_code() -> None:
    explained = {int(line.split()[0]) for line in EXIT_CODES.splitlines()[1:]}
    assert explained == set(ExitCode)
