# SPDX-License-Identifier: Apache-2.0
"""ProcessRemoteImageOperator: the first of the three phases. It submits, once, and waits if asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pendulum
from airflow.providers.common.compat.sdk import conf

from airflow_provider_ocr.concealing import PASSWORD, SOURCE, WORDS, ConcealingOperator, Concealment
from airflow_provider_ocr.exceptions import CloudOcrError, CloudOcrProcessingFailedError, airflow_error
from airflow_provider_ocr.hooks.cloud_ocr import DEFAULT_CONN_ID, CloudOcrHook, airflow_errors
from airflow_provider_ocr.lifecycle.verdict import RESUME_INTERVAL
from airflow_provider_ocr.operators.cancelling import Cancelling
from airflow_provider_ocr.operators.parse_time_checks import CheckedPartial, check_arguments
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.protocol.errors import OcrError, TaskFailedError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.source_url import require_image, url_warning
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL
from airflow_provider_ocr.submitting import SUBMITTING, Patience, Terms, terms_of
from airflow_provider_ocr.templates import seconds, switch
from airflow_provider_ocr.waiting import WAITING, Waiter, Waiting, policy_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_ocr.lifecycle.submission import Record

_SETTINGS = (
    "language",
    "profile",
    "text_type",
    "image_source",
    "correct_orientation",
    "correct_skew",
    "read_barcodes",
    "export_format",
    "write_recognition_variants",
    "write_tags",
    "description",
    "pdf_password",
)


class ProcessRemoteImageOperator(ConcealingOperator):
    """Submits the image at a URL for recognition (API method ``processRemoteImage``).

    The XCom return value is the ID of the OCR task, as text. Every submission costs money, so a retry or a
    cleared task takes up the task that an earlier try made, wherever there is one that is of use.

    Lists may be lists or comma-separated text; an argument that is left out has the API's default.

    The attributes ``source``, ``description`` and ``pdf_password`` show what everybody may see: URLs without
    user and without the values of their parameters, and ``***``. `protocol.concealed.reveal` gives the whole
    text.

    :param source: URL of the image, reachable for the service, or its path in object storage as
        ``ObjectStoragePath`` takes it, for example ``s3://aws_default@bucket/scan.tif``.
    :param source_access: how the service comes by an image in object storage: ``sign`` gives it a URL that is
        signed for at least 24 hours, ``upload`` sends the image along, up to 30 MB.
    :param export_format: one to three of txt, pdfSearchable, xml, docx and the API's other formats.
    :param language: recognition languages, for example ``["English", "German"]``.
    :param profile: documentConversion, documentArchiving, textExtraction or barcodeRecognition.
    :param text_type: how the text was put on paper, for example normal or typewriter.
    :param image_source: auto, photo or scanner.
    :param correct_orientation: turn pages upright.
    :param correct_skew: straighten pages.
    :param read_barcodes: find barcodes.
    :param write_recognition_variants: write character variants into XML.
    :param write_tags: tag PDF results: auto, write or dontWrite.
    :param description: text that the service keeps with the task, up to 224 characters.
    :param pdf_password: opens a protected PDF. Take it from a connection or a variable by a template.
    :param wait_for_completion: wait, too, until the OCR task is completed, as CloudOcrTaskSensor does, and
        push the OCR task's ID as the XCom ``ocr_task_id`` before that. Where the OCR task failed, a retry
        submits the image again.
    :param deferrable: wait in the triggerer, without a worker slot; the default is Airflow's
        ``[operators] default_deferrable``.
    :param poll_interval: seconds between two looks, at least 2.
    :param timeout: seconds after which to give up waiting, a day by default.
    :param on_not_enough_credits: what to do, where it waits, about an OCR task that lacks credits: ``fail``,
        ``wait`` until somebody starts it again, or ``resume``, which starts it again now and then.
    :param resume_interval: seconds between two attempts to start it again, 15 minutes by default.
    :param idempotency_key: your own name for what is submitted, the document with all settings. Who uses it
        again within a day, in whichever task, run or DAG, takes up the OCR task that it named before.
    :param on_clear: what a cleared task does: ``adopt`` takes the OCR task up that was submitted before,
        ``resubmit`` submits the image once more for each clear, and pays again.
    :param max_credits: how many credits (5 a page) this task may spend in a run, with all its mapped
        instances, retries and clears; nothing is submitted once they are spent.
    :param max_in_flight: how many unfinished OCR tasks the application may have at a time; until there is
        room for one more the task waits in the triggerer.
    :param max_in_flight_wait: seconds after which to give up waiting for room, a day by default.
    :param quota_wait: seconds for which to try again, waiting in the triggerer, while the service refuses
        images without naming a parameter, which most likely means that its quota is exceeded; 0 by default.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    :param cancel_on_kill: delete the OCR task if the Airflow task is killed after it was submitted and before
        the service has begun it. Off by default: an evicted worker kills, too, and is no wish to cancel. Not
        with ``idempotency_key``, whose OCR task others may share.
    :raises CloudOcrParameterError: at once for a literal that the API does not know, at run time for a
        rendered one.
    """

    template_fields: Sequence[str] = (
        "source",
        "source_access",
        *_SETTINGS,
        *WAITING,
        *SUBMITTING,
        "cloud_ocr_conn_id",
    )
    concealments: ClassVar[Mapping[str, Concealment]] = {
        "source": SOURCE,
        "description": WORDS,
        "pdf_password": PASSWORD,
    }
    ui_color = "#e8f0e4"

    def __init__(
        self,
        *,
        source: str | ObjectStoragePath,
        source_access: str = "sign",
        export_format: Sequence[str] | str | None = None,
        language: Sequence[str] | str | None = None,
        profile: str | None = None,
        text_type: Sequence[str] | str | None = None,
        image_source: str | None = None,
        correct_orientation: bool | str | None = None,
        correct_skew: bool | str | None = None,
        read_barcodes: bool | str | None = None,
        write_recognition_variants: bool | str | None = None,
        write_tags: str | None = None,
        description: str | None = None,
        pdf_password: str | None = None,
        wait_for_completion: bool | str = False,
        deferrable: bool | str = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: timedelta | float | str = 10.0,
        timeout: timedelta | float | str = 24 * 3600.0,
        on_not_enough_credits: str = "fail",
        resume_interval: timedelta | float | str = RESUME_INTERVAL,
        idempotency_key: str | None = None,
        on_clear: str = "adopt",
        max_credits: int | str | None = None,
        max_in_flight: int | str | None = None,
        max_in_flight_wait: timedelta | float | str = 24 * 3600.0,
        quota_wait: timedelta | float | str = 0.0,
        cloud_ocr_conn_id: str = DEFAULT_CONN_ID,
        cancel_on_kill: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = source
        self.source_access = source_access
        self.export_format = export_format
        self.language = language
        self.profile = profile
        self.text_type = text_type
        self.image_source = image_source
        self.correct_orientation = correct_orientation
        self.correct_skew = correct_skew
        self.read_barcodes = read_barcodes
        self.write_recognition_variants = write_recognition_variants
        self.write_tags = write_tags
        self.description = description
        self.pdf_password = pdf_password
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.on_not_enough_credits = on_not_enough_credits
        self.resume_interval = resume_interval
        self.idempotency_key = idempotency_key
        self.on_clear = on_clear
        self.max_credits = max_credits
        self.max_in_flight = max_in_flight
        self.max_in_flight_wait = max_in_flight_wait
        self.quota_wait = quota_wait
        self.cloud_ocr_conn_id = cloud_ocr_conn_id
        self.cancel_on_kill = cancel_on_kill
        self._cancelling: Cancelling | None = None
        others = {name: getattr(self, name) for name in ("source_access", *WAITING, *SUBMITTING)}
        check_arguments({"source": self.source, **self._given(), **others})

    @classmethod
    def partial(cls, **kwargs: Any) -> CheckedPartial:
        """As Airflow's; literals are judged, here and where it is expanded.

        :raises CloudOcrParameterError: if one of them is not the service's.
        """
        return CheckedPartial.of(super().partial(**kwargs))

    def execute(self, context: Context) -> str:
        """Submit, wait if asked to, and give the OCR task's ID."""
        return self._submit_and_wait(context, None)

    def submit_later(
        self, context: Context, event: dict[str, Any], patience: dict[str, Any] | None = None
    ) -> str:
        """Go on after having waited until the image may be submitted.

        :param event: that of whatever was waited for.
        :param patience: how long that took; `DAG.test` hands on nothing but the event, then it begins again.
        """
        left = Patience.of(patience, context["ti"].try_number)
        return self._submit_and_wait(context, left and left.after(event))

    def _submit_and_wait(self, context: Context, patience: Patience | None) -> str:
        # What cannot be waited for as told is found out before anything is paid for.
        waits = switch("wait_for_completion", self.wait_for_completion)
        waiting, timeout, deferrable = self._waiting(), self._timeout(), switch("deferrable", self.deferrable)
        ocr_task_id = self._submit(context, patience)
        if waits:
            context["ti"].xcom_push(key="ocr_task_id", value=ocr_task_id)
            waiter = Waiter(self, replace(waiting, ocr_task_id=ocr_task_id))
            deadline = pendulum.now("UTC").add(seconds=timeout)
            if deferrable:
                waiter.defer(deadline)
            waiter.stay(deadline)
        return ocr_task_id

    def resume(self, context: Context, event: dict[str, Any], deadline: str | None = None) -> str:
        """Go on after the trigger: done if it saw the OCR task completed, else look here and decide.

        :param event: what the trigger saw.
        :param deadline: when waiting ends; `DAG.test` hands on nothing but the event, then it begins again.
        """
        # Whoever renders nothing, as tests of DAGs do, has masked nothing.
        self.mask_secrets()
        waiting = replace(self._waiting(), ocr_task_id=event["ocr_task_id"])
        Waiter(self, waiting).go_on(event, deadline, timeout=self._timeout())
        return waiting.ocr_task_id

    def _waiting(self) -> Waiting:
        """How to wait, for whatever OCR task that will be."""
        return Waiting(
            ocr_task_id="",
            cloud_ocr_conn_id=self.cloud_ocr_conn_id,
            policy=policy_of(self.on_not_enough_credits),
            poll_interval=seconds("poll_interval", self.poll_interval, least=SHORTEST_POLL_INTERVAL),
            resume_interval=seconds("resume_interval", self.resume_interval, least=SHORTEST_POLL_INTERVAL),
            settings=self._settings,
            failure=_retryable,
            cancel_on_kill=switch("cancel_on_kill", self.cancel_on_kill),
        )

    def _timeout(self) -> float:
        return seconds("timeout", self.timeout, least=0.0)

    def _settings(self) -> ProcessingSettings:
        with airflow_errors():
            return ProcessingSettings.parse(**self._given())

    def _terms(self) -> Terms:
        return terms_of({name: getattr(self, name) for name in (*SUBMITTING, "cancel_on_kill")})

    def _submit(self, context: Context, patience: Patience | None) -> str:
        """An OCR task for the image. Where it has to wait first it defers.

        :param patience: what an earlier deferral of this try has left.
        """
        from airflow_provider_ocr.lifecycle.admission import admitted
        from airflow_provider_ocr.lifecycle.submission import Submitter
        from airflow_provider_ocr.operators.source_access import image_at, is_uploaded

        source, terms, ti = self._source(), self._terms(), context["ti"]
        with airflow_errors(), CloudOcrHook(self.cloud_ocr_conn_id).get_conn() as client:
            settings = ProcessingSettings.parse(**self._given())
            key = terms.key(ti, retries=self.retries or 0, source=source, settings=settings)
            submitter = Submitter(
                client=client,
                record=_record(context),
                # Before it waited this try has made sure that no earlier one's call is under way.
                is_retry=ti.try_number > 1 and patience is None,
                is_shared=terms.idempotency_key is not None,
                uploads=is_uploaded(source, self.source_access),
                why_new="first try" if patience is None else "nothing of an earlier try, after waiting",
            )
            image = image_at(reveal(self.source), self.source_access, client)
            image = admitted(image, client=client, limits=terms.limits, key=key)
            try:
                submission = submitter.submit(image, settings, key=key)
            except OcrError as error:
                waiting = patience or Patience(try_number=ti.try_number)
                waiting.defer(self, error, terms=terms, cloud_ocr_conn_id=self.cloud_ocr_conn_id)
                raise
        self.log.info(
            "OCR task %s: %s (%s); it is %s.",
            submission.task.id,
            submission.decision,
            submission.reason,
            submission.task.status,
        )
        if switch("cancel_on_kill", self.cancel_on_kill):
            self._cancelling = Cancelling(self.cloud_ocr_conn_id, submission.task.id)
        return submission.task.id

    def on_kill(self) -> None:
        """Delete the OCR task, if that is wanted and there is one that the service has not begun."""
        if self._cancelling is not None:
            self._cancelling.run()

    def _source(self) -> str:
        """The rendered URL or path."""
        with airflow_errors():
            source = require_image(reveal(self.source))
        # Whoever renders nothing, as tests of DAGs do, has masked nothing.
        self.mask_secrets()
        if warning := url_warning(source):
            self.log.warning(warning)
        return source

    def _given(self) -> dict[str, Any]:
        return {name: reveal(getattr(self, name)) for name in _SETTINGS}


def _retryable(error: OcrError) -> CloudOcrError:
    """Airflow's error, for a task that submits the image again when it is retried."""
    if isinstance(error, TaskFailedError):
        return CloudOcrProcessingFailedError(str(error), ocr_task_id=error.ocr_task_id)
    return airflow_error(error)


class _StateStoreRecord:
    """What Airflow remembers from one try of a task to the next (Airflow 3.3 and newer)."""

    def __init__(self, task_state_store: Any) -> None:
        self._store = task_state_store

    def get(self, key: str) -> str | None:
        value = self._store.get(key)
        return None if value is None else str(value)

    def set(self, key: str, value: str) -> None:
        self._store.set(key, value)


def _record(context: Context) -> Record | None:
    store = context.get("task_state_store")
    return None if store is None else _StateStoreRecord(store)
