# SPDX-License-Identifier: Apache-2.0
"""The API's methods by their names, as functions of one request. No HTTP here, and no recognition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.server.api.admission import Admission, Measure
from airflow_provider_ocr.server.api.call import Call
from airflow_provider_ocr.server.api.existing import ExistingMethods
from airflow_provider_ocr.server.api.own_tasks import OwnTasks
from airflow_provider_ocr.server.api.signing import UrlSigner
from airflow_provider_ocr.server.api.starting import Runners, StartingMethods
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.choices import Choices
from airflow_provider_ocr.server.records.store import Store

Answer = Sequence[OcrTask] | ApplicationInfo


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API.

    :param answer: carries it out; raises RejectedError or UnsupportedImageError where it refuses.
    :param takes_image: whether the body of its requests is an image.
    :param opens_images: whether it opens images before it answers, which may take long.
    :param needs_room: whether it brings an image in, for which there has to be room.
    """

    answer: Callable[[Call], Answer]
    takes_image: bool = False
    opens_images: bool = False
    needs_room: bool = False


class ApiMethods:
    """All methods.

    :param store: where tasks are kept.
    :param applications: who may have how many credits.
    :param files: where images and results lie.
    :param signer: signs the URLs of results.
    :param runners: who fetches and recognises.
    :param measure: tells how many pages an image has.
    :param require_supported: raises InvalidParameterError for settings that are not carried out.
    :param upload_threshold: how many images more than its credits pay for an application may send.
    :param choices: what to do where the contract leaves it open.
    """

    def __init__(
        self,
        *,
        store: Store,
        applications: Applications,
        files: ResultFiles,
        signer: UrlSigner,
        runners: Runners,
        measure: Measure,
        require_supported: Callable[[ProcessingSettings], None],
        upload_threshold: int = 10,
        choices: Choices | None = None,
    ) -> None:
        tasks = OwnTasks(store=store, signer=signer, seconds_until_done=runners.seconds_until_done)
        admission = Admission(
            store=store, applications=applications, measure=measure, upload_threshold=upload_threshold
        )
        starting = StartingMethods(
            store=store,
            files=files,
            runners=runners,
            admission=admission,
            require_supported=require_supported,
            tasks=tasks,
        )
        existing = ExistingMethods(
            store=store, files=files, applications=applications, tasks=tasks, choices=choices or Choices()
        )
        self._methods = {
            "processremoteimage": Method(starting.process_remote_image, needs_room=True),
            "processimage": Method(
                starting.process_image, takes_image=True, opens_images=True, needs_room=True
            ),
            "submitimage": Method(
                starting.submit_image, takes_image=True, opens_images=True, needs_room=True
            ),
            "processdocument": Method(starting.process_document, opens_images=True),
            "gettaskstatus": Method(existing.get_task_status),
            "listtasks": Method(existing.list_tasks),
            "listfinishedtasks": Method(existing.list_finished_tasks),
            "deletetask": Method(existing.delete_task),
            "getapplicationinfo": Method(existing.get_application_info),
        }

    def find(self, name: str) -> Method | None:
        """The method with this name in any case, or None."""
        return self._methods.get(name.lower())
