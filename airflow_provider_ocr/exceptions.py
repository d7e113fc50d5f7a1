# SPDX-License-Identifier: Apache-2.0
"""The errors that a DAG author meets. Those that no retry can help are `AirflowFailException`s as well."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
)

from airflow_provider_ocr.protocol import errors


class CloudOcrError(AirflowException):
    """Base of all errors of this provider.

    :param message: what happened, to what, and what to do next.
    :param ocr_task_id: the OCR task that it is about, if one is known; it may have been paid for.
    """

    def __init__(self, message: str, *, ocr_task_id: str | None = None) -> None:
        super().__init__(message)
        self.ocr_task_id = ocr_task_id


class CloudOcrConnectionError(CloudOcrError):
    """No usable answer came from the service. A retry may help."""


class CloudOcrServerError(CloudOcrError):
    """The service failed (HTTP 5xx, 550). A retry may help."""


class CloudOcrRejectedError(CloudOcrError):
    """The service refused without naming a parameter; most likely a quota. A retry may help."""


class CloudOcrNotEnoughCreditsError(CloudOcrError):
    """The OCR task waits for credits. A retry helps after a top-up."""


class CloudOcrResultError(CloudOcrError):
    """A result file could not be had whole. A retry may help."""


class CloudOcrSourceError(CloudOcrError):
    """The image cannot be read in its object storage; nothing was submitted. A retry may help."""


class CloudOcrParameterError(CloudOcrError, AirflowFailException):
    """A parameter has a value that the service does not take. No retry can help."""


class CloudOcrAuthenticationError(CloudOcrError, AirflowFailException):
    """The service does not accept the connection's credentials, or not for this method."""


class CloudOcrProcessingFailedError(CloudOcrError):
    """The OCR task ended as ProcessingFailed. A retry of what submitted it makes a new one, and may help."""


class CloudOcrTaskFailedError(CloudOcrProcessingFailedError, AirflowFailException):
    """The OCR task ended as ProcessingFailed, for who only waits for it: no retry can help."""


class CloudOcrTaskDeletedError(CloudOcrError, AirflowFailException):
    """The OCR task is deleted, unknown, or another application's."""


class CloudOcrTooManyInFlightError(CloudOcrError):
    """The service was busy with ``max_in_flight`` tasks for too long. A retry may help."""


class CloudOcrCreditLimitError(CloudOcrError, AirflowFailException):
    """``max_credits`` are spent. No retry can help."""


class CloudOcrSensorTimeout(CloudOcrError, AirflowSensorTimeout):  # noqa: N818 - as Airflow names its own
    """The OCR task did not end before the sensor's timeout."""


_AIRFLOW_ERRORS: dict[type[errors.OcrError], type[CloudOcrError]] = {
    errors.InvalidParameterError: CloudOcrParameterError,
    errors.ParameterRejectedError: CloudOcrParameterError,
    errors.UnsupportedImageError: CloudOcrParameterError,
    errors.AuthenticationError: CloudOcrAuthenticationError,
    errors.NotEnabledError: CloudOcrAuthenticationError,
    errors.ConnectionFailedError: CloudOcrConnectionError,
    errors.UnreadableAnswerError: CloudOcrConnectionError,
    errors.ServerError: CloudOcrServerError,
    errors.RequestRejectedError: CloudOcrRejectedError,
    errors.TaskFailedError: CloudOcrTaskFailedError,
    errors.TaskDeletedError: CloudOcrTaskDeletedError,
    errors.NotEnoughCreditsError: CloudOcrNotEnoughCreditsError,
    errors.WaitTimeoutError: CloudOcrSensorTimeout,
    errors.TooManyInFlightError: CloudOcrTooManyInFlightError,
    errors.CreditLimitError: CloudOcrCreditLimitError,
    errors.TaskNotFinishedError: CloudOcrResultError,
    errors.SourceUnreadableError: CloudOcrSourceError,
    errors.ResultUnavailableError: CloudOcrResultError,
    errors.ResultIntegrityError: CloudOcrResultError,
}


def airflow_error(error: errors.OcrError) -> CloudOcrError:
    """The Airflow error for a plain one, with the same message and OCR task ID.

    :param error: what the client or one of the phases raised.
    """
    kinds = (_AIRFLOW_ERRORS[kind] for kind in type(error).__mro__ if kind in _AIRFLOW_ERRORS)
    return next(kinds, CloudOcrError)(str(error), ocr_task_id=error.ocr_task_id)
