# SPDX-License-Identifier: Apache-2.0
"""The plain errors carry what whoever catches them needs."""

from __future__ import annotations

from airflow_provider_ocr.protocol import errors


def test_an_error_carries_the_ocr_task_that_it_is_about() -> None:
    error = errors.TaskFailedError("It failed.", ocr_task_id="a1")
    assert (str(error), error.ocr_task_id) == ("It failed.", "a1")


def test_an_error_without_a_known_task_says_none() -> None:
    assert errors.ServerError("It broke.").ocr_task_id is None


def test_an_invalid_parameter_is_named_first_and_is_a_value_error() -> None:
    error = errors.InvalidParameterError("exportFormat", "too many.")
    assert isinstance(error, ValueError)
    assert (str(error), error.parameter) == ("exportFormat: too many.", "exportFormat")


def test_a_named_parameter_is_a_rejected_request_too() -> None:
    assert issubclass(errors.ParameterRejectedError, errors.RequestRejectedError)


def test_a_rejected_request_carries_the_status_that_it_was_answered_with() -> None:
    error = errors.ParameterRejectedError("No.", http_status=450, ocr_task_id="a1")
    assert (str(error), error.http_status, error.ocr_task_id) == ("No.", 450, "a1")
