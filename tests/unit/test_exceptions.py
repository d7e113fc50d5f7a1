# SPDX-License-Identifier: Apache-2.0
"""Every plain error has its Airflow counterpart, which says whether a retry can help."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSensorTimeout

from airflow_provider_ocr import exceptions
from airflow_provider_ocr.protocol import errors

# plain error, Airflow's, and whether a retry may help
TABLE: list[tuple[type[errors.OcrError], type[exceptions.CloudOcrError], bool]] = [
    (errors.OcrError, exceptions.CloudOcrError, True),
    (errors.InvalidParameterError, exceptions.CloudOcrParameterError, False),
    (errors.ParameterRejectedError, exceptions.CloudOcrParameterError, False),
    (errors.UnsupportedImageError, exceptions.CloudOcrParameterError, False),
    (errors.AuthenticationError, exceptions.CloudOcrAuthenticationError, False),
    (errors.NotEnabledError, exceptions.CloudOcrAuthenticationError, False),
    (errors.ForbiddenByGatewayError, exceptions.CloudOcrRejectedError, True),
    (errors.ConnectionFailedError, exceptions.CloudOcrConnectionError, True),
    (errors.NameResolutionError, exceptions.CloudOcrConnectionError, True),
    (errors.ConnectFailedError, exceptions.CloudOcrConnectionError, True),
    (errors.HandshakeError, exceptions.CloudOcrConnectionError, True),
    (errors.TlsError, exceptions.CloudOcrConnectionError, True),
    (errors.TlsWantedError, exceptions.CloudOcrConnectionError, True),
    (errors.NotHttpError, exceptions.CloudOcrConnectionError, True),
    (errors.ProxyFailedError, exceptions.CloudOcrConnectionError, True),
    (errors.UnreadableAnswerError, exceptions.CloudOcrConnectionError, True),
    (errors.ServerError, exceptions.CloudOcrServerError, True),
    (errors.RequestRejectedError, exceptions.CloudOcrRejectedError, True),
    (errors.QuotaExceededError, exceptions.CloudOcrRejectedError, True),
    (errors.TooManyInFlightError, exceptions.CloudOcrTooManyInFlightError, True),
    (errors.CreditLimitError, exceptions.CloudOcrCreditLimitError, False),
    (errors.TaskFailedError, exceptions.CloudOcrTaskFailedError, False),
    (errors.TaskDeletedError, exceptions.CloudOcrTaskDeletedError, False),
    (errors.NotEnoughCreditsError, exceptions.CloudOcrNotEnoughCreditsError, True),
    (errors.WaitTimeoutError, exceptions.CloudOcrSensorTimeout, True),
    (errors.TaskNotFinishedError, exceptions.CloudOcrResultError, True),
    (errors.SourceUnreadableError, exceptions.CloudOcrSourceError, True),
    (errors.ResultUnavailableError, exceptions.CloudOcrResultError, True),
    (errors.ResultIntegrityError, exceptions.CloudOcrResultError, True),
]


def _plain(kind: type[errors.OcrError]) -> errors.OcrError:
    more: dict[str, Any] = {"http_status": 450} if issubclass(kind, errors.RequestRejectedError) else {}
    error = (
        kind("exportFormat", "Bad.")
        if issubclass(kind, errors.InvalidParameterError)
        else kind("Bad.", **more)
    )
    error.ocr_task_id = "a1"
    return error


@pytest.mark.parametrize(("kind", "airflows", "may_be_retried"), TABLE)
def test_a_plain_error_has_its_counterpart(
    kind: type[errors.OcrError], airflows: type[exceptions.CloudOcrError], may_be_retried: bool
) -> None:
    plain = _plain(kind)
    error = exceptions.airflow_error(plain)
    assert type(error) is airflows
    assert (str(error), error.ocr_task_id) == (str(plain), "a1")
    assert isinstance(error, AirflowException)
    assert isinstance(error, AirflowFailException) is not may_be_retried


def test_no_plain_error_is_forgotten() -> None:
    kinds = {
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.OcrError)
    }
    assert {row[0] for row in TABLE} == kinds


def test_a_kind_that_is_made_elsewhere_counts_as_its_base() -> None:
    class Special(errors.ServerError):
        pass

    assert type(exceptions.airflow_error(Special("Bad."))) is exceptions.CloudOcrServerError


def test_a_sensors_time_out_is_airflows_time_out() -> None:
    assert issubclass(exceptions.CloudOcrSensorTimeout, AirflowSensorTimeout)


@pytest.mark.parametrize("kind", sorted({row[1] for row in TABLE}, key=str))
def test_an_error_survives_being_handed_to_another_process(kind: type[exceptions.CloudOcrError]) -> None:
    copied = pickle.loads(pickle.dumps(kind("Bad.", ocr_task_id="a1")))
    assert (type(copied), str(copied), copied.ocr_task_id) == (kind, "Bad.", "a1")
