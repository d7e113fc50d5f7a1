# SPDX-License-Identifier: Apache-2.0
"""The whole table of what an observation means, and the words that go with it."""

from __future__ import annotations

import pendulum
import pytest

from airflow_provider_ocr.lifecycle.verdict import (
    Observation,
    OnNotEnoughCredits,
    Outcome,
    Policy,
    aging,
    failure_of,
    judge,
)
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus

ID = "a1"
DEADLINE = pendulum.datetime(2026, 11, 22, 12)
BEFORE, AT, AFTER = DEADLINE.subtract(seconds=1), DEADLINE, DEADLINE.add(hours=5)

STRICT, SOFT, NEVER = Policy(), Policy(soft_fail=True), Policy(never_fail=True)
BOTH = Policy(soft_fail=True, never_fail=True)

WAIT, SUCCEED, SKIP, FAIL, RESUME = Outcome


def _task(status: str) -> OcrTask:
    return OcrTask(id=ID, status=status)


LATE = errors.WaitTimeoutError

# observation, its error, and what STRICT, SOFT and NEVER do; first before the deadline, then after it
ENDED = [
    (_task(TaskStatus.COMPLETED), None, SUCCEED, SUCCEED, SUCCEED),
    (_task(TaskStatus.PROCESSING_FAILED), errors.TaskFailedError, FAIL, SKIP, SKIP),
    (_task(TaskStatus.DELETED), errors.TaskDeletedError, FAIL, SKIP, SKIP),
    (_task(TaskStatus.NOT_ENOUGH_CREDITS), errors.NotEnoughCreditsError, FAIL, SKIP, SKIP),
    (errors.TaskDeletedError("gone"), errors.TaskDeletedError, FAIL, SKIP, SKIP),
    (errors.AuthenticationError("401"), errors.AuthenticationError, FAIL, FAIL, SKIP),
    (errors.NotEnabledError("403"), errors.NotEnabledError, FAIL, FAIL, SKIP),
    (errors.InvalidParameterError("taskId", "bad"), errors.InvalidParameterError, FAIL, FAIL, SKIP),
    (errors.RequestRejectedError("450", http_status=450), errors.RequestRejectedError, FAIL, FAIL, SKIP),
    (errors.ParameterRejectedError("450", http_status=450), errors.ParameterRejectedError, FAIL, FAIL, SKIP),
]
RUNNING: list[Observation] = [
    _task(TaskStatus.SUBMITTED),
    _task(TaskStatus.QUEUED),
    _task(TaskStatus.IN_PROGRESS),
    _task("Hibernating"),
]
TROUBLE: list[Observation] = [
    errors.ConnectionFailedError("no answer"),
    errors.ServerError("503"),
    errors.UnreadableAnswerError("HTML"),
    *(errors.RequestRejectedError("a proxy", http_status=status) for status in (403, 404, 405, 408, 451)),
    errors.ForbiddenByGatewayError("a firewall", http_status=403),
]
GOING_ON = RUNNING + TROUBLE
TABLE = [
    *(
        (observation, now, policy, outcome, error)
        for observation, error, strict, soft, never in ENDED
        for now in (BEFORE, AT, AFTER)
        for policy, outcome in ((STRICT, strict), (SOFT, soft), (NEVER, never), (BOTH, never))
    ),
    *(
        (observation, BEFORE, policy, WAIT, None)
        for observation in GOING_ON
        for policy in (STRICT, SOFT, NEVER, BOTH)
    ),
    *(
        (observation, now, policy, outcome, LATE)
        for observation in GOING_ON
        for now in (AT, AFTER)
        for policy, outcome in (
            (STRICT, FAIL),
            (SOFT, FAIL if observation in TROUBLE else SKIP),
            (NEVER, SKIP),
            (BOTH, SKIP),
        )
    ),
]


@pytest.mark.parametrize(("observation", "now", "policy", "outcome", "error"), TABLE)
def test_an_observation_has_one_meaning(
    observation: Observation,
    now: pendulum.DateTime,
    policy: Policy,
    outcome: Outcome,
    error: type[Exception] | None,
) -> None:
    verdict = judge(observation, ocr_task_id=ID, policy=policy, deadline=DEADLINE, now=now)
    assert verdict.outcome is outcome
    assert (None if verdict.error is None else type(verdict.error)) is error


@pytest.mark.parametrize("observation", [row[0] for row in ENDED if row[1]] + GOING_ON)
def test_every_error_names_the_task_that_was_waited_for(observation: Observation) -> None:
    verdict = judge(observation, ocr_task_id=ID, policy=STRICT, deadline=DEADLINE, now=AFTER)
    assert verdict.error is not None
    assert verdict.error.ocr_task_id == ID


@pytest.mark.parametrize("word", OnNotEnoughCredits)
@pytest.mark.parametrize(("now", "is_late"), [(BEFORE, False), (AT, True), (AFTER, True)])
@pytest.mark.parametrize("soft_fail", [False, True], ids=["strict", "soft"])
def test_a_task_without_credits_is_what_the_author_wants_until_the_deadline(
    word: OnNotEnoughCredits, now: pendulum.DateTime, is_late: bool, soft_fail: bool
) -> None:
    verdict = judge(
        _task(TaskStatus.NOT_ENOUGH_CREDITS),
        ocr_task_id=ID,
        policy=Policy(soft_fail=soft_fail, on_not_enough_credits=word),
        deadline=DEADLINE,
        now=now,
    )
    ended = SKIP if soft_fail else FAIL
    if word is OnNotEnoughCredits.FAIL:
        assert (verdict.outcome, type(verdict.error)) == (ended, errors.NotEnoughCreditsError)
    elif is_late:
        assert (verdict.outcome, type(verdict.error)) == (ended, errors.WaitTimeoutError)
        assert "it is still NotEnoughCredits" in str(verdict.error)
    else:
        assert verdict.outcome is (RESUME if word is OnNotEnoughCredits.RESUME else WAIT)


@pytest.mark.parametrize("row", [row for row in ENDED if row[1] is not errors.NotEnoughCreditsError])
def test_waiting_for_credits_changes_nothing_else(
    row: tuple[Observation, object, Outcome, object, object],
) -> None:
    policy = Policy(on_not_enough_credits=OnNotEnoughCredits.RESUME)
    assert judge(row[0], ocr_task_id=ID, policy=policy, deadline=DEADLINE, now=AFTER).outcome is row[2]


def test_another_word_than_these_three_is_refused() -> None:
    assert OnNotEnoughCredits.parse("Resume") is OnNotEnoughCredits.RESUME
    with pytest.raises(errors.InvalidParameterError, match="on_not_enough_credits: 'pay' is not one of fail"):
        OnNotEnoughCredits.parse("pay")


@pytest.mark.parametrize(
    ("status", "changed", "warns"),
    [
        ("Completed", BEFORE.subtract(hours=18), True),
        ("Completed", BEFORE.subtract(hours=17, minutes=59), False),
        ("Completed", None, False),
        ("InProgress", BEFORE.subtract(hours=20), False),
    ],
)
def test_old_results_are_warned_of(status: str, changed: pendulum.DateTime | None, warns: bool) -> None:
    warning = aging(OcrTask(id=ID, status=status, status_change_time=changed), BEFORE)
    assert bool(warning) is warns
    if warns:
        assert warning is not None
        assert warning.startswith("OCR task a1: its results are 18 h old; land them now")


def test_a_deleted_task_tells_how_to_have_another() -> None:
    assert "clearing the task that submitted it" in str(failure_of(_task(TaskStatus.DELETED)))


def test_every_status_of_the_api_is_in_the_table() -> None:
    observed = {row[0].status for row in TABLE if isinstance(row[0], OcrTask)}
    assert observed >= set(TaskStatus)


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        (_task("Queued"), "it is still Queued"),
        (errors.ConnectionFailedError("getTaskStatus: no answer"), "not known: getTaskStatus: no answer"),
    ],
)
def test_a_time_out_tells_the_last_that_is_known_and_what_to_do(observation: Observation, words: str) -> None:
    verdict = judge(observation, ocr_task_id=ID, policy=STRICT, deadline=DEADLINE, now=AFTER)
    assert words in str(verdict.error)
    assert "clear this task to wait again" in str(verdict.error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("The page is empty.", "OCR task a1 failed: The page is empty."),
        (None, "OCR task a1 failed: the service gave no reason."),
        ("https://u:p@a.example/b?sig=x: 404", "OCR task a1 failed: https://a.example/b?... 404"),
    ],
)
def test_a_failed_task_tells_the_services_reason_without_secrets(error: str | None, words: str) -> None:
    failure = failure_of(OcrTask(id=ID, status=TaskStatus.PROCESSING_FAILED, error=error))
    assert isinstance(failure, errors.TaskFailedError)
    assert (str(failure), failure.ocr_task_id) == (words, ID)


@pytest.mark.parametrize("status", ["Submitted", "Queued", "InProgress", "Completed", "Hibernating"])
def test_a_task_that_runs_or_is_completed_has_not_failed(status: str) -> None:
    assert failure_of(_task(status)) is None


def test_the_services_words_become_one_line_without_secrets_of_urls() -> None:
    words = (
        f"GET https://u:SECRET@a.example/b?sig=SECRET\n'source=https%3A%2F%2Fc%3Fsig%3DSECRET' {'x' * 900}"
    )
    error = failure_of(OcrTask(id=ID, status=TaskStatus.PROCESSING_FAILED, error=words))
    assert str(error).startswith(
        f"OCR task {ID} failed: GET https://a.example/b?... 'source=https%3A%2F%2Fc?..."
    )
    assert len(str(error)) < 600
    verdict = judge(_task("Busy\n" * 900), ocr_task_id=ID, policy=STRICT, deadline=DEADLINE, now=AFTER)
    assert "it is still Busy Busy" in str(verdict.error)
    assert len(str(verdict.error)) < 800
