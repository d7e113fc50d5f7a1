# SPDX-License-Identifier: Apache-2.0
"""The terms of a submission: which are refused when the DAG is parsed, and how they name and delay it."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.sdk import DAG

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.protocol.errors import (
    OcrError,
    QuotaExceededError,
    RequestRejectedError,
    TooManyInFlightError,
)
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.submitting import OnClear, Patience, Terms, pause_after, terms_of

SOURCE = "https://images.example/scan.png"
SETTINGS = ProcessingSettings.parse(export_format="txt")


def operator(**arguments: Any) -> ProcessRemoteImageOperator:
    return ProcessRemoteImageOperator(task_id="submit", source=SOURCE, **arguments)


def test_texts_that_templates_make_stand_for_what_they_say() -> None:
    given = {"max_credits": "50", "max_in_flight": " 3 ", "quota_wait": "60", "on_clear": "resubmit"}
    assert terms_of(given) == Terms(
        max_credits=50, max_in_flight=3, quota_wait=60.0, on_clear=OnClear.RESUBMIT
    )
    assert terms_of({"quota_wait": timedelta(hours=1), "max_credits": "", "max_in_flight": None}) == Terms(
        quota_wait=3600.0
    )


WRONG = [
    ({"on_clear": "again"}, "on_clear: it is 'again', and has to be one of adopt, resubmit"),
    ({"max_credits": 4}, "max_credits: it is 4, and has to be at least 5"),
    ({"max_credits": "ten"}, "max_credits: it is 'ten'"),
    ({"max_in_flight": 0}, "max_in_flight: it is 0, and has to be at least 1"),
    ({"max_in_flight": 1.5}, "max_in_flight: it is 1.5, and has to be a whole number"),
    ({"max_in_flight_wait": -1}, "max_in_flight_wait: "),
    ({"quota_wait": "an hour"}, "quota_wait: it is 'an hour'"),
    ({"idempotency_key": " "}, "idempotency_key: it is empty"),
    ({"idempotency_key": "{{ name }}", "max_credits": 5}, "max_credits: it cannot be combined"),
    ({"idempotency_key": "a", "cancel_on_kill": True}, "cancel_on_kill: it cannot be combined"),
    ({"idempotency_key": "a", "cancel_on_kill": "true"}, "cancel_on_kill: it cannot be combined"),
]


@pytest.mark.parametrize(("arguments", "named"), WRONG, ids=[named for _, named in WRONG])
def test_a_literal_that_cannot_be_meant_fails_when_the_dag_is_parsed(
    arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(CloudOcrParameterError) as caught:
        operator(**arguments)
    assert str(caught.value).startswith(named)
    [(first, value), *others] = arguments.items()
    with DAG("mapped", schedule=None):
        partial = ProcessRemoteImageOperator.partial(task_id="submit", source=SOURCE, **dict(others))
        with pytest.raises(CloudOcrParameterError):
            partial.expand(**{first: [value]})


def test_templates_and_literals_of_partial_and_expand_are_taken() -> None:
    later = {name: f"{{{{ params.{name} }}}}" for name in ("on_clear", "max_in_flight", "quota_wait")}
    with DAG("mapped", schedule=None):
        operator(idempotency_key="{{ params.key }}", **later)
        ProcessRemoteImageOperator.partial(
            task_id="mapped", max_in_flight=2, max_credits=50, on_clear="resubmit", quota_wait=60
        ).expand(source=[SOURCE])
        ProcessRemoteImageOperator.partial(task_id="keys").expand_kwargs(
            [{"source": SOURCE, "idempotency_key": key} for key in ("a", "b")]
        )


def test_one_literal_key_for_all_instances_is_refused_because_only_one_would_be_submitted() -> None:
    with DAG("mapped", schedule=None):
        with pytest.raises(CloudOcrParameterError, match=r"^idempotency_key: 'one' would name"):
            ProcessRemoteImageOperator.partial(task_id="submit", idempotency_key="one")
        ProcessRemoteImageOperator.partial(
            task_id="submit", idempotency_key="{{ task_instance.map_index }}"
        ).expand(source=[SOURCE])


def test_a_key_that_would_name_several_mapped_documents_is_refused_wherever_it_comes_from() -> None:
    twice = [{"source": f"{SOURCE}?page={number}", "idempotency_key": "one"} for number in range(2)]
    with DAG("mapped", schedule=None, default_args={"idempotency_key": "one"}):
        defaulted = ProcessRemoteImageOperator.partial(task_id="defaulted")
        with pytest.raises(CloudOcrParameterError, match=r"^idempotency_key: 'one' would name"):
            defaulted.expand(source=[SOURCE])
        own = ProcessRemoteImageOperator.partial(task_id="own", source=SOURCE)
        own.expand(idempotency_key=["a", "b"])
    with DAG("mapped", schedule=None):
        for partial, expand in (
            (
                ProcessRemoteImageOperator.partial(task_id="keys", source=SOURCE),
                lambda partial: partial.expand(idempotency_key=["one", " one"]),
            ),
            (
                ProcessRemoteImageOperator.partial(task_id="kwargs"),
                lambda partial: partial.expand_kwargs(twice),
            ),
        ):
            with pytest.raises(
                CloudOcrParameterError, match=r"^idempotency_key: two mapped tasks have 'one'"
            ):
                expand(partial)


def test_the_defaults_of_a_dag_are_judged_with_a_mapped_tasks_own_arguments() -> None:
    with (
        DAG("mapped", schedule=None, default_args={"source_access": "copy"}),
        pytest.raises(CloudOcrParameterError, match="source_access: 'copy' is not one of"),
    ):
        ProcessRemoteImageOperator.partial(task_id="submit").expand(source=[SOURCE])


def key(terms: Terms, *, max_tries: int = 2, retries: int = 2, **changed: Any) -> str:
    ti = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": 3, **changed}
    return terms.key(
        SimpleNamespace(max_tries=max_tries, **ti), retries=retries, source=SOURCE, settings=SETTINGS
    )


def test_the_key_is_the_same_after_a_clear_unless_each_clear_is_to_submit_anew() -> None:
    assert key(Terms(), max_tries=5) == key(Terms())
    resubmit = Terms(on_clear=OnClear.RESUBMIT)
    assert key(resubmit) == key(Terms())
    # Cleared after the third try, and after the sixth.
    assert len({key(resubmit), key(resubmit, max_tries=5), key(resubmit, max_tries=8)}) == 3


def test_an_authors_key_means_the_same_in_every_task_and_run() -> None:
    own = Terms(idempotency_key="scan 7")
    assert key(own) == key(own, dag_id="other", run_id="other", task_id="other", map_index=-1)
    assert key(own) != key(Terms(idempotency_key="scan 8"))
    again = Terms(idempotency_key="scan 7", on_clear=OnClear.RESUBMIT)
    assert key(again) == key(own)
    assert key(again, max_tries=5) != key(own)
    # The first clears of two tasks are two clears, and each of them is to pay again.
    assert key(again, max_tries=5) != key(again, max_tries=5, task_id="other")


def deferral(error: OcrError, patience: Patience, terms: Terms) -> TaskDeferred | None:
    try:
        patience.defer(operator(), error, terms=terms, cloud_ocr_conn_id="c")
    except TaskDeferred as deferred:
        return deferred
    return None


QUOTA = QuotaExceededError("Refused.", http_status=450)
CROWD = TooManyInFlightError("Busy.")
LONG_AGO = "2026-01-01T00:00:00+00:00"


def test_it_waits_for_room_until_a_deadline_that_stays_the_same() -> None:
    terms = Terms(max_in_flight=2, max_in_flight_wait=60)
    first = deferral(CROWD, Patience(try_number=1), terms)
    assert first is not None
    assert first.method_name == "submit_later"
    kept = Patience.of(first.kwargs["patience"], 1)
    assert kept is not None
    second = deferral(CROWD, kept, terms)
    assert second is not None
    assert second.trigger.serialize() == first.trigger.serialize()
    assert second.trigger.serialize()[1] == {
        "max_in_flight": 2,
        "deadline": kept.room_until,
        "cloud_ocr_conn_id": "c",
    }


def test_trouble_that_only_the_triggerer_has_is_not_waited_out_there_again() -> None:
    terms = Terms(max_in_flight=2, max_in_flight_wait=3600)
    waiting = Patience(try_number=1)
    assert deferral(CROWD, waiting.after({"waited": "room"}), terms) is not None
    assert deferral(CROWD, waiting.after({"waited": "trouble"}), terms) is None


def test_it_waits_for_the_quota_with_pauses_that_end_when_it_was_to_be_waited_for() -> None:
    terms = Terms(quota_wait=20)
    before = pendulum.now("UTC")
    first = deferral(QUOTA, Patience(try_number=1), terms)
    assert first is not None
    kept = Patience.of(first.kwargs["patience"], 1)
    assert kept is not None
    assert kept.refusals == 1
    moment = first.trigger.serialize()[1]["moment"]
    assert before < moment <= pendulum.parse(kept.quota_until or "")


@pytest.mark.parametrize(
    ("error", "patience", "terms"),
    [
        (CROWD, Patience(try_number=1, room_until=LONG_AGO), Terms(max_in_flight=1)),
        (QUOTA, Patience(try_number=1, quota_until=LONG_AGO), Terms(quota_wait=60)),
        (QUOTA, Patience(try_number=1), Terms()),
        (RequestRejectedError("No.", http_status=450), Patience(try_number=1), Terms(quota_wait=60)),
    ],
    ids=["no room for too long", "no quota for too long", "not asked to wait", "another refusal"],
)
def test_it_waits_for_nothing_else_and_no_longer(error: OcrError, patience: Patience, terms: Terms) -> None:
    assert deferral(error, patience, terms) is None


def test_what_another_try_has_waited_does_not_count() -> None:
    kept = {"try_number": 1, "room_until": LONG_AGO, "quota_until": None, "refusals": 3}
    assert Patience.of(kept, 1) is not None
    assert Patience.of(kept, 2) is None
    assert Patience.of(None, 1) is None


@pytest.mark.parametrize(
    ("refusals", "least", "most"), [(0, 15, 30), (1, 30, 60), (4, 240, 480), (9, 300, 600), (99, 300, 600)]
)
def test_pauses_grow_to_ten_minutes_and_differ(refusals: int, least: float, most: float) -> None:
    pauses = [pause_after(refusals) for _ in range(50)]
    assert least <= min(pauses) < max(pauses) <= most
