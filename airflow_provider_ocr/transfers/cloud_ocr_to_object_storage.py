# SPDX-License-Identifier: Apache-2.0
"""CloudOcrToObjectStorageOperator: the last of the three phases. It lands a task's result files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_ocr.concealing import WORDS, ConcealingOperator, Concealment
from airflow_provider_ocr.exceptions import CloudOcrParameterError, CloudOcrResultError
from airflow_provider_ocr.hooks.cloud_ocr import DEFAULT_CONN_ID, CloudOcrHook, airflow_errors
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.protocol.redaction import secrets_of_url, shown_url
from airflow_provider_ocr.protocol.settings import ProcessingSettings

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_ocr.lifecycle.landing import LandedFile
    from airflow_provider_ocr.protocol.task import OcrTask


# A user without a password is the ID of an Airflow connection.
_CONNECTION = re.compile(r"([a-z][a-z0-9+.-]*://[^@:/?#%]+@)(.*)", re.IGNORECASE | re.DOTALL)


def _shown_destination(destination: str) -> str:
    found = _CONNECTION.fullmatch(destination)
    return f"{found[1]}{shown_url(found[2])}" if found else shown_url(destination)


def _secrets_of_destination(destination: str) -> tuple[str, ...]:
    found = _CONNECTION.fullmatch(destination)
    return secrets_of_url(found[2] if found else destination)


class CloudOcrToObjectStorageOperator(ConcealingOperator):
    """Streams every result file of a completed OCR task into object storage or a local folder.

    Each file is there complete or not at all; on ``file://`` it is moved into place atomically. The XCom
    return value is a manifest::

        {
            "ocr_task_id": "...",
            "credits": 5,
            "files": [
                {"export_format": "txt", "uri": "s3://aws_default@texts/a.txt", "size": 12, "sha256": "..."}
            ],
        }

    :param ocr_task_id: the OCR task, for example ``wait.output``.
    :param destination: a folder as ``ObjectStoragePath`` takes it, for example ``file:///data/texts`` or
        ``s3://aws_default@bucket/texts``. A password or a signature is refused when the task runs; both
        belong into the connection.
    :param export_format: the formats of the submission, in its order: results come without a name.
    :param name: file name without extension, the OCR task's ID by default. Two formats with the same
        extension get the format between, as in ``a.pdfa.pdf``.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    :raises CloudOcrParameterError: when it runs, for a destination with a password or a signature.
    """

    template_fields: Sequence[str] = (
        "ocr_task_id",
        "destination",
        "export_format",
        "name",
        "cloud_ocr_conn_id",
    )
    concealments: ClassVar[Mapping[str, Concealment]] = {
        "destination": Concealment(shown=_shown_destination, secrets=_secrets_of_destination),
        "name": WORDS,
    }
    ui_color = "#dde9f1"

    def __init__(
        self,
        *,
        ocr_task_id: str,
        destination: str | ObjectStoragePath,
        export_format: Sequence[str] | str,
        name: str | None = None,
        cloud_ocr_conn_id: str = DEFAULT_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ocr_task_id = ocr_task_id
        self.destination = destination
        self.export_format = export_format
        self.name = name
        self.cloud_ocr_conn_id = cloud_ocr_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Land the files, and give the manifest."""
        self.mask_secrets()
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        from airflow_provider_ocr.lifecycle.landing import land

        folder = ObjectStoragePath(self._destination())
        with (
            _written_to(folder, self.ocr_task_id),
            airflow_errors(),
            CloudOcrHook(self.cloud_ocr_conn_id).get_conn() as client,
        ):
            task, files = land(
                client=client,
                ocr_task_id=self.ocr_task_id,
                export_formats=ProcessingSettings.parse(export_format=self.export_format).export_format,
                filesystem=folder.fs,
                folder=folder.path,
                stem=reveal(self.name) or self.ocr_task_id,
                on_file=lambda file: self.log.info(
                    "OCR task %s: %s landed, %d bytes", self.ocr_task_id, _uri(folder, file), file.size
                ),
            )
        return _manifest(task, files, folder)

    def _destination(self) -> str | ObjectStoragePath:
        """The rendered destination; what it holds is repeated by file systems, logs and the manifest."""
        destination: str | ObjectStoragePath = reveal(self.destination)
        if _secrets_of_destination(str(destination)):
            raise CloudOcrParameterError(
                f"destination: {self.destination} was given with a password or a signature. Put them into an "
                "Airflow connection and name it, as in s3://aws_default@bucket/texts."
            )
        return destination


@contextmanager
def _written_to(folder: ObjectStoragePath, ocr_task_id: str) -> Iterator[None]:
    """Names the destination where it is what failed."""
    try:
        yield
    except OSError as error:
        raise CloudOcrResultError(
            f"The results of OCR task {ocr_task_id} cannot be written to {folder}: "
            f"{error.strerror or error}.",
            ocr_task_id=ocr_task_id,
        ) from error


def _manifest(task: OcrTask, files: Sequence[LandedFile], folder: ObjectStoragePath) -> dict[str, Any]:
    return {
        "ocr_task_id": task.id,
        "credits": task.credits,
        "files": [
            {
                "export_format": str(file.export_format),
                "uri": _uri(folder, file),
                "size": file.size,
                "sha256": file.sha256,
            }
            for file in files
        ],
    }


def _uri(folder: ObjectStoragePath, file: LandedFile) -> str:
    """Where a file lies, with the connection's ID, so that ``ObjectStoragePath`` opens it as it stands."""
    # Airflow before 3.1 keeps the ID among the storage options.
    conn_id = getattr(folder, "conn_id", None) or folder.storage_options.get("conn_id")
    owner = f"{conn_id}@" if conn_id else ""
    return f"{folder.protocol or 'file'}://{owner}{folder.path.rstrip('/')}/{file.name}"
