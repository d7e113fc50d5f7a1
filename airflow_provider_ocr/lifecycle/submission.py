# SPDX-License-Identifier: Apache-2.0
"""Submit once: each submission costs money, so none is made while an earlier one may exist.

Before the paid call its intent is recorded; after it, the task's ID. A short key travels in the task's
description, so that a task whose answer was lost can be found again in the service's own list. Finding
nothing counts only after a time in which a call that timed out may still have registered, and only if
two look-ups agree. A look-up that fails raises and never submits.

The key is sent as `Idempotency-Key` too. A server that knows such keys answers a call that was made before
with the task that it made then, also after the outcome of that call was lost. Where that task is known to
have failed or to be deleted its ID is added to the key, which asks for a new one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pendulum

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.listing import list_window
from airflow_provider_ocr.protocol.errors import (
    AuthenticationError,
    InvalidParameterError,
    OcrError,
    RequestRejectedError,
    TaskDeletedError,
)
from airflow_provider_ocr.protocol.redaction import unsigned
from airflow_provider_ocr.protocol.settings import MAX_DESCRIPTION_LENGTH, ProcessingSettings
from airflow_provider_ocr.protocol.storage_path import is_storage_path
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.protocol.vocabulary import ServiceStatus, TaskStatus

SETTLE_SECONDS = 30.0

_LOOK_BACK_HOURS = 24
_LONGEST_LOOK_BACK_HOURS = 7 * 24  # as far as listTasks itself looks back by default
_SECONDS_BETWEEN_LOOKS = 3.0
_CLOCKS_DIFFER_SECONDS = 1800.0  # the clocks of two workers, at most
_TASK_ID = "ocr_task_id"
_INTENT = "ocr_submission_intent"
_MARK = "[airflow:"
_NO_INTENT = frozenset({"refused", "absent"})
_FAMILY_LENGTH, _KEY_LENGTH = 6, 20
_UNUSABLE = frozenset({TaskStatus.PROCESSING_FAILED, TaskStatus.DELETED})


class Record(Protocol):
    """What is remembered from one try to the next."""

    def get(self, key: str) -> str | None:
        """The value kept under ``key``, or None.

        :param key: what it was kept under.
        """

    def set(self, key: str, value: str) -> None:
        """Keep ``value`` under ``key``; it is safe when this returns.

        :param key: what to keep it under.
        :param value: what to keep.
        """


Send = Callable[[ProcessingSettings, str], OcrTask]
"""Makes the paid call, once, with these settings and this ``Idempotency-Key``, and gives the new task."""

Prepare = Callable[[], Send]
"""Makes an image ready to be sent. It is called only if a task is to be paid for, and before the intent is
noted: what fails here, such as reading or signing the image, has cost nothing and left no doubt."""


def remote_image(client: CloudOcrClient, source: str) -> Prepare:
    """An image that the service fetches.

    :param client: speaks to the service.
    :param source: the image's URL.
    """

    def send(settings: ProcessingSettings, key: str) -> OcrTask:
        return client.process_remote_image(source, settings, idempotency_key=key)

    return lambda: send


class Decision(StrEnum):
    """How a submission came to its task."""

    NEW = "new"
    ADOPTED_BY_ID = "adopted by ID"
    ADOPTED_BY_KEY = "adopted by key"


@dataclass(frozen=True, slots=True)
class Submission:
    """The task, and how it was come by.

    :param task: as the service told it.
    :param decision: whether it is a new one.
    :param reason: why, for a person.
    """

    task: OcrTask
    decision: Decision
    reason: str


@dataclass(frozen=True, slots=True)
class _Found:
    """The tasks with a key, oldest first.

    :param fit: those that may still give results, or have given them.
    :param spent: those that failed or are deleted.
    """

    fit: Sequence[OcrTask]
    spent: Sequence[OcrTask]

    @property
    def usable(self) -> OcrTask | None:
        """The newest that is fit."""
        return self.fit[-1] if self.fit else None

    @property
    def newest_spent(self) -> OcrTask | None:
        """The newest that is spent."""
        return self.spent[-1] if self.spent else None


def idempotency_key(*identity: str | int, source: str, settings: ProcessingSettings) -> str:
    """A short name for one submission: the same for every try, another for another request.

    It begins with the name of its family (`family_mark`), which are the submissions of one mapped task.

    :param identity: what tells this submission from others, for example DAG, run, task and map index; the
        last of them tells it from its family.
    :param source: the image's URL, or its path in object storage; what signs a URL does not count, because
        that differs from try to try.
    :param settings: all of them but the password count.
    :raises InvalidParameterError: if the source is no URL.
    """
    query = sorted(replace(settings, pdf_password="").to_query().items())
    fingerprint = repr((identity, _unsigned(source), query))
    own_length = _KEY_LENGTH - _FAMILY_LENGTH
    return f"{_digest(repr(identity[:-1]))[:_FAMILY_LENGTH]}{_digest(fingerprint)[:own_length]}"


def key_of(name: str, *identity: str | int) -> str:
    """A key like those of `idempotency_key` for a name that an author gave.

    Who uses the name again, wherever that is, means the same document.

    :param name: the author's.
    :param identity: what tells one submission under that name from another, if that is wanted.
    """
    return _digest(repr((name, *identity)))[:_KEY_LENGTH]


def family_mark(key: str) -> str:
    """What the descriptions of all tasks have in common that belong to the family of a key.

    :param key: from `idempotency_key`.
    """
    return f"{_MARK}{key[:_FAMILY_LENGTH]}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unsigned(url: str) -> str:
    """A URL without user, fragment and the parameters that sign it; a path of object storage as it is."""
    if is_storage_path(url):
        return url
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InvalidParameterError("source", f"it is no URL ({error}).") from None
    kept = unsigned(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, urlencode(kept), ""))


def with_key(settings: ProcessingSettings, key: str) -> ProcessingSettings:
    """The settings with the key behind the author's own description.

    :param settings: the author's.
    :param key: from `idempotency_key`.
    :raises InvalidParameterError: if the description leaves no room for it.
    """
    marker = _marker(key)
    room = MAX_DESCRIPTION_LENGTH - len(marker) - 1
    if len(settings.description) > room:
        raise InvalidParameterError(
            "description",
            f"{len(settings.description)} characters are too long, at most {room} are allowed: "
            "the rest is needed to find the task again after a crash.",
        )
    return replace(settings, description=f"{settings.description} {marker}".strip())


class Submitter:
    """Submits one image once.

    :param client: speaks to the service.
    :param record: what earlier tries of the same Airflow task left; None where Airflow keeps nothing.
    :param is_retry: whether this is not the first try.
    :param is_shared: whether the key is not of this Airflow task alone, so that another one may have made
        the task; then it is looked for at the first try, too.
    :param uploads: whether a call sends the image along, which takes longer than a read time-out.
    :param why_new: why there is a new task where nothing tells of an earlier one.
    :param now: the present time.
    :param sleep: waits that many seconds.
    """

    def __init__(
        self,
        *,
        client: CloudOcrClient,
        record: Record | None,
        is_retry: bool,
        is_shared: bool = False,
        uploads: bool = False,
        why_new: str = "first try",
        now: Callable[[], pendulum.DateTime] = lambda: pendulum.now("UTC"),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._record = record
        self._is_retry = is_retry
        self._is_shared = is_shared
        self._uploads = uploads
        self._why_new = why_new
        self._now = now
        self._sleep = sleep

    def submit(self, prepare: Prepare, settings: ProcessingSettings, *, key: str) -> Submission:
        """The task for this image: an earlier try's if there is one that is of use, else a new one.

        :param prepare: makes the image ready to be sent, for example `remote_image`.
        :param settings: how to recognise and export it.
        :param key: from `idempotency_key`.
        :raises OcrError: if the service refuses, cannot be reached, or cannot say what it has.
        """
        keyed = with_key(settings, key)
        reason, spent = self._why_new, None
        if (known := self._recorded_task(key)) is not None:
            if known.status not in _UNUSABLE:
                return Submission(
                    known, Decision.ADOPTED_BY_ID, f"an earlier try made it; it is {known.status}"
                )
            reason, spent = f"the earlier try's task is {known.status}", known
        intent = self._intent(key)
        if self._is_retry or self._is_shared or intent is not None:
            found = self._find(key, intent)
            if found.usable is not None:
                return self._adopt(found.usable, key)
            # No call of an earlier try is under way any more, so this need not be found out again.
            self._keep(_INTENT, f"{key} absent")
            reason = f"{reason}; the service has no usable task of an earlier try"
            spent = spent or found.newest_spent
        task = self._pay(prepare, keyed, key, spent)
        if task.status not in _UNUSABLE:
            return Submission(task, Decision.NEW, reason)
        return self._pass_over(task, prepare, keyed, key)

    def _pass_over(
        self, answered: OcrTask, prepare: Prepare, settings: ProcessingSettings, key: str
    ) -> Submission:
        """What becomes of a call that a server answered with a task of an earlier one, which is spent."""
        found = self._look_up(key, self._now().subtract(hours=_LOOK_BACK_HOURS))
        if found.usable is not None:
            return self._adopt(found.usable, key)
        reason = f"the service answered with an earlier try's task, which is {answered.status}"
        task, earlier = answered, {answered.id, *(spent.id for spent in found.spent)}
        # A spent task that nobody knew was made just now; one more would fare no better.
        while task.status in _UNUSABLE and task.id in earlier:
            earlier.discard(task.id)
            task = self._pay(prepare, settings, key, task)
        return Submission(task, Decision.NEW, reason)

    def _adopt(self, task: OcrTask, key: str) -> Submission:
        self._keep(_TASK_ID, f"{key} {task.id}")
        return Submission(task, Decision.ADOPTED_BY_KEY, f"an earlier try made it; it is {task.status}")

    def _pay(
        self, prepare: Prepare, settings: ProcessingSettings, key: str, spent: OcrTask | None
    ) -> OcrTask:
        """A new task.

        :param spent: the latest of those that this one is to replace.
        """
        send = prepare()
        self._keep(_INTENT, f"{key} {self._now().isoformat()}")
        sent_key = key if spent is None else f"{key}.{spent.id}"
        try:
            task = send(settings, sent_key)
        except OcrError as error:
            if error.ocr_task_id is not None:
                # An answer that cannot be used named the task that it was about; the next try asks for it.
                self._keep(_TASK_ID, f"{key} {error.ocr_task_id}")
            elif _is_refusal(error):
                # There is no task, so the next try need not wait for one to appear.
                self._keep(_INTENT, f"{key} refused")
            raise
        self._keep(_TASK_ID, f"{key} {task.id}")
        return task

    def _recorded_task(self, key: str) -> OcrTask | None:
        ocr_task_id = self._kept(_TASK_ID, key)
        if ocr_task_id is None:
            return None
        try:
            return self._client.get_task_status(ocr_task_id)
        except TaskDeletedError:
            return OcrTask(id=ocr_task_id, status=TaskStatus.DELETED)

    def _intent(self, key: str) -> pendulum.DateTime | None:
        kept = self._kept(_INTENT, key)
        if kept is None or kept in _NO_INTENT:
            return None
        return parse_time(kept)

    def _find(self, key: str, intent: pendulum.DateTime | None) -> _Found:
        """The service's task with this key that is of use, or none once it is certain that there is none."""
        # Without a record nobody knows how old the last try's task is.
        hours = _LONGEST_LOOK_BACK_HOURS if self._record is None and self._is_retry else _LOOK_BACK_HOURS
        start = (intent or self._now()).subtract(hours=hours)
        found = self._look_up(key, start)
        # Without a record nobody knows whether the last try's call left this machine.
        if found.usable is None and (intent is not None or (self._record is None and self._is_retry)):
            self._sleep(self._settle_seconds(intent))
            found = self._look_up(key, start)
        if found.usable is None:
            self._sleep(_SECONDS_BETWEEN_LOOKS)
            found = self._look_up(key, start)
        return found

    def _settle_seconds(self, intent: pendulum.DateTime | None) -> float:
        """How long a call that was made just before may still register a task."""
        timeouts = self._client.timeouts
        settle = (timeouts.in_all if self._uploads else timeouts.read) + SETTLE_SECONDS
        age = 0.0 if intent is None else (self._now() - intent).total_seconds()
        # Another worker's clock may have told the intent's time, so little is taken off for it.
        return settle if age < settle + _CLOCKS_DIFFER_SECONDS else _SECONDS_BETWEEN_LOOKS

    def _look_up(self, key: str, start: pendulum.DateTime) -> _Found:
        # The server's clock is not ours: a task may seem to come from the future.
        end = self._now().add(hours=_LOOK_BACK_HOURS)
        marker = _marker(key)
        tasks = [task for task in list_window(self._client, start, end) if marker in (task.description or "")]
        tasks.sort(key=lambda task: (task.registration_time or start, task.id))
        return _Found(
            fit=[task for task in tasks if task.status not in _UNUSABLE],
            spent=[task for task in tasks if task.status in _UNUSABLE],
        )

    def _kept(self, name: str, key: str) -> str | None:
        kept_key, _, value = (self._record.get(name) or "").partition(" ") if self._record else ("", "", "")
        return value if kept_key == key and value else None

    def _keep(self, name: str, value: str) -> None:
        if self._record is not None:
            self._record.set(name, value)


def _is_refusal(error: OcrError) -> bool:
    """Whether the service itself has said that it made no task; what stands between says other codes."""
    if isinstance(error, RequestRejectedError):
        return error.http_status == ServiceStatus.BAD_PARAMETERS
    return isinstance(error, AuthenticationError | InvalidParameterError)


def _marker(key: str) -> str:
    return f"{_MARK}{key}]"
