# SPDX-License-Identifier: Apache-2.0
"""The plain errors of everything below the hook. Each says what happened, to what, and what to do next.

No message ever holds a password, a query string or a result URL. Where the OCR task is known its ID is
on the error, so that a task that was paid for can be resumed by whoever catches it.
"""

from __future__ import annotations

WHEN_GONE = (
    "Results are kept for about a day. To have the image recognised anew submit it again, in Airflow by "
    "clearing the task that submitted it; that costs credits again."
)
"""What to do about an OCR task that is deleted."""


class OcrError(Exception):
    """Base of all plain errors.

    :param message: one sentence for the person who reads the log.
    :param ocr_task_id: the OCR task that the error is about, if one is known.
    """

    def __init__(self, message: str, *, ocr_task_id: str | None = None) -> None:
        super().__init__(message)
        self.ocr_task_id = ocr_task_id


class InvalidParameterError(OcrError, ValueError):
    """A value that the API does not know, found before anything was sent.

    :param parameter: the parameter's name as the API spells it, for example ``exportFormat``.
    :param message: what is wrong with it and what is allowed.
    """

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter


class ConnectionFailedError(OcrError):
    """No answer: the name did not resolve, the connection was refused or broke, or it timed out."""


class NameResolutionError(ConnectionFailedError):
    """The server's name does not resolve to an address."""


class ConnectFailedError(ConnectionFailedError):
    """No connection came about: it was refused, its host is out of reach, or it took too long."""


class HandshakeError(ConnectFailedError):
    """The server accepted the connection, and fell silent or hung up during the TLS handshake."""


class TlsError(ConnectionFailedError):
    """No connection came about that both sides trust; mostly a certificate that nobody here knows."""


class TlsWantedError(TlsError):
    """The server speaks TLS, and was spoken to without."""


class NotHttpError(ConnectionFailedError):
    """What answered does not speak HTTP."""


class ProxyFailedError(ConnectionFailedError):
    """The proxy between here and the server could not be used, refused, or wants other credentials."""


class UnreadableAnswerError(OcrError):
    """An answer came that is not one of the API's documents."""


class AuthenticationError(OcrError):
    """HTTP 401: the service does not accept this application ID and password."""


class NotEnabledError(OcrError):
    """HTTP 403 from getApplicationInfo: the method is switched off for this application."""


class RequestRejectedError(OcrError):
    """HTTP 4xx other than 401, usually 450: the service refused the request.

    :param http_status: 450 where it was the service itself that refused.
    """

    def __init__(self, message: str, *, http_status: int, ocr_task_id: str | None = None) -> None:
        super().__init__(message, ocr_task_id=ocr_task_id)
        self.http_status = http_status


class ForbiddenByGatewayError(RequestRejectedError):
    """HTTP 403 with a web page: what stands before the service, such as a proxy, lets nobody through."""


class QuotaExceededError(RequestRejectedError):
    """The service refused a new task and named no parameter; most likely too many images wait there."""


class ParameterRejectedError(RequestRejectedError):
    """The service refused the request and named the parameter that is to blame."""


class ServerError(OcrError):
    """HTTP 5xx, 550 included: the service failed while it worked on the request."""


class UnsupportedImageError(OcrError):
    """HTTP 551: the service cannot read this kind of image."""


class TaskFailedError(OcrError):
    """The OCR task ended as ProcessingFailed."""


class TaskDeletedError(OcrError):
    """The OCR task is deleted, unknown, or belongs to another application."""


class NotEnoughCreditsError(OcrError):
    """The OCR task is suspended until credits are added to the application."""


class WaitTimeoutError(OcrError):
    """The OCR task did not end before the deadline of whoever waited for it."""


class TaskNotFinishedError(OcrError):
    """Results were asked of an OCR task that has not ended yet."""


class SourceUnreadableError(OcrError):
    """The image is not in its object storage, or cannot be read there. Nothing was submitted."""


class ResultUnavailableError(OcrError):
    """A result file is gone, or its URL has expired."""


class ResultIntegrityError(OcrError):
    """A result file arrived incomplete or other than announced."""


class TooManyInFlightError(OcrError):
    """No task was made, because the service has not finished as many as there may be at a time."""


class CreditLimitError(OcrError):
    """No task was made, because it would cost more than may be spent."""
