# SPDX-License-Identifier: Apache-2.0
"""On what terms an Airflow task submits, and how it waits, without a worker, until it may.

Whatever it waits for, it goes on through the same submit-once path: nothing is concluded from having waited
but that no earlier try's call can still be under way.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.protocol.errors import OcrError, QuotaExceededError, TooManyInFlightError
from airflow_provider_ocr.protocol.times import parse_time
from airflow_provider_ocr.templates import is_later, seconds, switch

if TYPE_CHECKING:
    from airflow_provider_ocr.lifecycle.admission import Limits
    from airflow_provider_ocr.protocol.settings import ProcessingSettings

SUBMITTING = (
    "idempotency_key",
    "on_clear",
    "max_credits",
    "max_in_flight",
    "max_in_flight_wait",
    "quota_wait",
)
"""The names of an operator's arguments that say on what terms it submits."""

_LEAST = {"max_credits": 5, "max_in_flight": 1}
_WAITS = ("max_in_flight_wait", "quota_wait")
TROUBLE = "trouble"
"""What a trigger says that could not wait."""

_FIRST_PAUSE, _LONGEST_PAUSE = 30.0, 600.0


class OnClear(StrEnum):
    """What a cleared Airflow task does about the OCR task that it submitted before."""

    ADOPT = "adopt"
    """Take it up, while it is of use."""
    RESUBMIT = "resubmit"
    """Submit the image anew, once for each clear, and pay again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a task is submitted.

    :param idempotency_key: the author's own name for the document; None for what Airflow calls it.
    :param on_clear: what a cleared task does.
    :param max_credits: what the OCR tasks of a mapped Airflow task may cost together.
    :param max_in_flight: how many unfinished OCR tasks the application may have.
    :param max_in_flight_wait: seconds to wait for room.
    :param quota_wait: seconds to wait while the service's quota is exceeded.
    """

    idempotency_key: str | None = None
    on_clear: OnClear = OnClear.ADOPT
    max_credits: int | None = None
    max_in_flight: int | None = None
    max_in_flight_wait: float = 24 * 3600.0
    quota_wait: float = 0.0

    @property
    def limits(self) -> Limits:
        """What has to be so just before the paid call."""
        from airflow_provider_ocr.lifecycle.admission import Limits

        return Limits(max_in_flight=self.max_in_flight, max_credits=self.max_credits)

    def key(self, ti: Any, *, retries: int, source: str, settings: ProcessingSettings) -> str:
        """The name of the submission, the same for every try of it.

        :param ti: Airflow's task instance.
        :param retries: how many retries the task has by its DAG.
        :param source: what identifies the image.
        :param settings: how to recognise and export it.
        :raises InvalidParameterError: if the source is no URL.
        """
        from airflow_provider_ocr.lifecycle.submission import idempotency_key, key_of

        # Airflow gives a cleared task as many tries again as it had at first; its retries change nothing.
        clear = max(ti.max_tries - retries, 0) if self.on_clear is OnClear.RESUBMIT else 0
        cleared = (f"cleared after try {clear}",) if clear else ()
        map_index = ti.map_index if ti.map_index is not None else -1
        if self.idempotency_key is not None:
            # A clear is of one Airflow task; what others made under the name stays theirs.
            own_clear = (ti.dag_id, ti.run_id, ti.task_id, map_index, *cleared) if cleared else ()
            return key_of(self.idempotency_key, *own_clear)
        own = f"{map_index} {cleared[0]}" if cleared else map_index
        return idempotency_key(ti.dag_id, ti.run_id, ti.task_id, own, source=source, settings=settings)


def terms_of(arguments: Mapping[str, Any]) -> Terms:
    """The terms that a DAG author wrote; what is missing, or only a run knows, has its default.

    :param arguments: some or all of an operator's, by name; others are passed over.
    :raises CloudOcrParameterError: for what cannot be meant.
    """
    given = {name: arguments[name] for name in SUBMITTING if name in arguments}
    known = {name: value for name, value in given.items() if not is_later(value)}
    values: dict[str, Any] = {name: _count(name, known[name]) for name in _LEAST if name in known}
    values |= {name: seconds(name, known[name], least=0.0) for name in _WAITS if name in known}
    if "on_clear" in known:
        values["on_clear"] = _on_clear(known["on_clear"])
    if "idempotency_key" in known:
        values["idempotency_key"] = _own_key(known["idempotency_key"])
    if _is_given(given.get("idempotency_key")):
        _require_no_owner(arguments)
    return Terms(**values)


def _require_no_owner(arguments: Mapping[str, Any]) -> None:
    """Refuse what treats an OCR task as one's own that other Airflow tasks may have taken up, too."""
    cancels = arguments.get("cancel_on_kill", False)
    claims = {
        "max_credits": _is_given(arguments.get("max_credits")),
        "cancel_on_kill": not is_later(cancels) and switch("cancel_on_kill", cancels),
    }
    for name in (name for name, is_made in claims.items() if is_made):
        raise CloudOcrParameterError(
            f"{name}: it cannot be combined with idempotency_key, because an OCR task that several "
            "Airflow tasks may share belongs to none of them."
        )


def require_key_of_each(arguments: Mapping[str, Any]) -> None:
    """Refuse one literal key for all instances of a mapped task: all documents but one would be lost.

    :param arguments: of ``partial``.
    :raises CloudOcrParameterError: if there is one.
    """
    key = arguments.get("idempotency_key")
    if key is not None and not is_later(key):
        raise CloudOcrParameterError(
            f"idempotency_key: {key!r} would name the documents of all mapped tasks, and only one of them "
            "would be submitted; expand over the keys, or use a template that differs for each document."
        )


def require_distinct_keys(keys: Iterable[Any]) -> None:
    """Refuse a literal key that two mapped tasks have: one of their documents would be lost.

    :param keys: of the mapped tasks, as they were given.
    :raises CloudOcrParameterError: for the first that comes twice.
    """
    seen = set()
    for key in (str(key).strip() for key in keys if key is not None and not is_later(key)):
        if key in seen:
            raise CloudOcrParameterError(
                f"idempotency_key: two mapped tasks have {key!r}, and only one of their documents would be "
                "submitted; give each document a key of its own."
            )
        seen.add(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one try has waited already. It travels with the deferral.

    :param try_number: Airflow's number of the try that waits.
    :param room_until: when waiting for room ends; None if that has not begun.
    :param quota_until: when waiting for the quota ends; None if that has not begun.
    :param refusals: how often the service refused for its quota.
    """

    try_number: int
    room_until: str | None = None
    quota_until: str | None = None
    refusals: int = 0

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None, try_number: int) -> Patience | None:
        """The one that a deferral of this very try has left; None if there is none.

        :param kept: what the deferral handed on.
        :param try_number: Airflow's number of the present try.
        """
        return cls(**kept) if kept and kept["try_number"] == try_number else None

    def after(self, event: Any) -> Patience:
        """What is left of it after a deferral.

        :param event: that of the trigger. Trouble that only the triggerer has would be met there again at
            once, so that nobody waits there any longer.
        """
        if isinstance(event, Mapping) and event.get("waited") == TROUBLE:
            return replace(self, room_until=pendulum.now("UTC").isoformat())
        return self

    def defer(self, operator: BaseOperator, error: OcrError, *, terms: Terms, cloud_ocr_conn_id: str) -> None:
        """Wait in the triggerer until what kept the image from being submitted may be over.

        It returns, and does nothing, for what is not to be waited for, or was for long enough.

        :param operator: its method ``submit_later`` is called then.
        :param error: why the image was not submitted.
        :param terms: how long to wait.
        :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
        """
        now = pendulum.now("UTC")
        if isinstance(error, TooManyInFlightError) and terms.max_in_flight is not None:
            until = _until(self.room_until, terms.max_in_flight_wait, now)
            if now < until:
                self._defer_for_room(
                    operator, error, until, terms.max_in_flight, cloud_ocr_conn_id=cloud_ocr_conn_id
                )
        elif isinstance(error, QuotaExceededError):
            until = _until(self.quota_until, terms.quota_wait, now)
            if now < until:
                self._defer_for_quota(operator, error, until, now)

    def _defer_for_room(
        self,
        operator: BaseOperator,
        error: OcrError,
        until: pendulum.DateTime,
        max_in_flight: int,
        *,
        cloud_ocr_conn_id: str,
    ) -> None:
        # Airflow's trigger classes are slow to import, and parsing DAG files needs none.
        from airflow_provider_ocr.triggers.submission_gate import SubmissionGateTrigger

        deadline = until.isoformat()
        operator.log.info("%s Deferring until there is room, %s at the latest.", error, deadline)
        operator.defer(
            trigger=SubmissionGateTrigger(
                max_in_flight=max_in_flight, deadline=deadline, cloud_ocr_conn_id=cloud_ocr_conn_id
            ),
            method_name="submit_later",
            kwargs={"patience": asdict(replace(self, room_until=deadline))},
        )

    def _defer_for_quota(
        self, operator: BaseOperator, error: OcrError, until: pendulum.DateTime, now: pendulum.DateTime
    ) -> None:
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        moment = min(now.add(seconds=pause_after(self.refusals)), until)
        operator.log.warning(
            "%s Most likely the quota is exceeded; trying again at %s, until %s.",
            error,
            moment.isoformat(),
            until.isoformat(),
        )
        waited = replace(self, quota_until=until.isoformat(), refusals=self.refusals + 1)
        operator.defer(
            trigger=DateTimeTrigger(moment=moment),
            method_name="submit_later",
            kwargs={"patience": asdict(waited)},
        )


def pause_after(refusals: int) -> float:
    """Seconds to wait after one more refusal: half a minute at first, ten minutes later, or up to half less.

    :param refusals: how many there were before.
    """
    pause = min(_FIRST_PAUSE * 2.0 ** min(refusals, 10), _LONGEST_PAUSE)
    return pause * random.uniform(0.5, 1.0)  # noqa: S311 - only keeps those who wait from coming all at once


def _until(kept: str | None, patience: float, now: pendulum.DateTime) -> pendulum.DateTime:
    return parse_time(kept) if kept else now.add(seconds=patience)


def _is_given(value: Any) -> bool:
    return value is not None and value != ""


def _count(name: str, value: Any) -> int | None:
    """A number that a template may have made a text of; nothing means no limit."""
    if not _is_given(value):
        return None
    least = _LEAST[name]
    try:
        found = int(str(value))
    except ValueError:
        raise CloudOcrParameterError(f"{name}: it is {value!r}, and has to be a whole number.") from None
    if found < least:
        raise CloudOcrParameterError(f"{name}: it is {found}, and has to be at least {least}.")
    return found


def _on_clear(value: Any) -> OnClear:
    try:
        return OnClear(str(value))
    except ValueError:
        raise CloudOcrParameterError(
            f"on_clear: it is {value!r}, and has to be one of {', '.join(OnClear)}."
        ) from None


def _own_key(value: Any) -> str | None:
    if value is None:
        return None
    if not str(value).strip():
        raise CloudOcrParameterError("idempotency_key: it is empty; leave it out, or name the document.")
    return str(value).strip()
