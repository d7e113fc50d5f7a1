# SPDX-License-Identifier: Apache-2.0
"""Which images are let in: the quota of an application, and what the image itself allows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from airflow_provider_ocr.server.api.call import Call, RejectedError, UnsupportedImageError
from airflow_provider_ocr.server.recognition.file_types import ONE_OF_THEM, is_known_type
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.store import HeldImage, Store
from airflow_provider_ocr.server.records.tasks import CREDITS_PER_PAGE
from airflow_provider_ocr.server.workers.children import (
    Measurement,
    RecognitionCancelled,
    RecognitionFailed,
    UnsupportedDocumentError,
    WrongPasswordError,
)


class Measure(Protocol):
    """Tells how large a document is."""

    def __call__(self, images: Sequence[Path], *, application: str, pdf_password: str = "") -> Measurement:
        """Measure the document of an application in some files.

        :raises RecognitionFailed: where that is impossible.
        """


class Admission:
    """Decides on images before they are accepted.

    :param store: where tasks are kept.
    :param applications: who may have how many credits.
    :param measure: tells how large a document is.
    :param upload_threshold: how many images more than its credits pay for an application may send.
    """

    def __init__(
        self, *, store: Store, applications: Applications, measure: Measure, upload_threshold: int
    ) -> None:
        self._store = store
        self._applications = applications
        self._measure = measure
        self._upload_threshold = upload_threshold

    def require_quota(self, name: str) -> None:
        """Refuse another image of an application that could not pay for those it has sent already.

        :raises RejectedError: if that is so.
        """
        application = self._applications.find(name)
        if application is None or application.credits is None:
            return
        waiting = self._store.unprocessed_images(name)
        paid_for = max(0, application.credits) // CREDITS_PER_PAGE
        if waiting >= paid_for + self._upload_threshold:
            raise RejectedError(
                f"The quota of images is exceeded: {waiting} are waiting to be recognised and the credits "
                f"are enough for {paid_for}. Delete tasks that are not processed, or have credits added."
            )

    def measured(self, call: Call, *, pdf_password: str) -> HeldImage:
        """The image that came along, if it can be recognised as far as can be told by now.

        :raises RejectedError: if there is none, or it is a PDF that another password opens.
        :raises UnsupportedImageError: if it is of no type that is read, forbids to be rasterised, is
            damaged or beyond a limit.
        """
        image = call.require_image()
        if not is_known_type(image):
            raise UnsupportedImageError(f"The image is of no type that can be read; {ONE_OF_THEM} is needed.")
        try:
            measured = self._measure_admitted(
                [image], application=call.application, pdf_password=pdf_password
            )
        except RecognitionCancelled:
            raise
        except RecognitionFailed as error:
            # What cannot be measured has no price that could be reserved.
            raise UnsupportedImageError(str(error)) from None
        return HeldImage(size=image.stat().st_size, pages=measured.pages, billed_pages=measured.billed_pages)

    def require_opening(self, images: Sequence[Path], *, application: str, pdf_password: str) -> None:
        """Refuse a password that does not open the images of a task, before it is started with it.

        What else may be wrong with them, recognition will say.

        :raises RejectedError: if that is so.
        :raises UnsupportedImageError: if one is of no type that is read, or forbids to be rasterised.
        """
        with suppress(RecognitionFailed):
            self._measure_admitted(images, application=application, pdf_password=pdf_password)

    def _measure_admitted(
        self, images: Sequence[Path], *, application: str, pdf_password: str
    ) -> Measurement:
        try:
            return self._measure(images, application=application, pdf_password=pdf_password)
        except WrongPasswordError as error:
            raise RejectedError(f"pdfPassword: {error}") from None
        except UnsupportedDocumentError as error:
            raise UnsupportedImageError(str(error)) from None
