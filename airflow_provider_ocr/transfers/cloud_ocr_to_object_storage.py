# SPDX-License-Identifier: Apache-2.0
"""CloudOcrToObjectStorageOperator: the last of the three phases. It lands a task's result files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_ocr.concealing import PATH, WORDS, ConcealingOperator, Concealment
from airflow_provider_ocr.exceptions import CloudOcrParameterError, CloudOcrResultError
from airflow_provider_ocr.hooks.cloud_ocr import DEFAULT_CONN_ID, CloudOcrHook, airflow_errors
from airflow_provider_ocr.links import CloudOcrResultLink
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.protocol.errors import OcrError, TaskDeletedError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.storage_path import secrets_of_storage_path
from airflow_provider_ocr.templates import switch
from airflow_provider_ocr.transfers.landed_before import landed_before, remember_landed
from airflow_provider_ocr.transfers.landing_arguments import check_landing, require_ocr_task_id
from airflow_provider_ocr.transfers.mapped_landings import CheckedLandings, require_place_of_each

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperatorLink, Context, ObjectStoragePath
    from airflow.providers.openlineage.extractors import OperatorLineage

    from airflow_provider_ocr.client.client import CloudOcrClient
    from airflow_provider_ocr.lifecycle.landing import LandedFile, Review
    from airflow_provider_ocr.protocol.task import OcrTask


class CloudOcrToObjectStorageOperator(ConcealingOperator):
    """Streams every result file of a completed OCR task into object storage or a local folder.

    Each file is there complete or not at all; on ``file://`` it is moved into place atomically. They come at
    the same time, and each holds no more than a block of 8 MiB or two in memory. A line in the log says
    every ten seconds how far they have come. The XCom return value is a manifest::

        {
            "ocr_task_id": "...",
            "credits": 5,
            "quality": {"pages": 1, "failed_pages": 0, "word_confidence": 93.5, ...},
            "review": [],
            "files": [
                {
                    "export_format": "txt",
                    "uri": "s3://aws_default@texts/a.txt",
                    "size": 12,
                    "sha256": "...",
                    "written": True,
                }
            ],
        }

    ``quality`` is None if the server does not tell it; ``review`` says why a person should look at the
    document; ``written`` is False for a file that was there already.

    With an ``Asset`` in ``outlets``, its event has the manifest as extra. With an ``AssetAlias``, each file
    becomes an asset of its own. OpenLineage is told of the OCR task and of the files.

    :param ocr_task_id: the OCR task, for example ``wait.output``.
    :param destination: a folder as ``ObjectStoragePath`` takes it, for example ``file:///data/texts`` or
        ``s3://aws_default@bucket/texts``. A password or a signature is refused when the task runs; both
        belong into the connection.
    :param export_format: the formats of the submission, in its order: results come without a name.
    :param name: file name without extension, the OCR task's ID by default; ``{ocr_task_id}``,
        ``{export_format}`` and ``{extension}`` in it are filled in. Where two formats would get the same name
        the format comes before the extension, as in ``a.pdfa.pdf``.
        Where the operator, or its task group, is mapped, a literal name has to hold ``{ocr_task_id}`` unless
        the destinations differ.
    :param if_exists: what becomes of a file that is there already: ``overwrite`` it, ``skip_if_same`` leaves
        it alone if size and SHA-256 are those of the result, and otherwise overwrites it, ``fail`` leaves it
        alone too, and is an error if it has other content.
    :param review_if: limits for the quality, for example ``{"word_confidence": 80, "failed_pages": 0}``: a
        document below that confidence, or with more failed pages, or whose quality is not known, goes to
        ``review_destination`` instead. ``blank_pages`` and ``low_words`` can be limited as well.
    :param review_destination: a folder as ``destination`` is one.
    :param delete_after: delete the OCR task, with its image and results, once all files have landed. If that
        fails, it is a warning in the log.
    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    :raises CloudOcrParameterError: at once for a literal that cannot be meant, or one name for several
        documents; when it runs, for a rendered one, and for a destination with a password or a signature.
    """

    template_fields: Sequence[str] = (
        "ocr_task_id",
        "destination",
        "export_format",
        "name",
        "cloud_ocr_conn_id",
        "if_exists",
        "review_if",
        "review_destination",
        "delete_after",
    )
    concealments: ClassVar[Mapping[str, Concealment]] = {
        "destination": PATH,
        "review_destination": PATH,
        "name": WORDS,
    }
    operator_extra_links: Collection[BaseOperatorLink] = (CloudOcrResultLink(),)
    ui_color = "#dde9f1"

    def __init__(
        self,
        *,
        ocr_task_id: str,
        destination: str | ObjectStoragePath,
        export_format: Sequence[str] | str,
        name: str | None = None,
        cloud_ocr_conn_id: str = DEFAULT_CONN_ID,
        if_exists: str = "overwrite",
        review_if: Mapping[str, float] | None = None,
        review_destination: str | ObjectStoragePath | None = None,
        delete_after: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ocr_task_id = ocr_task_id
        self.destination = destination
        self.export_format = export_format
        self.name = name
        self.cloud_ocr_conn_id = cloud_ocr_conn_id
        self.if_exists = if_exists
        self.review_if = review_if
        self.review_destination = review_destination
        self.delete_after = delete_after
        self._landed: dict[str, Any] | None = None
        self._service = ""
        check_landing(vars(self))
        if next(self.iter_mapped_task_groups(), None) is not None:
            require_place_of_each(vars(self))

    @classmethod
    def partial(cls, **kwargs: Any) -> CheckedLandings:
        """As Airflow's; literals are judged, here and where it is expanded.

        :raises CloudOcrParameterError: if one cannot be meant, or gives all documents one name.
        """
        return CheckedLandings.of(super().partial(**kwargs))

    def execute(self, context: Context) -> dict[str, Any]:
        """Land the files, and give the manifest."""
        return self._land(context)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """What OpenLineage is told, by OpenLineage's own provider where it is installed.

        :param task_instance: of this task.
        """
        from airflow_provider_ocr.transfers.landed_news import lineage_of

        return lineage_of(self._landed, self._service) if self._landed else None

    @property
    def result_address(self) -> str:
        """Where a person sees what has landed in a browser; empty where nobody does."""
        if self._landed is None:
            return ""
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        from airflow_provider_ocr.transfers.landed_places import web_address

        return web_address([ObjectStoragePath(file["uri"]) for file in self._landed["files"]]) or ""

    def _land(self, context: Context) -> dict[str, Any]:
        self.mask_secrets()
        check_landing(vars(self))
        from airflow_provider_ocr.lifecycle.landing import land

        folder = self._folder("destination")
        self.ocr_task_id = require_ocr_task_id(self.ocr_task_id)
        with (
            self._written_to(folder),
            airflow_errors(),
            CloudOcrHook(self.cloud_ocr_conn_id).get_conn() as client,
        ):
            self._service = client.base_url
            deletes, options = switch("delete_after", self.delete_after), self._options()
            try:
                task, files = land(
                    client=client,
                    ocr_task_id=self.ocr_task_id,
                    export_formats=ProcessingSettings.parse(export_format=self.export_format).export_format,
                    filesystem=folder.fs,
                    folder=folder.path,
                    stem=reveal(self.name) or self.ocr_task_id,
                    writer=_writer(context),
                    **options,
                )
            except TaskDeletedError:
                manifest = landed_before(context, self.ocr_task_id) if deletes else None
                if manifest is None:
                    raise
                self.log.info("OCR task %s: landed and deleted by an earlier try", self.ocr_task_id)
                self._tell(context, manifest)
                return manifest
            manifest = _manifest(task, files, self._folder_of(files, folder))
            # If this fails, a retry can still get everything from the service.
            self._tell(context, manifest)
            if deletes:
                remember_landed(context, manifest)
                self._delete(client)
        return manifest

    def _tell(self, context: Context, manifest: dict[str, Any]) -> None:
        """Let everybody know of what has landed who is to."""
        self._landed = manifest
        if self.outlets:
            from airflow_provider_ocr.transfers.landed_news import tell_outlets

            tell_outlets(context, self.outlets, manifest)

    def _options(self) -> dict[str, Any]:
        """What the landing is given beside from where and where to."""
        from airflow_provider_ocr.lifecycle.existing import IfExists

        return {
            "if_exists": IfExists.parse(self.if_exists),
            "review": self._review(),
            "on_file": self._log_file,
            "on_progress": lambda progress: self.log.info("OCR task %s: %s", self.ocr_task_id, progress),
        }

    def _review(self) -> Review | None:
        """Where documents go that a person should look at, if they go anywhere else."""
        from airflow_provider_ocr.lifecycle.landing import Review
        from airflow_provider_ocr.lifecycle.quality import QualityLimits

        if not self.review_if:
            return None
        folder = self._folder("review_destination")
        return Review(folder.fs, folder.path, QualityLimits.parse(self.review_if))

    def _folder_of(self, files: Sequence[LandedFile], usual: ObjectStoragePath) -> ObjectStoragePath:
        """The folder where all files of the document are."""
        if self.review_destination and any(file.review for file in files):
            return self._folder("review_destination")
        return usual

    @contextmanager
    def _written_to(self, folder: ObjectStoragePath) -> Iterator[None]:
        """Names the file, or else the destination, where it is what failed."""
        try:
            yield
        except OSError as error:
            place = self._place_of(error, folder)
            raise CloudOcrResultError(
                f"The results of OCR task {self.ocr_task_id} cannot be written to {place}: "
                f"{error.strerror or error}.",
                ocr_task_id=self.ocr_task_id,
            ) from error

    def _place_of(self, error: OSError, usual: ObjectStoragePath) -> str:
        """The address of the file that the error is about, or of the destination where it tells of none."""
        review = [self._folder("review_destination")] if self.review_destination else []
        for path in getattr(error, "__notes__", ()):
            for folder in (*review, usual):
                beginning = f"{folder.path.rstrip('/')}/"
                if path.startswith(beginning):
                    return _address(folder, path.removeprefix(beginning))
        return str(usual)

    def _log_file(self, file: LandedFile) -> None:
        how = "landed" if file.written else "was there already and stays as it is"
        self.log.info("OCR task %s: %s %s, %d bytes", self.ocr_task_id, file.name, how, file.size)
        for reason in file.review:
            self.log.warning(
                "OCR task %s: %s went to review_destination: %s", self.ocr_task_id, file.name, reason
            )

    def _delete(self, client: CloudOcrClient) -> None:
        """Delete the OCR task. What has landed has landed, whatever comes of it."""
        try:
            client.delete_task(self.ocr_task_id)
        except OcrError as error:
            self.log.warning("OCR task %s has landed but could not be deleted: %s", self.ocr_task_id, error)
        else:
            self.log.info("OCR task %s deleted", self.ocr_task_id)

    def _folder(self, argument: str) -> ObjectStoragePath:
        """The rendered destination; what it holds is repeated by file systems, logs and the manifest.

        :raises CloudOcrParameterError: if that is a secret.
        """
        from airflow.providers.common.compat.sdk import ObjectStoragePath

        given = getattr(self, argument)
        destination: str | ObjectStoragePath = reveal(given)
        if secrets_of_storage_path(str(destination)):
            raise CloudOcrParameterError(
                f"{argument}: {given} was given with a password or a signature. Put them into an "
                "Airflow connection and name it, as in s3://aws_default@bucket/texts."
            )
        return ObjectStoragePath(destination)


def _writer(context: Context) -> str:
    """The same for all tries of an Airflow task, of which one runs at a time; empty outside of Airflow."""
    task = context.get("ti")
    if task is None:
        return ""
    return repr((task.dag_id, task.run_id, task.task_id, task.map_index))


def _manifest(task: OcrTask, files: Sequence[LandedFile], folder: ObjectStoragePath) -> dict[str, Any]:
    return {
        "ocr_task_id": task.id,
        "credits": task.credits,
        "quality": next((asdict(file.quality) for file in files if file.quality), None),
        "review": list(files[0].review),
        "files": [
            {
                "export_format": str(file.export_format),
                "uri": _address(folder, file.name),
                "size": file.size,
                "sha256": file.sha256,
                "written": file.written,
            }
            for file in files
        ],
    }


def _address(folder: ObjectStoragePath, name: str) -> str:
    """Where a file lies, with the connection's ID, so that ``ObjectStoragePath`` opens it as it stands."""
    # Airflow before 3.1 keeps the ID among the storage options.
    conn_id = getattr(folder, "conn_id", None) or folder.storage_options.get("conn_id")
    owner = f"{conn_id}@" if conn_id else ""
    return f"{folder.protocol or 'file'}://{owner}{folder.path.rstrip('/')}/{name}"
